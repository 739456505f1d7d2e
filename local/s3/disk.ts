// The file system under the store, as far as room on it matters. A test may put a small one in its place.

import { statfsSync, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';

export interface Disk {
  /** What is left for us in the file system that holds `path`, and all there is. */
  room(path: string): { freeBytes: number; totalBytes: number };
  /** All of the bytes, behind what was written before. @throws ENOSPC or EDQUOT if they do not fit. */
  write(file: FileHandle, bytes: Uint8Array): Promise<void>;
  /** Returns how many bytes fitted. @throws ENOSPC or EDQUOT if none did. */
  writeSync(descriptor: number, bytes: Uint8Array): number;
  openDatabase(path: string): DatabaseSync;
}

export const DISK: Disk = {
  room(path) {
    const { bavail, bsize, blocks } = statfsSync(path);
    // Some network file systems do not tell; they answer ENOSPC all the same.
    if (blocks === 0) return { freeBytes: Infinity, totalBytes: Infinity };
    // Not `bfree`: that counts what is kept for root.
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
  write: (file, bytes) => file.writeFile(bytes),
  writeSync: (descriptor, bytes) => writeSync(descriptor, bytes),
  openDatabase: (path) => new DatabaseSync(path),
};

/** A file system has no room: no blocks, no inodes, or the user's share of them is used up. */
export function isNoSpace(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
