// Serves one source to ffmpeg on the loopback for the length of a job. ffmpeg needs no credentials that way, can be
// held to one address, and what it reads is counted. It asks for `bytes=N-` and hangs up when it has enough.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OutageError } from '../core/errors.ts';
import { parseByteRange } from '../core/byte-range.ts';
import { blockCache } from './block-cache.ts';
import type { RangeSource } from './block-cache.ts';

export type { RangeSource } from './block-cache.ts';

export interface ServedSource {
  url: string;
  /** Bytes taken from upstream so far. */
  readBytes(): number;
  /**
   * From now on; tells whether ffmpeg has mostly waited for upstream since then: what it could not do in that time says
   * nothing of the source.
   */
  watchSpeed(): () => boolean;
  /** From now on serves these bytes in place of the source's own, to whoever reads it. */
  overwrite(offset: number, bytes: Uint8Array): void;
  /** What went wrong in reading from upstream, if anything did: what ffmpeg then lacks is no fault of the source. */
  failure(): unknown;
}

/**
 * Serves `source` while `use` runs. Where reading fails for good the connection is broken, as there is no other way to
 * tell ffmpeg, which may take that for the end of the file; so it is remembered.
 * @throws the upstream's own error where reading failed (OutageError, RequestError), even if ffmpeg then failed
 *   differently or not at all: a source must not be called damaged because the store was away.
 */
export async function withRangeServer<T>(
  source: RangeSource,
  use: (served: ServedSource) => Promise<T>,
): Promise<T> {
  // Other processes on this machine can reach the port, but cannot guess the path.
  const path = `/${randomBytes(16).toString('hex')}`;
  const blocks = blockCache(source);
  const overwritten: { offset: number; bytes: Uint8Array }[] = [];
  let upstreamFailure: unknown;

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      upstreamFailure ??= error;
      response.destroy();
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Nothing will come of it any more.
    if (upstreamFailure) return void response.destroy();
    if (request.url !== path || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404).end();
      return;
    }
    const range = parseByteRange(request.headers.range, source.sizeBytes);
    // ffmpeg 4.1 skips the last chunk of a file by asking for what follows it. Refused, it would not notice that the file
    // has ended, and take what it read before for a chunk.
    if (range === 'unsatisfiable' && request.headers.range === `bytes=${source.sizeBytes}-`) {
      const [end, last] = [source.sizeBytes, source.sizeBytes - 1];
      response.writeHead(206, { 'content-length': 0, 'content-range': `bytes ${end}-${last}/${end}` }).end();
      return;
    }
    if (range === 'unsatisfiable') {
      response.writeHead(416, { 'content-range': `bytes */${source.sizeBytes}` }).end();
      return;
    }
    const { first, last } = range ?? { first: 0, last: source.sizeBytes - 1 };
    response.writeHead(range ? 206 : 200, {
      'accept-ranges': 'bytes',
      'content-length': last - first + 1,
      ...(range ? { 'content-range': `bytes ${first}-${last}/${source.sizeBytes}` } : {}),
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const hungUp = new AbortController();
    response.on('close', () => hungUp.abort());
    try {
      await send(response, first, last, hungUp.signal);
      response.end();
    } catch (error) {
      if (!hungUp.signal.aborted) throw error;
    }
  }

  async function send(
    response: ServerResponse,
    first: number,
    last: number,
    hungUp: AbortSignal,
  ): Promise<void> {
    let offset = first;
    for await (const bytes of blocks.read(first, last, hungUp)) {
      const served = overwritten.length > 0 ? withOverwritten(bytes, offset, overwritten) : bytes;
      offset += bytes.length;
      if (!response.write(served)) await once(response, 'drain', { signal: hungUp });
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening').catch((error: Error) => {
    throw new OutageError('TOOL_UNAVAILABLE', `The source cannot be served: ${error.message}`, {
      cause: error,
    });
  });
  try {
    const { port } = server.address() as AddressInfo;
    const result = await use({
      url: `http://127.0.0.1:${port}${path}`,
      readBytes: blocks.readBytes,
      watchSpeed: () => {
        const [readBytes, waitedSeconds] = [blocks.readBytes(), blocks.waitedSeconds()];
        return () => isSlow(blocks.readBytes() - readBytes, blocks.waitedSeconds() - waitedSeconds);
      },
      overwrite: (offset, bytes) => void overwritten.push({ offset, bytes }),
      failure: () => upstreamFailure,
    });
    if (upstreamFailure) throw upstreamFailure;
    return result;
  } catch (error) {
    throw upstreamFailure ?? error;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function withOverwritten(
  bytes: Uint8Array,
  at: number,
  overwritten: readonly { offset: number; bytes: Uint8Array }[],
): Uint8Array {
  const changed = Uint8Array.from(bytes);
  for (const { offset, bytes: other } of overwritten) {
    for (const [index, byte] of other.entries()) {
      const place = offset + index - at;
      if (place >= 0 && place < changed.length) changed[place] = byte;
    }
  }
  return changed;
}

/** Seconds of waiting that keep nobody from anything. */
const SHORT_WAIT_SECONDS = 2;
/** A tenth of what a function gets of S3 in one connection. */
const SLOW_BYTES_PER_SECOND = 4 * 1024 ** 2;

const isSlow = (readBytes: number, waitedSeconds: number): boolean =>
  waitedSeconds > SHORT_WAIT_SECONDS && readBytes / waitedSeconds < SLOW_BYTES_PER_SECOND;
