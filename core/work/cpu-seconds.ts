// How much CPU time it takes to encode what is made of a video ahead of time, reckoned from its plan by what encoding was
// measured to take.

import { codecOf } from '../formats/formats.ts';
import { valueOf } from '../fraction.ts';
import { segmentCount } from '../plan/grid.ts';
import { mainTrack, renditionsOf } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { StillsPlan } from '../plan/stills.ts';
import type { VideoTrack } from '../plan/tracks.ts';
import type { Work } from '../records/work.ts';

/** Medians of bench/cpu-per-rung on a 1080p30 source with camera-like noise. */
const CPU_SECONDS = {
  decodePerSourceMegapixel: 0.0008,
  // Every rung is scaled down from the source's picture; what encoding it takes then is its codec's.
  scalePerSourceMegapixel: 0.00056,
  // A tile of the storyboard where only keyframes are decoded; where all pictures are, it is a decoding of the source.
  perTileAndMegapixel: 0.022,
};

/** Of all segments, before overhead. */
export function cpuSecondsOfSegments(plan: Plan): number {
  const { decode, rungs, sound } = cpuSecondsByPart(plan);
  return [...rungs.values()].reduce((sum, seconds) => sum + seconds, rungs.size > 0 ? decode : 0) + sound;
}

/** Of a list of work, of whichever renditions. */
export function cpuSecondsOfWork(plan: Plan, work: readonly Work[]): number {
  const [whole, count] = [cpuSecondsOfSegments(plan), segmentCount(plan.grid)];
  return work.reduce((sum, { what }) => {
    if (what.kind === 'stills') return sum + cpuSecondsByPart(plan).stills;
    const share = (what.renditions?.length ?? plan.prewarm.length) / Math.max(1, plan.prewarm.length);
    return sum + (whole * share * (what.to - what.from)) / count;
  }, 0);
}

/**
 * Beside encoding there are starting processes and storing. (bench/prewarm measures 1.1, with chunks of half a minute and what
 * begins them.)
 */
const OVERHEAD = 1.05;
/** To begin a chunk takes an encoder as long as so many seconds of film: bench/scale.ts --calibrate, on 720p. */
const CHUNK_BEGINS_SECONDS = 1.5;

/** Of one item, with all that is beside encoding. */
export const cpuSecondsOfItem = (plan: Plan, item: Work): number =>
  cpuSecondsBeforeItem(plan, item) + cpuSecondsOfWork(plan, [item]) * OVERHEAD;

/** Before its first segment is begun. */
export function cpuSecondsBeforeItem(plan: Plan, { what }: Work): number {
  if (what.kind !== 'chunk') return 0;
  const { frameCount, frameRate } = plan.grid;
  return (CHUNK_BEGINS_SECONDS * cpuSecondsOfSegments(plan) * valueOf(frameRate)) / frameCount;
}

/** What the parts of encoding all that is to be made ahead of time take, before overhead. */
export function cpuSecondsByPart(plan: Plan): {
  decode: number;
  rungs: Map<string, number>;
  sound: number;
  stills: number;
} {
  const { prewarm, grid, stills } = plan;
  const picture = mainTrack(plan, 'video');
  const source = picture ? (picture.width * picture.height * grid.frameCount) / 1e6 : 0;
  const secondsOf = (kind: 'video' | 'audio'): [string, number][] =>
    renditionsOf(plan, kind)
      .filter(({ name }) => prewarm.includes(name))
      .map((rendition) => [rendition.name, codecOf(rendition).cpuSeconds(rendition, plan)]);
  return {
    decode: source * CPU_SECONDS.decodePerSourceMegapixel,
    rungs: new Map(
      secondsOf('video').map(([name, encode]) => [
        name,
        source * CPU_SECONDS.scalePerSourceMegapixel + encode,
      ]),
    ),
    sound: secondsOf('audio').reduce((sum, [, seconds]) => sum + seconds, 0),
    stills: picture && stills && prewarm.length > 0 ? cpuSecondsOfStills(picture, stills, source) : 0,
  };
}

const cpuSecondsOfStills = (picture: VideoTrack, stills: StillsPlan, sourceMegapixels: number): number =>
  stills.keyframesOnly
    ? stills.count * ((picture.width * picture.height) / 1e6) * CPU_SECONDS.perTileAndMegapixel
    : sourceMegapixels * CPU_SECONDS.decodePerSourceMegapixel;
