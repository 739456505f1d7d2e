// How many chunks each worker of the prewarm has encoded at once, from the environment. All who ask are told the same.

import { DEFAULT_PREWARM_CONCURRENCY, lanesOf } from '../core/work/lanes.ts';
import { numberFromEnv } from './environment.ts';

export const lanesFromEnvironment = (): number[] =>
  // New code may run for a moment with the environment of before.
  lanesOf(numberFromEnv('PREWARM_CONCURRENCY', DEFAULT_PREWARM_CONCURRENCY));
