// Blobs: the bytes of objects and parts, one file each under a name of our own making. No key ever becomes
// a path. A blob is written aside and renamed when whole; which blobs count is for the index to say.

import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** A stretch of a blob: `sizeBytes` from `offset` on. */
export interface Slice {
  blob: string;
  offset: number;
  sizeBytes: number;
}

const READ_BYTES = 256 * 1024;

export class BlobDirectory {
  readonly #incoming: string;
  readonly #whole: string;
  // Blobs that a GET still needs: removing one waits until the last reader has left.
  readonly #readers = new Map<string, number>();
  readonly #doomed = new Set<string>();

  private constructor(directory: string) {
    this.#incoming = join(directory, 'incoming');
    this.#whole = join(directory, 'blobs');
  }

  static async open(directory: string): Promise<BlobDirectory> {
    const blobs = new BlobDirectory(directory);
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
        for await (const chunk of chunks) await file.writeFile(chunk);
      } finally {
        await file.close();
      }
      await rename(path, join(this.#whole, blob));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    try {
      return claim(blob);
    } catch (error) {
      await this.remove([blob]);
      throw error;
    }
  }

  /** The slices one after another; their blobs stay until the stream is closed. */
  read(slices: readonly Slice[]): Readable {
    const paths = slices.map(({ blob }) => blob);
    for (const blob of paths) this.#readers.set(blob, (this.#readers.get(blob) ?? 0) + 1);
    const stream = Readable.from(this.#bytes(slices), { objectMode: false, highWaterMark: READ_BYTES });
    return stream.once('close', () => {
      for (const blob of paths) this.#leave(blob);
    });
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

  async *#bytes(slices: readonly Slice[]): AsyncGenerator<Buffer> {
    for (const { blob, offset, sizeBytes } of slices) {
      if (sizeBytes === 0) continue; // createReadStream has no empty range
      const options = { start: offset, end: offset + sizeBytes - 1, highWaterMark: READ_BYTES };
      yield* createReadStream(join(this.#whole, blob), options);
    }
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
