// Copies a source into its mezzanine in one pass, straight into the store: neither this machine's memory nor its disk
// ever holds more than a few pieces of it. Until the last piece is stored nothing is there. One way of
// copying stores the same each time; which way is best, a time limit may have decided, so the way is kept on record.

import type { Readable } from 'node:stream';
import { run } from '../../machine/ffmpeg.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { withStreamServer } from '../../machine/stream-server.ts';
import { FfmpegError, OutageError, SourceError } from '../../core/errors.ts';
import { mezzanineArguments, packetArguments } from '../../core/source/source-arguments.ts';
import { mezzanineKey, mezzanineRecordKey } from '../../core/artifacts/keys.ts';
import { isCopiedHere } from '../../core/source/bare/copier.ts';
import {
  FURTHER_COPIES_SECONDS,
  LARGEST_LOSSLESS_SOURCE_BYTES,
  furtherCopySeconds,
  pieceBytesOf,
  readingSeconds,
} from '../../core/source/copy-limits.ts';
import { lacksOf, lossNotices, lossesOf, totalLoss } from '../../core/source/copy-losses.ts';
import type { CopiedTracks } from '../../core/source/copy-losses.ts';
import { firstWay, nextWay } from '../../core/source/copy-ways.ts';
import type { CopyWay, Lacks } from '../../core/source/copy-ways.ts';
import { runsApart } from '../../core/source/fragment-runs.ts';
import { matroskaIndexer } from '../../core/source/matroska.ts';
import type { IndexedTrack } from '../../core/source/matroska.ts';
import { packetListing } from '../../core/source/packet-listing.ts';
import type { CountedPackets } from '../../core/source/packet-times.ts';
import type { Notice } from '../../core/notices.ts';
import type { Probe } from '../../core/source/probe.ts';
import { MEZZANINE } from '../../core/records/mezzanine.ts';
import type { Mezzanine } from '../../core/records/mezzanine.ts';
import { copyOfBareStream } from './bare-stream.ts';
import { unlessDeleted } from '../life/delete-video.ts';
import { logFailure } from '../observe.ts';
import { readRecord, updateRecord } from '../store.ts';
import type { ObjectUpload } from '../store.ts';
import type { World } from '../world.ts';

interface Source {
  probe: Probe;
  sizeBytes: number;
  etag: string;
}

/**
 * A source's mezzanine: the one that was made when the video was first planned, or one made now.
 * @throws SourceError DAMAGED where not one picture and no sound could be copied; FfmpegError
 */
export async function mezzanineOf(
  id: string,
  served: ServedSource,
  source: Source,
  world: World,
): Promise<Mezzanine> {
  const { etag } = source;
  const [known, stored] = await Promise.all([
    readRecord(world.media, MEZZANINE, mezzanineRecordKey(id, etag)),
    world.media.head(mezzanineKey(id, etag)),
  ]);
  if (known && stored?.sizeBytes === known.sizeBytes) return known;
  // Plans that read the lost copy know how large it was.
  const made = known?.way
    ? await makeAgain(id, served, source, world, { ...known, way: known.way })
    : await makeMezzanine(id, served, source, world);
  await updateRecord(world.media, MEZZANINE, mezzanineRecordKey(id, etag), () => made);
  await unlessDeleted(id, world);
  return made;
}

/** Makes a copy that is lost, in the way in which it was made. */
async function makeAgain(
  id: string,
  served: ServedSource,
  source: Source,
  world: World,
  known: Mezzanine & { way: CopyWay },
): Promise<Mezzanine> {
  const seconds = Math.max(FURTHER_COPIES_SECONDS, readingSeconds(source.sizeBytes));
  const copy = await copyOnce(id, served, source, world, known.way, { seconds, isFirst: true });
  const { tracks } = copy;
  if (tracks.length > 0) return { ...known, tracks, sizeBytes: await completed(copy) };
  await copy.abort();
  throw new SourceError('DAMAGED');
}

async function completed(copy: Copy): Promise<number> {
  return copy.complete().catch(async (error: unknown) => {
    await copy.abort();
    throw error;
  });
}

/** Copies in the first way that loses nothing; where there is none, in that which loses least, and says what. */
async function makeMezzanine(
  id: string,
  served: ServedSource,
  source: Source,
  world: World,
): Promise<Mezzanine> {
  const { probe, sizeBytes } = source;
  const counting = countPackets(served, source, world);
  counting.catch(() => undefined); // awaited below, when the first copy has been made
  let best: ComparedCopy | undefined;
  const startedAt = performance.now();
  const secondsLeft = (): number => FURTHER_COPIES_SECONDS - (performance.now() - startedAt) / 1000;
  try {
    const tried: CopyWay[] = [];
    let way: CopyWay | undefined = firstWay(probe);
    let seconds: number | undefined = readingSeconds(sizeBytes);
    while (way && seconds !== undefined) {
      const limits = { seconds, isFirst: !best };
      const copy: ComparedCopy = await compared(await copyOnce(id, served, source, world, way, limits), way);
      tried.push(way);
      const worse: ComparedCopy | undefined = best && best.lost <= copy.lost ? copy : best;
      if (worse !== copy) best = copy;
      await worse?.abort();
      way = nextWay(best!, tried, probe);
      seconds = way && furtherCopySeconds(way, sizeBytes, secondsLeft());
    }
    // The way that was left is not tried: what there is may be good.
    if (way && best?.tracks.length === 0) throw untried(sizeBytes);
    if (!best || best.tracks.length === 0) throw new SourceError('DAMAGED');
    const { tracks, notices } = best;
    const kept = best.isCut ? null : best.way;
    return { sizeBytes: await best.complete(), tracks, notices, way: kept };
  } catch (error) {
    await best?.abort();
    throw error;
  }

  async function compared(copy: Copy, way: CopyWay): Promise<ComparedCopy> {
    const counted = await counting.catch(async (error: unknown) => {
      await copy.abort();
      throw error;
    });
    const losses = counted ? lossesOf(probe, counted, copy, way) : [];
    return {
      ...{ ...copy, way },
      lacks: lacksOf(losses),
      lost: copy.tracks.length === 0 ? Infinity : totalLoss(losses),
      notices: lossNotices(losses, copy.tracks),
    };
  }
}

