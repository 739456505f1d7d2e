// The world of a function that encodes: its buckets, its ffmpeg, its limits, all from the environment.

import { tmpdir } from 'node:os';
import { installedBinaries } from '../adapters/ffmpeg.ts';
import type { FfmpegBinaries } from '../adapters/ffmpeg.ts';
import type { World } from '../pipeline/world.ts';
import { PREWARM } from '../core/plan.ts';
import { bucketsFromEnvironment } from './buckets.ts';
import { choiceFromEnv } from './environment.ts';
import { observe } from './observability.ts';

/** In the cloud ffmpeg lies in a layer; on a developer's machine npm has installed it. */
function binariesFromEnvironment(): FfmpegBinaries {
  const [ffmpegPath, ffprobePath] = [process.env['FFMPEG_PATH'], process.env['FFPROBE_PATH']];
  return ffmpegPath && ffprobePath ? { ffmpegPath, ffprobePath } : installedBinaries();
}

export function worldFromEnvironment(): World {
  return {
    ...bucketsFromEnvironment(),
    tools: {
      binaries: binariesFromEnvironment(),
      temporaryDirectory: process.env['ENCODE_DIRECTORY'] ?? tmpdir(),
    },
    settings: {
      maxDurationSeconds: Number(process.env['MAX_DURATION_SECONDS'] ?? 12 * 3600),
      prewarm: choiceFromEnv('PREWARM', PREWARM),
    },
    observe,
  };
}
