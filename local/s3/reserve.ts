// The reserve: a file that keeps space for deletions. SQLite has to write in order to forget, so a disk that is full to
// the last byte could never be emptied through us.

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { isNoSpace, type Disk } from './disk.ts';

const CHUNK_BYTES = 1024 * 1024;
/** It is given up in so many steps, so that little has to be written anew. */
const STEPS = 16;

export class Reserve {
  readonly #directory: string;
  readonly #disk: Disk;
  readonly #wantedBytes: number;
  /** A file system that compresses would keep no space for zeros. */
  #filling: Buffer | undefined;

  /** Changes nothing yet: a process that finds the store in use must leave its reserve alone. */
  constructor(directory: string, wantedBytes: number, disk: Disk) {
    this.#directory = directory;
    this.#wantedBytes = wantedBytes;
    this.#disk = disk;
  }

  /**
   * Gives up a step of it; false if nothing is left. Synchronous, as the deletion is, so nothing of ours can come
   * between them and take the space.
   */
  shrink(): boolean {
    const presentBytes = this.#sizeBytes();
    if (presentBytes === 0) return false;
    this.#cutTo(presentBytes - Math.ceil(this.#wantedBytes / STEPS));
    return true;
  }

  /** Takes back as much as the disk has. Never throws: what was deleted is deleted, with or without a reserve. */
  restore(): void {
    try {
      const missingBytes = this.#wantedBytes - this.#sizeBytes();
      if (missingBytes > 0) this.#growBy(Math.min(missingBytes, this.#disk.room(this.#directory).freeBytes));
      else if (missingBytes < 0) this.#cutTo(this.#wantedBytes);
    } catch (error) {
      if (!isNoSpace(error)) console.error(error);
    }
  }

  // Asked each time: whoever looks for space by hand may have removed the file.
  #sizeBytes(): number {
    return statSync(this.#path(), { throwIfNoEntry: false })?.size ?? 0;
  }

  #cutTo(sizeBytes: number): void {
    if (sizeBytes > 0) truncateSync(this.#path(), sizeBytes);
    else rmSync(this.#path()); // a file system may also be out of inodes
  }

  #growBy(sizeBytes: number): void {
    if (sizeBytes <= 0) return;
    this.#filling ??= randomBytes(Math.min(CHUNK_BYTES, this.#wantedBytes));
    const file = openSync(this.#path(), 'a');
    try {
      for (let left = sizeBytes; left > 0;) {
        left -= this.#disk.writeSync(file, this.#filling.subarray(0, left));
      }
    } finally {
      closeSync(file);
    }
  }

  #path(): string {
    return join(this.#directory, 'reserve');
  }
}
