// One copy of a source, sent piece by piece to where it is granted a place: neither this machine's memory nor its disk ever
// holds more than a few pieces of it. Until all is sent, and whoever granted the place completes it, nothing is there.

import type { Readable } from 'node:stream';
import { run } from '../../machine/ffmpeg.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { withStreamServer } from '../../machine/stream-server.ts';
import { FfmpegError, OutageError } from '../../core/errors.ts';
import { mezzanineArguments } from '../../core/source/source-arguments.ts';
import { isCopiedHere } from '../../core/source/bare/copier.ts';
import { MOST_PIECES, pieceBytesOf } from '../../core/source/copy-limits.ts';
import type { CopiedTracks } from '../../core/source/copy-losses.ts';
import type { CopyWay } from '../../core/source/copy-ways.ts';
import { decodingLog } from '../../core/source/decoding-log.ts';
import type { Fault, LaterStream } from '../../core/source/decoding-log.ts';
import { runsApart } from '../../core/source/fragment-runs.ts';
import { matroskaIndexer } from '../../core/source/matroska.ts';
import type { IndexedTrack } from '../../core/source/matroska.ts';
import type { Probe } from '../../core/source/probe.ts';
import { copyOfBareStream } from './bare-stream.ts';
import type { ObjectUpload, SentPart } from '../store.ts';
import type { SandboxWorld } from '../world.ts';

/** What is copied. */
export interface CopiedSource {
  probe: Probe;
  sizeBytes: number;
}

export interface Copy extends CopiedTracks {
  tracks: IndexedTrack[];
  /** Whether it ended where its time did. */
  isCut: boolean;
  /** What could not be decoded of the tracks that were decoded on the way. */
  faults: Fault[];
  /** Tracks that nobody knew of when copying began. */
  laterStreams: LaterStream[];
  /** Sends the rest of it; resolves with its size, and with the pieces that it consists of. */
  complete(): Promise<CompleteCopy>;
  /** Forgets it, and gives its place to another. */
  abandon(): Promise<void>;
}

export interface CompleteCopy {
  sizeBytes: number;
  parts: SentPart[];
}

/** Places for the pieces of two copies, of which one is compared with the other; each has numbers of its own. */
export interface CopyPlaces {
  take(): CopyPlace;
}

export interface CopyPlace {
  /** @param number from 1, up to `MOST_PIECES` */
  send(number: number, bytes: Uint8Array): Promise<SentPart>;
  free(): void;
}

const PLACES = 2;

export function copyPlaces(upload: Pick<ObjectUpload, 'part'>): CopyPlaces {
  const free = Array.from({ length: PLACES }, (_, place) => place);
  return {
    take() {
      const place = free.shift();
      if (place === undefined) throw new Error('a third copy was begun');
      return {
        send: (number, bytes) => upload.part(place * MOST_PIECES + number, bytes),
        free: () => void free.push(place),
      };
    },
  };
}

/**
 * Copies in one way, and leaves it to the caller whether that is kept. Without tracks it has come to nothing.
 * @param isFirst whether there is nothing yet to fall back on
 * @throws OutageError TIMED_OUT where the first copy is not made in time
 */
