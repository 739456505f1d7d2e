// The folder that encoders write into, with some space kept aside in it: on a disk that is full, what is stored and not
// yet encoded could not be watched otherwise.

import { DISK } from './s3/disk.ts';
import { Reserve } from './s3/reserve.ts';
import { shareOf } from './s3/space.ts';
import { emptyDirectory } from './data-directory.ts';

const MIB = 1024 * 1024;
/** Several segments of the highest rungs; on a small disk a share of it. */
const RESERVE_BYTES = { least: 4 * MIB, most: 64 * MIB };
/** How soon it is looked whether what was given up can be had again. */
const EVERY_MS = 10_000;

/** Makes the folder, empty but for what is kept aside; pipeline/encode/workspace.ts gives that up. Returns its path. */
export async function openEncodingRoom(path: string): Promise<{ directory: string; close(): void }> {
  const directory = await emptyDirectory(path);
  const wantedBytes = shareOf(DISK.room(directory).totalBytes, RESERVE_BYTES);
  const reserve = new Reserve(directory, wantedBytes, DISK);
  const restore = () => {
    // Only where there is plenty: whatever else is short of space needs it more.
    if (DISK.room(directory).freeBytes > 2 * wantedBytes) reserve.restore();
  };
  restore();
  const timer = setInterval(restore, EVERY_MS);
  timer.unref();
  return { directory, close: () => clearInterval(timer) };
}
