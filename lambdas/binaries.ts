// Which ffmpeg and ffprobe there are, by the environment. Not in environment.ts: functions that run neither go without this.

import { installedBinaries } from '../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../machine/ffmpeg.ts';

/** In the cloud ffmpeg lies in a layer; on one machine npm has installed it, unless another one is named, by its whole path. */
export function binariesFromEnv(): FfmpegBinaries {
  const [ffmpegPath, ffprobePath] = [process.env['FFMPEG_PATH'], process.env['FFPROBE_PATH']];
  if (ffmpegPath && ffprobePath) return { ffmpegPath, ffprobePath };
  const installed = installedBinaries();
  return {
    ffmpegPath: ffmpegPath || installed.ffmpegPath,
    ffprobePath: ffprobePath || installed.ffprobePath,
  };
}
