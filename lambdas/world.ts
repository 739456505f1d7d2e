// The world (pipeline/world.ts) of a function that encodes, from the environment: its buckets, its ffmpeg, its limits.

import { tmpdir } from 'node:os';
import type { Context } from 'aws-lambda';
import { checkBinaries } from '../machine/ffmpeg.ts';
import type { World } from '../pipeline/world.ts';
import { LARGEST_RUNGS } from '../core/plan/ladder.ts';
import { PREWARM_EXTENTS } from '../core/plan/plan-for.ts';
import { EFFORTS } from '../core/plan/plan.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { SourceLimits } from '../core/limits.ts';
import { bucketsFromEnvironment } from './buckets.ts';
import { binariesFromEnv, choiceFromEnv, numberFromEnv } from './environment.ts';
import { observe } from './observability.ts';

const MB = 1024 ** 2;
/** What our own process takes of a function's memory; the rest is ffmpeg's. */
const OWN_MEMORY_MB = 384;

function limitsFromEnvironment(): SourceLimits {
  const defaults = DEFAULT_LIMITS;
  // In a function, an ffmpeg that wants too much is better ended by us than together with us.
  const functionMb = Number(process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']) || Infinity;
  const memoryMb = numberFromEnv(
    'MAX_ENCODE_MEMORY_MB',
    Math.min(defaults.encodeMemoryBytes / MB, functionMb - OWN_MEMORY_MB),
  );
  return {
    maxDurationSeconds: numberFromEnv('MAX_DURATION_SECONDS', defaults.maxDurationSeconds),
    maxPicturePixels: numberFromEnv('MAX_PICTURE_PIXELS', defaults.maxPicturePixels),
    maxCopiedBytes: numberFromEnv('MAX_COPIED_BYTES', defaults.maxCopiedBytes),
    maxStreams: numberFromEnv('MAX_STREAMS', defaults.maxStreams),
    probeTimeoutSeconds: numberFromEnv('MAX_PROBE_SECONDS', defaults.probeTimeoutSeconds),
    probeMemoryBytes: Math.min(defaults.probeMemoryBytes, memoryMb * MB),
    encodeMemoryBytes: memoryMb * MB,
  };
}

/** What a function is told of one call, as far as we ask. */
export type CallContext = Pick<Context, 'getRemainingTimeInMillis'>;

/** The world as one call has it, which knows when that is ended. */
export const worldOfCall = (world: World, context: CallContext | undefined): World =>
  context ? { ...world, secondsLeft: () => context.getRemainingTimeInMillis() / 1000 } : world;

export function worldFromEnvironment(): World {
  const limits = limitsFromEnvironment();
  const binaries = binariesFromEnv();
  // At the cold start, so that a wrong layer is in the log before the first file is.
  checkBinaries(binaries).catch((error: unknown) => console.error(error));
  return {
    ...bucketsFromEnvironment(),
    tools: {
      binaries,
      temporaryDirectory: process.env['ENCODE_DIRECTORY'] ?? tmpdir(),
      limits,
    },
    settings: {
      ...limits,
      prewarm: choiceFromEnv('PREWARM', PREWARM_EXTENTS),
      prewarmEffort: choiceFromEnv('PREWARM_EFFORT', EFFORTS),
      largestRung: choiceFromEnv('LARGEST_RUNG', LARGEST_RUNGS),
    },
    observe,
  };
}
