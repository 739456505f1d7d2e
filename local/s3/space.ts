// Who may use the space that is left. Big writes end while others on the same disk can still go on: encoders need
// temporary files, and the records of the pipeline are small. Deletions have a reserve of their own.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNoSpace, type Disk } from './disk.ts';
import { S3Error } from './errors.ts';
import { Reserve } from './reserve.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A write of at most so many bytes may go below the floor: a card, a marker, a list of revisions. */
const SMALL_BYTES = 4 * KIB;
/** How often a write that is under way looks at the space again: others write as well. */
const CHECK_BYTES = MIB;
const SHARE = 32;
const RESERVE_BYTES = { least: MIB, most: 16 * MIB };
const FLOOR_BYTES = { least: 2 * MIB, most: 64 * MIB };

// Primary result codes of SQLite; an extended one has them in its low byte.
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

export class Space {
  /** What deletions may use when nothing else is left. */
  readonly reserveBytes: number;
  readonly #directory: string;
  readonly #disk: Disk;
  readonly #floorBytes: number;
  readonly #reserve: Reserve;

  /** Changes nothing until `restore`. */
  constructor(directory: string, disk: Disk) {
    const { totalBytes } = disk.room(directory);
    this.#directory = directory;
    this.#disk = disk;
    this.#floorBytes = shareOf(totalBytes, FLOOR_BYTES);
    this.reserveBytes = shareOf(totalBytes, RESERVE_BYTES);
    this.#reserve = new Reserve(directory, this.reserveBytes, disk);
  }

  /**
   * The chunks, for as long as they leave the floor alone. `declaredBytes` says how many will come, where that is known,
   * so that a write that cannot end well does not begin.
   * @throws S3Error STORAGE_FULL
   */
  async *admitted(chunks: AsyncIterable<Buffer>, declaredBytes = 0): AsyncGenerator<Buffer> {
    this.restore(); // somebody else may have made room
    if (declaredBytes > SMALL_BYTES) this.#keepFloor(declaredBytes);
    let sizeBytes = 0;
    let checkAt = SMALL_BYTES;
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      if (sizeBytes > checkAt) {
        this.#keepFloor(chunk.length);
        checkAt = sizeBytes + CHECK_BYTES;
      }
      yield chunk;
    }
  }

  /**
   * Runs `work`, which frees space, and gives up the reserve step by step for as long as it finds none to work with.
   * `work` is begun anew after each step, so it must be all or nothing.
   */
  freeing<T>(work: () => T): T {
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!this.isOutOfSpace(error) || !this.#reserve.shrink()) throw error;
      }
    }
  }

  /** The same of work that takes a moment, in which others may take what is given up. */
  async freeingSoon<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!this.isOutOfSpace(error) || !this.#reserve.shrink()) throw error;
      }
    }
  }

  /** Fills the reserve as far as there is room. */
  restore(): void {
    this.#reserve.restore();
  }

  /** The error says that something did not fit on the disk. */
  isOutOfSpace(error: unknown): boolean {
    if (isNoSpace(error)) return true;
    const { errcode, cause } = (error ?? {}) as { errcode?: number; cause?: unknown };
    if (errcode === undefined) return cause !== undefined && this.isOutOfSpace(cause);
    const primary = errcode & 0xff;
    if (primary === SQLITE_FULL) return true;
    // SQLite does not hand on what the system said. It has these for a quota that is used up, a full disk that shows
    // only when files are synced, or a lack of inodes; and for broken disks.
    return (primary === SQLITE_IOERR || primary === SQLITE_CANTOPEN) && this.#hasNoRoom();
  }

  #keepFloor(sizeBytes: number): void {
    if (this.#disk.room(this.#directory).freeBytes - sizeBytes < this.#floorBytes) {
      throw new S3Error('STORAGE_FULL');
    }
  }

  /** Found out by writing a file: no system tells of quotas otherwise. */
  #hasNoRoom(): boolean {
    const path = join(this.#directory, 'incoming', 'probe');
    try {
      writeFileSync(path, Buffer.alloc(64 * KIB, 'probe'), { flush: true });
      return false;
    } catch (error) {
      return isNoSpace(error);
    } finally {
      rmSync(path, { force: true });
    }
  }
}

/** What is kept aside of a file system, so that a small one is not all reserve. */
export function shareOf(totalBytes: number, { least, most }: { least: number; most: number }): number {
  return Math.min(most, Math.max(least, Math.floor(totalBytes / SHARE)));
}
