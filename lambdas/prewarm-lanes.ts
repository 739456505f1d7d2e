// How many chunks are encoded ahead of time at once, and by which workers, from the environment. All who ask are told the same.

import { DEFAULT_PREWARM_CONCURRENCY, lanesOf } from '../core/work/lanes.ts';
import { numberFromEnv } from './environment.ts';

/** Of all workers together. */
export const laneCountFromEnvironment = (): number =>
  // New code may run for a moment with the environment of before.
  numberFromEnv('PREWARM_CONCURRENCY', DEFAULT_PREWARM_CONCURRENCY);

export const lanesFromEnvironment = (): number[] => lanesOf(laneCountFromEnvironment());
