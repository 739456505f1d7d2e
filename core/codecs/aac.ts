// AAC-LC.

import { durationSeconds } from '../plan/grid.ts';
import { fillAll } from '../recipes/recipe.ts';
import type { Codec } from './codec.ts';

export const AAC_FRAME_SAMPLES = 1024;
export const AAC_CODECS = 'mp4a.40.2';

export const AAC: Codec<'audio'> = {
  name: 'aac',
  kind: 'audio',
  /** A unit is a frame of the codec. */
  unitsPerSecond: ({ sampleRate }) => ({ num: sampleRate, den: AAC_FRAME_SAMPLES }),
  context: ({ aac }) => ({ around: aac.contextFrames, priming: aac.primingFrames }),
  mostBits: ({ bitrateBps }, segmentSeconds) => bitrateBps * segmentSeconds,
  encoder: ({ bitrateBps }, _, { recipe }) => fillAll(recipe.aac.encoder, { bitrateBps }),
  cpuSeconds: ({ channels }, { grid }) => durationSeconds(grid) * channels * SECONDS_PER_CHANNEL,
};

/** For each second of it, of which bench/cpu-per-rung measured 0.014 for stereo. */
const SECONDS_PER_CHANNEL = 0.007;
