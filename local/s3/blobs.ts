// Blobs: the bytes of objects and parts, one file each under a name of our own making. No key ever becomes
// a path. A blob is written aside and renamed when whole; which blobs count is for the index to say.

import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Disk } from './disk.ts';
import { S3Error } from './errors.ts';

/** A stretch of a blob that is `blobBytes` long: `sizeBytes` from `offset` on. */
export interface Slice {
  blob: string;
  blobBytes: number;
  offset: number;
  sizeBytes: number;
}

const READ_BYTES = 256 * 1024;
/** So many blobs are looked at together; an object may have ten thousand. */
const CHECKED_AT_ONCE = 16;

export class BlobDirectory {
  readonly #incoming: string;
  readonly #whole: string;
  // Blobs that a GET still needs: removing one waits until the last reader has left.
  readonly #readers = new Map<string, number>();
  readonly #doomed = new Set<string>();
  /** Told of already: somebody who wants one asks again and again. */
  readonly #damaged = new Set<string>();
  readonly #disk: Disk;

  private constructor(directory: string, disk: Disk) {
    this.#disk = disk;
    this.#incoming = join(directory, 'incoming');
    this.#whole = join(directory, 'blobs');
  }

  static async open(directory: string, disk: Disk): Promise<BlobDirectory> {
    const blobs = new BlobDirectory(directory, disk);
    await mkdir(blobs.#incoming, { recursive: true });
    await mkdir(blobs.#whole, { recursive: true });
    return blobs;
  }

  /**
   * Writes the chunks to a new blob and hands its name to `claim`, which enters it in the index. If reading or
   * claiming throws, nothing is left behind.
   */
  async write<T>(chunks: AsyncIterable<Buffer>, claim: (blob: string) => T): Promise<T> {
    const blob = randomUUID();
    const path = join(this.#incoming, blob);
    try {
      const file = await open(path, 'wx');
      try {
        // No fsync: what is acknowledged survives this process, though not the machine's power cut.
        for await (const chunk of chunks) await this.#disk.write(file, chunk);
      } finally {
        await file.close();
      }
      await rename(path, join(this.#whole, blob));
    } catch (error) {
      await rm(path, { force: true }).catch(() => undefined); // swept away by the next start at the latest
      throw error;
    }
    try {
      return claim(blob);
    } catch (error) {
      await this.remove([blob]);
      throw error;
    }
  }

  /**
   * The slices one after another; their blobs stay until the stream is closed. Should a blob turn out damaged after
   * all, the stream fails.
   * @throws S3Error InternalError if a blob is missing, or shorter than the index says
   */
  async read(slices: readonly Slice[]): Promise<Readable> {
    // Before anything is waited for: the blobs are in the index at this moment, and may not be in the next.
    for (const { blob } of slices) this.#readers.set(blob, (this.#readers.get(blob) ?? 0) + 1);
    const leave = () => {
      for (const { blob } of slices) this.#leave(blob);
    };
    try {
      for (let i = 0; i < slices.length; i += CHECKED_AT_ONCE) {
        const checks = slices.slice(i, i + CHECKED_AT_ONCE).map((slice) => this.#check(slice));
        await Promise.allSettled(checks); // else a check may still run when its blob is removed
        await Promise.all(checks);
      }
    } catch (error) {
      leave();
      throw error;
    }
    const stream = Readable.from(this.#bytes(slices), { objectMode: false, highWaterMark: READ_BYTES });
    return stream.once('close', leave);
  }

  async remove(blobs: readonly string[]): Promise<void> {
    await Promise.all(
      blobs.map(async (blob) => {
        if (this.#readers.has(blob)) this.#doomed.add(blob);
        else await this.#unlink(blob);
      }),
    );
  }

  /** Removes what a killed process left: half-written blobs, and whole ones the index does not know. */
  async sweep(known: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#incoming)) await rm(join(this.#incoming, name), { force: true });
    const whole = await readdir(this.#whole);
    await this.remove(whole.filter((name) => !known.has(name)));
  }

  async #check({ blob, blobBytes }: Slice): Promise<void> {
    try {
      const file = await open(join(this.#whole, blob));
      const { size } = await file.stat().finally(() => file.close());
      if (size < blobBytes) throw new Error(`It has ${size} of ${blobBytes} bytes.`);
    } catch (error) {
      throw this.#damage(blob, error);
    }
  }

  async *#bytes(slices: readonly Slice[]): AsyncGenerator<Buffer> {
    for (const { blob, offset, sizeBytes } of slices) {
      if (sizeBytes === 0) continue; // createReadStream has no empty range
      const options = { start: offset, end: offset + sizeBytes - 1, highWaterMark: READ_BYTES };
      let left = sizeBytes;
      try {
        for await (const chunk of createReadStream(join(this.#whole, blob), options)) {
          left -= chunk.length;
          yield chunk;
        }
        if (left > 0) throw new Error(`It was cut while it was read: ${left} bytes are missing.`);
      } catch (error) {
        throw this.#damage(blob, error);
      }
    }
  }

  /** What the client is told names no path; the log does. Errors that are not of the blob stay as they are. */
  #damage(blob: string, cause: unknown): unknown {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== undefined && code !== 'ENOENT' && code !== 'EIO') return cause;
    if (!this.#damaged.has(blob)) console.error(`${join(this.#whole, blob)} is damaged.`, cause);
    this.#damaged.add(blob);
    return new S3Error('InternalError', 'The bytes of this object are damaged on the disk.');
  }

  #leave(blob: string): void {
    const left = this.#readers.get(blob)! - 1;
    if (left > 0) return void this.#readers.set(blob, left);
    this.#readers.delete(blob);
    if (!this.#doomed.delete(blob)) return;
    void this.#unlink(blob);
  }

  async #unlink(blob: string): Promise<void> {
    // Should this fail, the next start sweeps the file away.
    await rm(join(this.#whole, blob), { force: true }).catch(() => undefined);
  }
}
