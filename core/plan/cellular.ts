// The variant for cellular lines: at most 192 kbit/s with its sound (Apple's authoring specification, 9.21), as declared
// before anything is encoded. A smaller picture, and mono. It shows all pictures, as hls.js begins with the variant of the
// lowest frame rate, if there is one.

import { h264Codecs, h264Level } from '../codecs/h264.ts';
import { valueOf } from '../fraction.ts';
import { peakBound } from './bandwidth.ts';
import { cellularRung } from './ladder.ts';
import type { Plan } from './plan.ts';
import type { AudioRendition, Rendition, VideoRendition } from './renditions.ts';
import type { VideoTrack } from './tracks.ts';

export const MOST_CELLULAR_BPS = 192_000;

/** Less is no picture. Only films of less than a second have no more: what fills the last sixteen packets is most of what they take. */
const LEAST_BITRATE_BPS = 10_000;
const BITRATE_STEP_BPS = 1000;

// ffmpeg's encoder gives mono of this rate all up to 13 kHz, and stereo up to 4 kHz; at 48 kbit/s, 15 and 6 kHz (measured).
const SOUND_BITRATE_BPS = 40_000;

/** The same sound, in mono. */
export const cellularSound = (sound: AudioRendition): AudioRendition => ({
  ...sound,
  name: `${sound.name}-low`,
  isCellular: true,
  channels: 1,
  bitrateBps: SOUND_BITRATE_BPS,
});

/**
 * The picture, with the bits that the sound leaves it.
 * @param rungs the ladder, of which it is a further one
 * @returns undefined where the lowest rung is within the bound with the usual sound, and where nothing can be
 */
export function cellularPicture(
  plan: Pick<Plan, 'grid' | 'recipe'>,
  track: VideoTrack,
  rungs: readonly VideoRendition[],
  sounds: { usual: readonly AudioRendition[]; cellular: readonly AudioRendition[] },
): VideoRendition | undefined {
  const peakOf = (rendition: Rendition) => peakBound(plan, rendition);
  const leftBy = (sound: readonly AudioRendition[]) => MOST_CELLULAR_BPS - Math.max(0, ...sound.map(peakOf));
  const lowest = rungs.at(-1)!;
  if (peakOf(lowest) <= leftBy(sounds.usual)) return undefined;
  const { width, height, name } = cellularRung(track, rungs);
  const least = { ...lowest, name, width, height, isCellular: true } as const;
  const most = leftBy(sounds.cellular);
  let maxBitrateBps = Math.floor(Math.min(most, lowest.maxBitrateBps) / BITRATE_STEP_BPS) * BITRATE_STEP_BPS;
  while (peakOf({ ...least, maxBitrateBps }) > most) maxBitrateBps -= BITRATE_STEP_BPS;
  if (maxBitrateBps < LEAST_BITRATE_BPS) return undefined;
  const level = h264Level({ width, height }, valueOf(plan.grid.frameRate), maxBitrateBps);
  return { ...least, maxBitrateBps, level, codecs: h264Codecs(level) };
}
