// What a video costs on AWS, reckoned from its plan: CPU seconds by what encoding was measured to take, and dollars by
// public prices. An estimate: functions run on other processors than ours, and prices change. docs/cost.md has the tables.

import type { Plan } from './plan.ts';
import { durationSeconds, segmentCount } from './segments.ts';
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
  // Every rung is scaled down from the source's picture, then encoded at its own size.
  scalePerSourceMegapixel: 0.00056,
  encodePerMegapixel: 0.0088,
  perSecondOfSound: 0.014,
  // A tile of the storyboard where only keyframes are decoded; where all pictures are, it is a decoding of the source.
  perTileAndMegapixel: 0.022,
  // Decoding from the keyframe before each chunk, starting processes, storing: bench/prewarm.
  overhead: 1.1,
};

/** us-east-1, list prices without free tier, as of November 2026. */
export const PRICES = {
  lambdaPerGigabyteSecond: { x86_64: 0.0000166667, arm64: 0.0000133334 },
  lambdaPerRequest: 0.2e-6,
  s3PerGigabyteMonth: 0.023,
  s3PerPut: 5e-6,
  s3PerGet: 0.4e-6,
  stepFunctionsPerTransition: 25e-6,
} as const;

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
    computeSeconds * GIGABYTE_SECONDS_PER_CPU_SECOND * PRICES.lambdaPerGigabyteSecond.x86_64 +
    chunks * (PRICES.lambdaPerRequest + READS_PER_CHUNK * PRICES.s3PerGet) +
    puts * PRICES.s3PerPut +
    (TRANSITIONS_PER_VIDEO + chunks * TRANSITIONS_PER_CHUNK) * PRICES.stepFunctionsPerTransition;
  const storageBytesPerMonth = stored.sourceBytes + stored.artifactBytes;
  return {
    isEstimate: true,
    computeSeconds: Math.round(computeSeconds * 10) / 10,
    storageBytesPerMonth,
    estimatedDollars: {
      preparation: toMicrodollars(preparation),
      storagePerMonth: toMicrodollars((storageBytesPerMonth / 1e9) * PRICES.s3PerGigabyteMonth),
    },
  };
}

function cpuSecondsOf(plan: Plan): number {
  const { video, audio, prewarm, grid } = plan;
  const rungs = video?.renditions.filter(({ name }) => prewarm.includes(name)) ?? [];
  const megapixelsOf = ({ width, height }: { width: number; height: number }) =>
    (width * height * grid.frameCount) / 1e6;
  const source = video ? megapixelsOf(video) : 0;
  const pictures =
    rungs.length === 0
      ? 0
      : source * (CPU_SECONDS.decodePerSourceMegapixel + rungs.length * CPU_SECONDS.scalePerSourceMegapixel) +
        rungs.reduce((sum, rung) => sum + megapixelsOf(rung), 0) * CPU_SECONDS.encodePerMegapixel;
  const sound =
    audio && prewarm.includes(audio.name) ? durationSeconds(plan) * CPU_SECONDS.perSecondOfSound : 0;
  return (
    (pictures + sound + (prewarm.length > 0 ? cpuSecondsOfStills(plan, source) : 0)) * CPU_SECONDS.overhead
  );
}

function cpuSecondsOfStills({ video, stills }: Plan, sourceMegapixels: number): number {
  if (!video || !stills) return 0;
  return stills.keyframesOnly
    ? stills.count * ((video.width * video.height) / 1e6) * CPU_SECONDS.perTileAndMegapixel
    : sourceMegapixels * CPU_SECONDS.decodePerSourceMegapixel;
}

const toMicrodollars = (dollars: number): number => Math.round(dollars * 1e6) / 1e6;