export async function copyOnce(
  { url: sourceUrl, failure }: ServedSource,
  { probe, sizeBytes }: CopiedSource,
  places: CopyPlaces,
  world: SandboxWorld,
  way: CopyWay,
  { seconds: timeoutSeconds, isFirst }: { seconds: number; isFirst: boolean },
): Promise<Copy> {
  const { settings, tools } = world;
  const isEncoded = way.picture !== 'copy';
  const place = places.take();
  const indexer = matroskaIndexer();
  const log = decodingLog([
    ...(probe.video && isEncoded ? [probe.video.index] : []),
    ...(probe.audio && way.sound !== 'copy' ? [probe.audio.index] : []),
  ]);
  const pieces = inPieces(place, pieceBytesOf(way, sizeBytes));
  const abandon = async (): Promise<void> => {
    // A piece that came late would take the place of one of the next copy.
    await pieces.settled();
    place.free();
  };
  try {
    const keep = async (copy: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const bytes of copy) {
        for (const piece of indexer.push(bytes)) await pieces.add(piece, indexer.headBytes()!);
      }
    };
    const byFfmpeg = (url: string) =>
      run(tools.binaries.ffmpegPath, mezzanineArguments(url, probe, way, settings), {
        task: 'copy of the source into a mezzanine',
        line: isEncoded ? 'viewers' : 'copying',
        timeoutSeconds,
        maxFileBytes: 0,
        maxMemoryBytes: settings.encodeMemoryBytes,
        output: (stdout: Readable) => keep(stdout as AsyncIterable<Buffer>),
        listener: log,
      });
    const copying = async (): Promise<unknown> => {
      if (isCopiedHere(probe.format) && way.picture === 'copy') {
        return keep(copyOfBareStream(sourceUrl, probe, timeoutSeconds));
      }
      if (way.reading === 'as it is') return byFfmpeg(sourceUrl);
      return withStreamServer((signal) => runsApart(wholeOf(sourceUrl, signal)), byFfmpeg);
    };
    let isCut = false;
    await copying().catch((error: unknown) => {
      // Where a source is damaged ffmpeg may give up; what came before that is compared like any other copy.
      if (error instanceof FfmpegError && !(isFirst && error.signal)) return;
      // There is a copy, if one that lacks something: that is worth more than one that is never finished.
      isCut = !isFirst && error instanceof OutageError && error.code === 'TIMED_OUT';
      if (isCut) return;
      throw error;
    });
    // What was cut short by the store is no copy.
    if (failure()) throw failure();
    if (indexer.headBytes() === undefined)
      return {
        tracks: [],
        times: [],
        faults: [],
        laterStreams: [],
        isCut,
        complete: () => Promise.resolve({ sizeBytes: 0, parts: [] }),
        abandon,
      };
    const { head, index, tracks, times } = indexer.end();
    const heard = { faults: log.faults(), laterStreams: log.laterStreams() };
    return { tracks, times, isCut, ...heard, complete: () => pieces.complete(head, index), abandon };
  } catch (error) {
    await abandon();
    throw failure() ?? error;
  }
}

/** All bytes of a served source. */
async function* wholeOf(sourceUrl: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { body } = await fetch(sourceUrl, { signal });
  yield* body as AsyncIterable<Uint8Array>;
}

/** Collects bytes into pieces of one size. The first waits for the head, which is known last. */
function inPieces({ send }: CopyPlace, pieceBytes: number) {
  let [waiting, waitingBytes]: [Uint8Array[], number] = [[], 0];
  let first: Uint8Array | undefined;
  let [next, total] = [2, 0];
  const parts: SentPart[] = [];
  let underWay: Promise<unknown> = Promise.resolve();

  async function flush(): Promise<void> {
    const piece = Buffer.concat(waiting);
    [waiting, waitingBytes] = [[], 0];
    total += piece.length;
    if (!first) {
      first = piece;
      return;
    }
    // One is on its way while the next is being filled.
    await underWay;
    underWay = send(next, piece).then((part) => parts.push(part));
    underWay.catch(() => undefined); // reported when the next one is to go
    next += 1;
  }

  return {
    async add(bytes: Uint8Array, headBytes: number): Promise<void> {
      waiting.push(bytes);
      waitingBytes += bytes.length;
      if (waitingBytes + (first ? 0 : headBytes) >= pieceBytes) await flush();
    },
    async complete(head: Uint8Array, index: Uint8Array): Promise<CompleteCopy> {
      waiting.push(index);
      await flush();
      await underWay;
      parts.push(await send(1, Buffer.concat([head, first!])));
      return { sizeBytes: total + head.length, parts };
    },
    /** When nothing of it is on its way. */
    settled: () => underWay.catch(() => undefined),
  };
}
