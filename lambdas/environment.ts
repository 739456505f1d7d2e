// The environment, by name. Only entries read it, at their top.

import { installedBinaries } from '../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../machine/ffmpeg.ts';

export function requireEnv(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`The environment variable ${name} is not set.`);
  return value;
}

/** One of several words; the first where nothing is set. */
export function choiceFromEnv<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
  const value = process.env[name] ?? choices[0]!;
  const found = choices.find((choice) => choice === value);
  if (!found) throw new Error(`${name} is "${value}"; it can be ${choices.join(', ')}.`);
  return found;
}

/** @throws Error for anything but a number above 0. */
export function numberFromEnv(name: string, ifUnset: number): number {
  const text = process.env[name];
  if (!text) return ifUnset;
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new Error(`${name} is "${text}"; it takes a number above 0.`);
  return value;
}

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
