// What a video costs on AWS, reckoned from its plan: CPU seconds by what encoding was measured to take, and dollars by
// public prices (core/work/prices.ts). An estimate: functions run on other processors than ours, and prices change.
// docs/cost.md has the tables.

import { segmentCount } from '../plan/grid.ts';
import type { Plan } from '../plan/plan.ts';
import { DEFAULT_SANDBOX_MEMORY_MB, PREWARM_BROKER_MEMORY_MB } from '../sandboxes.ts';
import { cpuSecondsOfItem } from './cpu-seconds.ts';
import { AWS_PRICES } from './prices.ts';
import { DEFAULT_PREWARM_CONCURRENCY } from './lanes.ts';
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

/** Lambda gives one CPU for each 1,769 MB, so that a CPU second costs the same at every memory size. */
const MEGABYTES_PER_PROCESSOR = 1769;
/** While sandboxes encode, their worker waits: for as many as there are lanes (core/work/lanes.ts). */
const GIGABYTE_SECONDS_PER_CPU_SECOND =
  ((DEFAULT_SANDBOX_MEMORY_MB + PREWARM_BROKER_MEMORY_MB / DEFAULT_PREWARM_CONCURRENCY) /
    DEFAULT_SANDBOX_MEMORY_MB) *
  (MEGABYTES_PER_PROCESSOR / 1024);
/** Where a video is alone a worker is called for it: start, one task, whether more is left, end. */
const TRANSITIONS_PER_VIDEO = 4;
/** The queue is read and written when a list comes, and then for each item: the last is settled by one more. */
const QUEUE_STEPS = { perVideo: 3, perChunk: 1 };
/** Of the source, piece by piece; and of the plan, before and after. */
const READS_PER_CHUNK = 20;

export function costEstimate(
  plan: Plan,
  stored: { sourceBytes: number; artifactBytes: number },
): CostEstimate {
  const work = workFor('', plan);
  const computeSeconds = work.reduce((sum, item) => sum + cpuSecondsOfItem(plan, item), 0);
  const chunks = work.length;
  const puts = plan.prewarm.length * segmentCount(plan.grid);
  // What there is of a chunk is listed, rendition by rendition, which S3 charges like a PUT; whether another has stored a
  // segment meanwhile, its own PUT tells.
  const lists = plan.prewarm.length * chunks;
  const steps = chunks === 0 ? 0 : QUEUE_STEPS.perVideo + chunks * QUEUE_STEPS.perChunk;
  const preparation =
    computeSeconds * GIGABYTE_SECONDS_PER_CPU_SECOND * AWS_PRICES.lambdaPerGigabyteSecond +
    chunks * (AWS_PRICES.lambdaPerRequest + READS_PER_CHUNK * AWS_PRICES.s3PerGet) +
    (puts + lists + steps) * AWS_PRICES.s3PerPut +
    steps * AWS_PRICES.s3PerGet +
    (chunks === 0 ? 0 : TRANSITIONS_PER_VIDEO) * AWS_PRICES.stepFunctionsPerTransition;
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

const toMicrodollars = (dollars: number): number => Math.round(dollars * 1e6) / 1e6;
