// A source's mezzanine: the copy by which most of it came over, of those that were made in one way after another. One way of
// copying stores the same each time; which way is best, a time limit may have decided, so the way is kept on record.

import type { Readable } from 'node:stream';
import { run } from '../../machine/ffmpeg.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { FfmpegError, OutageError, SourceError } from '../../core/errors.ts';
import { packetArguments } from '../../core/source/source-arguments.ts';
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
import type { Mezzanine } from '../../core/records/mezzanine.ts';
import type { SentPart } from '../store.ts';
import { copyOnce } from './copy.ts';
import type { CopiedSource, Copy, CopyPlaces } from './copy.ts';
import type { SandboxWorld } from '../world.ts';

/** A copy that has been sent, and is to be completed of these parts. */
export interface MadeMezzanine {
  mezzanine: Mezzanine;
  parts: SentPart[];
}

/**
 * Makes a copy that is lost, in the way in which it was made: plans that read it know how large it was.
 * @throws as `makeMezzanine`
 */
export async function makeMezzanineAgain(
  served: ServedSource,
  source: CopiedSource,
  places: CopyPlaces,
  world: SandboxWorld,
  known: Mezzanine & { way: CopyWay },
): Promise<MadeMezzanine> {
  const seconds = lostCopySeconds(source.sizeBytes, secondsLeftOf(world));
  const copy = await copyOnce(served, source, places, world, known.way, { seconds, isFirst: true });
  const { tracks } = copy;
  if (tracks.length === 0) throw new SourceError('DAMAGED');
  const { sizeBytes, parts } = await copy.complete();
  return { mezzanine: { ...known, tracks, sizeBytes }, parts };
}

/**
 * Copies in the first way that loses nothing; where there is none, in that which loses least, and says what.
 * @throws SourceError DAMAGED where not one picture and no sound could be copied; FfmpegError; OutageError TIMED_OUT where
 *   this process would be ended before the copy is made
 */
export async function makeMezzanine(
  served: ServedSource,
  source: CopiedSource,
  places: CopyPlaces,
  world: SandboxWorld,
): Promise<MadeMezzanine> {
  const { probe, sizeBytes } = source;
  const counting = countPackets(served, source, world);
  counting.catch(() => undefined); // awaited below, when the first copy has been made
  let best: ComparedCopy | undefined;
  const startedAt = performance.now();
  const secondsLeft = (): number =>
    Math.min(
      FURTHER_COPIES_SECONDS - (performance.now() - startedAt) / 1000,
      secondsForCopies(secondsLeftOf(world)),
    );
  const tried: CopyWay[] = [];
  let way: CopyWay | undefined = firstWay(probe);
  let seconds: number | undefined = firstCopySeconds(sizeBytes, secondsLeftOf(world));
  while (way && seconds !== undefined) {
    const limits = { seconds, isFirst: !best };
    const copy: ComparedCopy = await compared(
      await copyOnce(served, source, places, world, way, limits),
      way,
    );
    tried.push(way);
    const worse: ComparedCopy | undefined = best && best.lost <= copy.lost ? copy : best;
    if (worse !== copy) best = copy;
    await worse?.abandon();
    way = nextWay(best!, tried, probe);
    seconds = way && furtherCopySeconds(way, sizeBytes, secondsLeft());
  }
  // The way that was left is not tried: what there is may be good.
  if (way && best?.tracks.length === 0) throw untried(sizeBytes);
  if (!best || best.tracks.length === 0) throw new SourceError('DAMAGED');
  const { tracks, notices } = best;
  const kept = best.isCut ? null : best.way;
  const { sizeBytes: copiedBytes, parts } = await best.complete();
  return { mezzanine: { sizeBytes: copiedBytes, tracks, notices, way: kept }, parts };

  async function compared(copy: Copy, way: CopyWay): Promise<ComparedCopy> {
    const counted = await counting;
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

const secondsLeftOf = ({ secondsLeft }: SandboxWorld): number => secondsLeft?.() ?? Infinity;

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
  world: SandboxWorld,
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