const untried = (sizeBytes: number): Error =>
  sizeBytes > LARGEST_LOSSLESS_SOURCE_BYTES
    ? new SourceError('UNREADABLE')
    : new OutageError('TIMED_OUT', 'copy of the source into a mezzanine: no time is left to decode it');

/** Counts what the source holds; undefined where that cannot be told to its end, so that no copy is held against it. */
async function countPackets(
  { url, failure }: ServedSource,
  { probe, sizeBytes }: Source,
  { tools, settings }: World,
): Promise<((streamIndex: number) => CountedPackets) | undefined> {
  const listing = packetListing(probe.video?.index, probe.audio?.index);
  const isCounted = await run(tools.binaries.ffprobePath, packetArguments(url, probe, settings), {
    task: 'count of the packets of the source',
    line: 'reading',
    timeoutSeconds: readingSeconds(sizeBytes),
    maxFileBytes: 0,
    maxMemoryBytes: settings.probeMemoryBytes,
    output: async (stdout: Readable) => {
      for await (const bytes of stdout as AsyncIterable<Buffer>) listing.push(bytes.toString('latin1'));
    },
  }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof FfmpegError) return false;
      throw error;
    },
  );
  if (failure()) throw failure();
  return isCounted ? listing.counted : undefined;
}

interface Copy extends CopiedTracks {
  tracks: IndexedTrack[];
  /** Whether it ended where its time did. */
  isCut: boolean;
  /** Stores it; resolves with its size. */
  complete(): Promise<number>;
  abort(): Promise<void>;
}

interface ComparedCopy extends Copy {
  way: CopyWay;
  lacks: Lacks;
  /** In seconds. */
  lost: number;
  notices: Notice[];
}

/**
 * Copies in one way, and leaves it to the caller whether that is kept. Without tracks it has come to nothing.
 * @param isFirst whether there is nothing yet to fall back on
 * @throws OutageError TIMED_OUT where the first copy is not made in time
 */
async function copyOnce(
  id: string,
  { url: sourceUrl, failure }: ServedSource,
  { probe, sizeBytes, etag }: Source,
  world: World,
  way: CopyWay,
  { seconds: timeoutSeconds, isFirst }: { seconds: number; isFirst: boolean },
): Promise<Copy> {
  const { settings, tools } = world;
  const isEncoded = way.picture === 'lossless';
  const upload = await world.media.upload(mezzanineKey(id, etag), { contentType: 'video/x-matroska' });
  const indexer = matroskaIndexer();
  const pieces = inPieces(upload, pieceBytesOf(way, sizeBytes));
  const abort = async (): Promise<void> => {
    // Where the store is away its own rules remove what lies there unfinished.
    await upload.abort().catch((unfinished: unknown) => logFailure(id, unfinished));
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
        line: isEncoded ? 'viewers' : 'reading',
        timeoutSeconds,
        maxFileBytes: 0,
        maxMemoryBytes: settings.encodeMemoryBytes,
        output: (stdout: Readable) => keep(stdout as AsyncIterable<Buffer>),
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
      return { tracks: [], times: [], isCut, complete: () => Promise.resolve(0), abort };
    const { head, index, tracks, times } = indexer.end();
    return { tracks, times, isCut, complete: () => pieces.complete(head, index), abort };
  } catch (error) {
    await abort();
    throw failure() ?? error;
  }
}

/** All bytes of a served source. */
async function* wholeOf(sourceUrl: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { body } = await fetch(sourceUrl, { signal });
  yield* body as AsyncIterable<Uint8Array>;
}

/** Collects bytes into pieces of one size. The first waits for the head, which is known last. */
function inPieces(upload: ObjectUpload, pieceBytes: number) {
  let [waiting, waitingBytes]: [Uint8Array[], number] = [[], 0];
  let first: Uint8Array | undefined;
  let [next, total] = [2, 0];
  let underWay: Promise<void> = Promise.resolve();

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
    underWay = upload.part(next, piece);
    underWay.catch(() => undefined); // reported when the next one is to go
    next += 1;
  }

  return {
    async add(bytes: Uint8Array, headBytes: number): Promise<void> {
      waiting.push(bytes);
      waitingBytes += bytes.length;
      if (waitingBytes + (first ? 0 : headBytes) >= pieceBytes) await flush();
    },
    async complete(head: Uint8Array, index: Uint8Array): Promise<number> {
      waiting.push(index);
      await flush();
      await underWay;
      await upload.part(1, Buffer.concat([head, first!]));
      await upload.complete();
      return total + head.length;
    },
  };
}
