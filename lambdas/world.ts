// The world (pipeline/world.ts) of a function that plans or has something made, from the environment: its buckets, its
// sandbox, its limits.

import type { Context } from 'aws-lambda';
import { s3Links } from '../adapters/s3-links.ts';
import type { World } from '../pipeline/world.ts';
import { LARGEST_RUNGS } from '../core/plan/ladder.ts';
import { PREWARM_EXTENTS } from '../core/plan/plan-for.ts';
import { EFFORTS } from '../core/plan/plan.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { bucketsFromEnvironment, s3Client } from './buckets.ts';
import { choiceFromEnv, numberFromEnv } from './environment.ts';
import { observe } from './observability.ts';
import { laneCountFromEnvironment } from './prewarm-lanes.ts';
import { sandboxFromEnvironment } from './sandbox-client.ts';
import type { SandboxClientOptions } from './sandbox-client.ts';

/** What a function is told of one call, as far as we ask. */
export type CallContext = Pick<Context, 'getRemainingTimeInMillis'>;

/** The world as one call has it, which knows when that is ended. */
export const worldOfCall = (world: World, context: CallContext | undefined): World =>
  context ? { ...world, secondsLeft: () => context.getRemainingTimeInMillis() / 1000 } : world;

/** A function runs for 15 minutes at most. On one machine, where nothing ends it, a copy may take hours. */
const linkSeconds = (): number => (process.env['SANDBOX_FUNCTION'] ? 20 * 60 : 12 * 3600);

export function worldFromEnvironment(options: SandboxClientOptions = {}): World {
  const defaults = DEFAULT_LIMITS;
  return {
    ...bucketsFromEnvironment(s3Client(), (client, bucket) => s3Links(client, bucket, linkSeconds())),
    sandbox: sandboxFromEnvironment(options),
    settings: {
      ...defaults, // how much memory there is, the sandbox knows
      maxDurationSeconds: numberFromEnv('MAX_DURATION_SECONDS', defaults.maxDurationSeconds),
      maxPicturePixels: numberFromEnv('MAX_PICTURE_PIXELS', defaults.maxPicturePixels),
      maxCopiedBytes: numberFromEnv('MAX_COPIED_BYTES', defaults.maxCopiedBytes),
      maxStreams: numberFromEnv('MAX_STREAMS', defaults.maxStreams),
      probeTimeoutSeconds: numberFromEnv('MAX_PROBE_SECONDS', defaults.probeTimeoutSeconds),
      prewarm: choiceFromEnv('PREWARM', PREWARM_EXTENTS),
      prewarmEffort: choiceFromEnv('PREWARM_EFFORT', EFFORTS),
      largestRung: choiceFromEnv('LARGEST_RUNG', LARGEST_RUNGS),
    },
    lanes: laneCountFromEnvironment(),
    observe,
  };
}
