// What a video costs on AWS, reckoned from its plan: CPU seconds by what encoding was measured to take, and dollars by
// public prices (core/work/prices.ts). An estimate: functions run on other processors than ours, and prices change.
// docs/cost.md has the tables.

import { codecOf } from '../formats/formats.ts';
import { segmentCount } from '../plan/grid.ts';
import { mainTrack, renditionsOf } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { StillsPlan } from '../plan/stills.ts';
import type { VideoTrack } from '../plan/tracks.ts';
import { AWS_PRICES } from './prices.ts';
import { workFor } from './work.ts';

export interface CostEstimate {
  isEstimate: true;
  /** CPU seconds of encoding everything that is made ahead of time. */
  computeSeconds: number;
  storageBytesPerMonth: number;
  estimatedDollars: {
    /** Once: encoding, requests and state transitions. */
    preparation: number;
    /** Every month, source included. */
    storagePerMonth: number;
  };
}

/** Medians of bench/cpu-per-rung on a 1080p30 source with camera-like noise. */
const CPU_SECONDS = {
  decodePerSourceMegapixel: 0.0008,
  // Every rung is scaled down from the source's picture; what encoding it takes then is its codec's.
  scalePerSourceMegapixel: 0.00056,
  // A tile of the storyboard where only keyframes are decoded; where all pictures are, it is a decoding of the source.
  perTileAndMegapixel: 0.022,
  // Decoding from the keyframe before each chunk, starting processes, storing: bench/prewarm.
  overhead: 1.1,
};

/** Lambda gives one CPU for each 1,769 MB, so that a CPU second costs the same at every memory size. */
const GIGABYTE_SECONDS_PER_CPU_SECOND = 1769 / 1024;
// A map iteration is an execution of its own: start, one task, end.
const TRANSITIONS_PER_CHUNK = 3;
const TRANSITIONS_PER_VIDEO = 4;
const READS_PER_CHUNK = 20;

export function costEstimate(
  plan: Plan,
  stored: { sourceBytes: number; artifactBytes: number },
): CostEstimate {
  const computeSeconds = cpuSecondsOf(plan);
  const chunks = workFor('', plan).length;
  const puts = plan.prewarm.length * segmentCount(plan.grid);
  const preparation =
    computeSeconds * GIGABYTE_SECONDS_PER_CPU_SECOND * AWS_PRICES.lambdaPerGigabyteSecond +
    chunks * (AWS_PRICES.lambdaPerRequest + READS_PER_CHUNK * AWS_PRICES.s3PerGet) +
    puts * AWS_PRICES.s3PerPut +
    transitions(chunks) * AWS_PRICES.stepFunctionsPerTransition;
  const storageBytesPerMonth = stored.sourceBytes + stored.artifactBytes;
  return {
    isEstimate: true,
    computeSeconds: Math.round(computeSeconds * 10) / 10,
    storageBytesPerMonth,
    estimatedDollars: {
      preparation: toMicrodollars(preparation),
      storagePerMonth: toMicrodollars((storageBytesPerMonth / 1e9) * AWS_PRICES.s3PerGigabyteMonth),
    },
  };
}

/** Where there is no chunk, no execution is started. */
const transitions = (chunks: number): number =>
  chunks === 0 ? 0 : TRANSITIONS_PER_VIDEO + chunks * TRANSITIONS_PER_CHUNK;

function cpuSecondsOf(plan: Plan): number {
  const { decode, rungs, sound, stills } = cpuSecondsByPart(plan);
  const pictures = [...rungs.values()].reduce((sum, seconds) => sum + seconds, rungs.size > 0 ? decode : 0);
  return (pictures + sound + stills) * CPU_SECONDS.overhead;
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
      .map((rendition) => [rendition.name, codecOf(rendition).cpuSeconds(rendition, grid)]);
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

const toMicrodollars = (dollars: number): number => Math.round(dollars * 1e6) / 1e6;
