// A source's mezzanine: the copy by which most of it came over, of those that were made in one way after another. One way of
// copying stores the same each time; which way is best, a time limit may have decided, so the way is kept on record.

import type { Readable } from 'node:stream';
import { run } from '../../machine/ffmpeg.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { FfmpegError, OutageError, SOURCE_ERROR_SENTENCES, SourceError } from '../../core/errors.ts';
import { packetArguments } from '../../core/source/source-arguments.ts';
import { mezzanineKey, mezzanineRecordKey } from '../../core/artifacts/keys.ts';
import {
  FURTHER_COPIES_SECONDS,
  LARGEST_LOSSLESS_SOURCE_BYTES,
  firstCopySeconds,
  furtherCopySeconds,
  lostCopySeconds,
  secondsForCopies,
} from '../../core/source/copy-limits.ts';
import {
  faultNotices,
  lacksOf,
  laterNotices,
  lossNotices,
  lossesOf,
  totalLoss,
} from '../../core/source/copy-losses.ts';
import { firstWay, nextWay } from '../../core/source/copy-ways.ts';
import type { CopyWay, Lacks } from '../../core/source/copy-ways.ts';
import { packetListing, saysDamaged } from '../../core/source/packet-listing.ts';
import type { CountedPackets } from '../../core/source/packet-times.ts';
import { notice } from '../../core/notices.ts';
import type { Notice } from '../../core/notices.ts';
import { MEZZANINE } from '../../core/records/mezzanine.ts';
import type { Mezzanine } from '../../core/records/mezzanine.ts';
import { copyOnce } from './copy.ts';
import type { CopiedSource, Copy } from './copy.ts';
import { unlessDeleted } from '../life/delete-video.ts';
import { readRecord, updateRecord } from '../store.ts';
import type { World } from '../world.ts';

/**
 * A source's mezzanine: the one that was made when the video was first planned, or one made now.
 * @throws SourceError DAMAGED where not one picture and no sound could be copied, TOO_LARGE_TO_COPY; FfmpegError;
 *   OutageError TIMED_OUT where this process would be ended before the copy is made
 */
export async function mezzanineOf(
  id: string,
  served: ServedSource,
  source: CopiedSource,
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
  source: CopiedSource,
  world: World,
  known: Mezzanine & { way: CopyWay },
): Promise<Mezzanine> {
  const seconds = lostCopySeconds(source.sizeBytes, secondsLeftOf(world));
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
  source: CopiedSource,
  world: World,
): Promise<Mezzanine> {
  const { probe, sizeBytes } = source;
  const { maxCopiedBytes } = world.settings;
  if (sizeBytes > maxCopiedBytes) throw tooLargeToCopy(sizeBytes, maxCopiedBytes);
  const counting = countPackets(served, source, world);
  counting.catch(() => undefined); // awaited below, when the first copy has been made
  let best: ComparedCopy | undefined;
  const startedAt = performance.now();
  const secondsLeft = (): number =>
    Math.min(
      FURTHER_COPIES_SECONDS - (performance.now() - startedAt) / 1000,
      secondsForCopies(secondsLeftOf(world)),
    );
  try {
    const tried: CopyWay[] = [];
    let way: CopyWay | undefined = firstWay(probe);
    let seconds: number | undefined = firstCopySeconds(sizeBytes, secondsLeftOf(world));
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
    const losses = counted ? lossesOf(probe, counted.of, copy, way) : [];
    const notices = lossNotices(losses, copy.tracks);
    return {
      ...{ ...copy, way },
      lacks: lacksOf(losses),
      lost: copy.tracks.length === 0 ? Infinity : totalLoss(losses),
      notices: [
        ...notices,
        ...faultNotices(copy.faults, probe, way, notices),
        ...laterNotices(copy.laterStreams, probe),
        ...(counted?.isDamaged && notices.length === 0 ? [notice('MEDIA_LOST', null)] : []),
      ],
    };
  }
}

const secondsLeftOf = ({ secondsLeft }: World): number => secondsLeft?.() ?? Infinity;

function tooLargeToCopy(sizeBytes: number, maxCopiedBytes: number): SourceError {
  const [has, most] = [sizeBytes, maxCopiedBytes].map((bytes) => (bytes / 1024 ** 3).toFixed(1));
  return new SourceError(
    'TOO_LARGE_TO_COPY',
    `${SOURCE_ERROR_SENTENCES.TOO_LARGE_TO_COPY} (It has ${has} GiB; without an index, ${most} are taken.)`,
  );
}

const untried = (sizeBytes: number): Error =>
  sizeBytes > LARGEST_LOSSLESS_SOURCE_BYTES
    ? new SourceError('UNREADABLE')
    : new OutageError('TIMED_OUT', 'copy of the source into a mezzanine: no time is left to decode it');

interface Counted {
  of(streamIndex: number): CountedPackets;
  /** Whether the demuxer met something that it could not read. */
  isDamaged: boolean;
}

/** Counts what the source holds; undefined where that cannot be told to its end, so that no copy is held against it. */
async function countPackets(
  { url, failure }: ServedSource,
  { probe, sizeBytes }: CopiedSource,
  world: World,
): Promise<Counted | undefined> {
  const { tools, settings } = world;
  const listing = packetListing(probe);
  let isDamaged = false;
  const push = (said: string): string => {
    isDamaged ||= saysDamaged(said, probe);
    return said;
  };
  const isCounted = await run(tools.binaries.ffprobePath, packetArguments(url, probe, settings), {
    task: 'count of the packets of the source',
    line: 'copying',
    timeoutSeconds: firstCopySeconds(sizeBytes, secondsLeftOf(world)),
    maxFileBytes: 0,
    maxMemoryBytes: settings.probeMemoryBytes,
    listener: { options: [], push },
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
  return isCounted ? { of: listing.counted, isDamaged } : undefined;
}

interface ComparedCopy extends Copy {
  way: CopyWay;
  lacks: Lacks;
  /** In seconds. */
  lost: number;
  notices: Notice[];
}
