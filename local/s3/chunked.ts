// The aws-chunked encoding: a body in chunks `size\r\nbytes\r\n`, a last one of size 0, then trailers such
// as the checksum of what went before. The SDK sends streams so, for it cannot know their checksum beforehand.
// Source: AWS, "Signature calculations with trailing headers".

import { S3Error } from './errors.ts';

const MAX_LINE_BYTES = 4096;

/** The bytes inside; when they end, `trailers` holds what followed them (names in lower case). */
export async function* unchunked(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const input = new LinesAndBytes(source);
  for (;;) {
    const size = /^([0-9a-f]{1,12})(;|$)/i.exec(await input.line())?.[1];
    if (size === undefined) throw new S3Error('IncompleteBody', 'A chunk does not begin with its size.');
    if (parseInt(size, 16) === 0) break;
    yield* input.bytes(parseInt(size, 16));
    if ((await input.line()) !== '') throw new S3Error('IncompleteBody', 'A chunk is longer than its size.');
  }
  for (let line = await input.line(); line !== ''; line = await input.line()) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new S3Error('MalformedTrailerError');
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

class LinesAndBytes {
  #source: AsyncIterator<Buffer>;
  #pending: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#pending.toString('latin1', 0, end);
        this.#pending = this.#pending.subarray(end + 2);
        return line;
      }
      if (this.#pending.length > MAX_LINE_BYTES) throw new S3Error('IncompleteBody', 'A chunk has no size.');
      this.#pending = Buffer.concat([this.#pending, await this.#more()]);
    }
  }

  async *bytes(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      if (this.#pending.length === 0) this.#pending = await this.#more();
      const taken = this.#pending.subarray(0, left);
      this.#pending = this.#pending.subarray(taken.length);
      left -= taken.length;
      yield taken;
    }
  }

  async #more(): Promise<Buffer> {
    const { done, value } = await this.#source.next();
    if (done) throw new S3Error('IncompleteBody', 'The body ends inside a chunk.');
    return value;
  }
}
