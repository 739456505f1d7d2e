// What a video costs on AWS, reckoned from its plan: CPU seconds by what encoding was measured to take, and dollars by
// public prices (core/work/prices.ts). An estimate: functions run on other processors than ours, and prices change.
// docs/cost.md has the tables.

import { segmentCount } from '../plan/grid.ts';
import type { Plan } from '../plan/plan.ts';
import { DEFAULT_SANDBOX_MEMORY_MB, PREWARM_BROKER_MEMORY_MB } from '../sandboxes.ts';
import { cpuSecondsByPart, cpuSecondsOfSegments } from './cpu-seconds.ts';
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

/** Decoding from the keyframe before each chunk, starting processes, storing: bench/prewarm. */
const OVERHEAD = 1.1;

/** Lambda gives one CPU for each 1,769 MB, so that a CPU second costs the same at every memory size. */
const MEGABYTES_PER_PROCESSOR = 1769;
/** While a sandbox encodes, whoever has asked for it waits. */
const GIGABYTE_SECONDS_PER_CPU_SECOND =
  ((DEFAULT_SANDBOX_MEMORY_MB + PREWARM_BROKER_MEMORY_MB) / DEFAULT_SANDBOX_MEMORY_MB) *
  (MEGABYTES_PER_PROCESSOR / 1024);
/** One that waits, and a sandbox. */
const CALLS_PER_CHUNK = 2;
// A map iteration is an execution of its own: start, one task, end.
const TRANSITIONS_PER_CHUNK = 3;
const TRANSITIONS_PER_VIDEO = 4;
/** Of the source, piece by piece; and of the plan, before and after. */
const READS_PER_CHUNK = 20;

export function costEstimate(
  plan: Plan,
  stored: { sourceBytes: number; artifactBytes: number },
): CostEstimate {
  const computeSeconds = cpuSecondsOf(plan);
  const chunks = workFor('', plan).length;
  const puts = plan.prewarm.length * segmentCount(plan.grid);
  // What there is of a chunk is listed, rendition by rendition, which S3 charges like a PUT; whether another has stored a
  // segment meanwhile, its own PUT tells.
  const lists = plan.prewarm.length * chunks;
  const preparation =
    computeSeconds * GIGABYTE_SECONDS_PER_CPU_SECOND * AWS_PRICES.lambdaPerGigabyteSecond +
    chunks * (CALLS_PER_CHUNK * AWS_PRICES.lambdaPerRequest + READS_PER_CHUNK * AWS_PRICES.s3PerGet) +
    (puts + lists) * AWS_PRICES.s3PerPut +
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

const cpuSecondsOf = (plan: Plan): number =>
  (cpuSecondsOfSegments(plan) + cpuSecondsByPart(plan).stills) * OVERHEAD;

const toMicrodollars = (dollars: number): number => Math.round(dollars * 1e6) / 1e6;
