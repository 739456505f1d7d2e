// Disks small enough to be filled: a real one where the system lets us mount it, and one that only counts, anywhere.

import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { DISK, type Disk } from '../../local/s3/disk.ts';

export interface SmallDisk {
  /** A folder on it. */
  directory: string;
  /** For `openS3`. */
  disk: Disk;
  /** Somebody else takes all the space but so many bytes. */
  fill(leftBytes?: number): void;
  /** That space is free again. */
  unfill(): void;
  remove(): void;
}

const TOTAL_BYTES = 32 * 1024 * 1024;
const BLOCK_BYTES = 4096;

/** Why no tmpfs can be mounted here; undefined where one can. */
export function tmpfsRefusal(): string | undefined {
  try {
    tmpfsDisk().remove();
    return undefined;
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr ?? error).trim();
  }
}

/** A tmpfs; throws where none can be mounted. */
export function tmpfsDisk(totalBytes = TOTAL_BYTES): SmallDisk {
  const mountPoint = mkdtempSync(join(tmpdir(), 'small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${totalBytes}`, 'tmpfs', mountPoint], {
      stdio: 'pipe',
    });
  } catch (error) {
    rmSync(mountPoint, { recursive: true });
    throw error;
  }
  const foreign = join(mountPoint, 'foreign');
  const directory = join(mountPoint, 's3');
  mkdirSync(directory);
  return {
    directory,
    disk: DISK,
    fill(leftBytes = 0) {
      rmSync(foreign, { force: true });
      const { bavail, bsize } = statfsSync(mountPoint);
      // Others may be writing, too: then there is less than there was.
      for (let left = bavail * bsize - leftBytes; left > 0; left -= BLOCK_BYTES) {
        try {
          appendFileSync(foreign, Buffer.alloc(Math.min(left, BLOCK_BYTES)));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          break;
        }
      }
    },
    unfill: () => rmSync(foreign, { force: true }),
    remove() {
      execFileSync('umount', ['--lazy', mountPoint]);
      rmSync(mountPoint, { recursive: true });
    },
  };
}

/** Room is counted, not limited by the system: writes of ours that go beyond it fail as the system would let them. */
export function countingDisk(): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), 'small-disk-'));
  let foreignBytes = 0;
  const freeBytes = () => Math.max(0, TOTAL_BYTES - foreignBytes - bytesIn(directory));
  const refuse = (): never => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const disk: Disk = {
    room: () => ({ freeBytes: freeBytes(), totalBytes: TOTAL_BYTES }),
    async write(file, bytes) {
      const fitting = bytes.subarray(0, freeBytes());
      await DISK.write(file, fitting);
      if (fitting.length < bytes.length) refuse();
    },
    writeSync(descriptor, bytes) {
      const fitting = bytes.subarray(0, freeBytes());
      return fitting.length === 0 ? refuse() : DISK.writeSync(descriptor, fitting);
    },
    openDatabase: (path) => new CountingDatabase(path, () => freeBytes() > 0),
  };
  return {
    directory,
    disk,
    fill(leftBytes = 0) {
      foreignBytes = 0;
      foreignBytes = freeBytes() - leftBytes;
    },
    unfill() {
      foreignBytes = 0;
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}

/** Fails as SQLite does on a full disk, when a change is to be written. */
class CountingDatabase extends DatabaseSync {
  readonly #hasRoom: () => boolean;

  constructor(path: string, hasRoom: () => boolean) {
    super(path);
    this.#hasRoom = hasRoom;
  }

  override exec(sql: string): void {
    if (sql === 'COMMIT') this.#requireRoom();
    super.exec(sql);
  }

  override prepare(sql: string): StatementSync {
    const statement = super.prepare(sql);
    const run = statement.run.bind(statement) as (...values: unknown[]) => ReturnType<StatementSync['run']>;
    statement.run = (...values: unknown[]) => {
      if (!this.isTransaction) this.#requireRoom();
      return run(...values);
    };
    return statement;
  }

  #requireRoom(): void {
    if (this.#hasRoom()) return;
    throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
  }
}

function bytesIn(directory: string): number {
  const files = readdirSync(directory, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  );
  const sizes = files.map(
    ({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES, 0);
}
