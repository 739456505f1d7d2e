// Serves one source to ffmpeg on the loopback for the length of a job. ffmpeg needs no credentials that way, can be
// held to one address, and what it reads is counted. It asks for `bytes=N-` and hangs up when it has enough.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseByteRange } from '../core/byte-range.ts';
import type { RangeSource } from './block-cache.ts';
import { openBlockCache } from './kept-blocks.ts';
import { sendAll, withLoopbackServer } from './loopback-server.ts';

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
 * Serves `source` while `use` runs.
 * @throws the upstream's own error where reading failed (OutageError, RequestError), even if ffmpeg then failed
 *   differently or not at all: a source must not be called damaged because the store was away.
 */
export async function withRangeServer<T>(
  source: RangeSource,
  use: (served: ServedSource) => Promise<T>,
): Promise<T> {
  const blocks = openBlockCache(source);
  const overwritten: Overwritten[] = [];
  const { sizeBytes } = source;

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    hungUp: AbortSignal,
  ): Promise<void> {
    const range = parseByteRange(request.headers.range, sizeBytes);
    // As in a file, one may go beyond the end, and reads nothing there. Refused, ffmpeg 4.1 would not notice that the file
    // has ended: it would take what it read before for the chunk that comes last, and try forever a packet that a damaged
    // index puts there.
    const [, beyond] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    if (range === 'unsatisfiable' && beyond !== undefined) {
      const contentRange = `bytes ${beyond}-${BigInt(beyond) - 1n}/${sizeBytes}`;
      response.writeHead(206, { 'content-length': 0, 'content-range': contentRange }).end();
      return;
    }
    if (range === 'unsatisfiable') {
      response.writeHead(416, { 'content-range': `bytes */${sizeBytes}` }).end();
      return;
    }
    const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
    response.writeHead(range ? 206 : 200, {
      'accept-ranges': 'bytes',
      'content-length': last - first + 1,
      ...(range ? { 'content-range': `bytes ${first}-${last}/${sizeBytes}` } : {}),
    });
    if (request.method === 'HEAD') response.end();
    else await sendAll(bytesOf(first, last, hungUp), response, hungUp);
  }

  async function* bytesOf(first: number, last: number, hungUp: AbortSignal): AsyncGenerator<Uint8Array> {
    let offset = first;
    for await (const bytes of blocks.read(first, last, hungUp)) {
      yield overwritten.length > 0 ? withOverwritten(bytes, offset, overwritten) : bytes;
      offset += bytes.length;
    }
  }

  return withLoopbackServer(answer, ({ url, failure }) =>
    use({
      ...{ url, failure },
      readBytes: blocks.readBytes,
      watchSpeed: () => {
        const [readBytes, waitedSeconds] = [blocks.readBytes(), blocks.waitedSeconds()];
        return () => isSlow(blocks.readBytes() - readBytes, blocks.waitedSeconds() - waitedSeconds);
      },
      overwrite: (offset, bytes) => void overwritten.push({ offset, bytes }),
    }),
  ).finally(blocks.release);
}

interface Overwritten {
  offset: number;
  bytes: Uint8Array;
}

function withOverwritten(bytes: Uint8Array, at: number, overwritten: readonly Overwritten[]): Uint8Array {
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
