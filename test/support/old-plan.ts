// Plans as former releases stored them, out of plans as they are now.

import { mainTrack, renditionsOf } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';

/** As 8e3bc33 did: one picture and one sound, without a version, and without the recipe that it had in its code. */
export function planOfFirstRelease({
  recipe: _,
  tracks,
  renditions,
  ...plan
}: Plan): Record<string, unknown> {
  const [picture, sound] = [
    mainTrack({ tracks, renditions }, 'video'),
    mainTrack({ tracks, renditions }, 'audio'),
  ];
  const rungs = renditionsOf({ renditions }, 'video').map(
    ({ name, width, height, maxBitrateBps, level, codecs }) => ({
      ...{ name, width, height, maxBitrateBps, level, codecs },
    }),
  );
  const made = renditionsOf({ renditions }, 'audio').map(
    ({ name, sampleRate, channels, bitrateBps, codecs }) => ({
      ...{ name, sampleRate, channels, bitrateBps, codecs },
    }),
  );
  return {
    ...plan,
    video: picture ? { ...undescribed(picture), renditions: rungs } : null,
    audio: sound ? { ...undescribed(sound), ...made[0] } : null,
  };
}

/** What it knew of a track. */
function undescribed(track: Plan['tracks'][number]): Record<string, unknown> {
  const { kind: _, id: _id, language: _l, title: _t, isDefault: _d, isForced: _f, ...known } = track;
  return known;
}
