// What the sandbox works with, from the environment: its ffmpeg, its disk, its memory.

import { tmpdir } from 'node:os';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { SourceLimits } from '../core/limits.ts';
import { checkBinaries } from '../machine/ffmpeg.ts';
import type { EncodeTools } from '../pipeline/world.ts';
import { binariesFromEnv } from './binaries.ts';
import { numberFromEnv } from './environment.ts';

const MB = 1024 ** 2;
/** What our own process takes of a function's memory; the rest is ffmpeg's. */
const OWN_MEMORY_MB = 384;

/** In a function, an ffmpeg that wants too much is better ended by us than together with us. */
function memoryLimits(): Pick<SourceLimits, 'probeMemoryBytes' | 'encodeMemoryBytes'> {
  const { probeMemoryBytes, encodeMemoryBytes } = DEFAULT_LIMITS;
  const functionMb = Number(process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']) || Infinity;
  const memoryMb = numberFromEnv(
    'MAX_ENCODE_MEMORY_MB',
    Math.min(encodeMemoryBytes / MB, functionMb - OWN_MEMORY_MB),
  );
  return {
    probeMemoryBytes: Math.min(probeMemoryBytes, memoryMb * MB),
    encodeMemoryBytes: memoryMb * MB,
  };
}

export function toolsFromEnvironment(): EncodeTools {
  const binaries = binariesFromEnv();
  // At the cold start, so that a wrong layer is in the log before the first file is.
  checkBinaries(binaries).catch((error: unknown) => console.error(error));
  return {
    binaries,
    temporaryDirectory: process.env['ENCODE_DIRECTORY'] ?? tmpdir(),
    limits: {
      ...{ ...DEFAULT_LIMITS, ...memoryLimits() },
      probeTimeoutSeconds: numberFromEnv('MAX_PROBE_SECONDS', DEFAULT_LIMITS.probeTimeoutSeconds),
    },
  };
}
