// Whether what was made of a file holds everything that the file shows and plays.

import { lostPictures, pictureShift, silencedSeconds, soundShift } from './fidelity.ts';
import { LOUDNESS_SECONDS } from './independent-decode.ts';
import type { Decoded } from './independent-decode.ts';

/** Up to so much sound before the picture is dropped, by design. */
const IGNORED_LEAD_SECONDS = 0.25;

export interface Lost {
  lost: number;
  of: number;
}

export interface Wholeness {
  /** The source's time at which what was made begins. */
  originSeconds: number;
  /** From the first picture or sound to the end of the last. */
  sourceSeconds: number;
  /** Undefined where the source has none. */
  pictures?: Lost;
  /** In seconds. */
  sound?: Lost;
  /** How far either lies after the source's, in seconds; undefined where that cannot be seen, or heard. */
  picturesOff?: number | undefined;
  soundOff?: number | undefined;
}

/** The pictures of one file and the sound of another, on a clock that begins at 0. */
export function onOneClock(seen: Decoded | undefined, heard: Decoded | undefined): Decoded {
  const first = seen?.pictures?.times[0] ?? 0;
  return {
    pictures: seen?.pictures
      ? { ...seen.pictures, times: seen.pictures.times.map((time) => time - first) }
      : null,
    sound: heard?.sound ? { ...heard.sound, startSeconds: 0 } : null,
  };
}

/**
 * @param made on a clock that begins at 0
 * @param originSeconds the source's time that this is
 */
export function wholeness(
  made: Decoded,
  source: Decoded,
  originSeconds: number = originOf(source),
): Wholeness {
  const found: Wholeness = { originSeconds, sourceSeconds: endOf(source) - originSeconds };
  const { pictures, sound } = source;
  if (pictures && pictures.times.length > 0) {
    const own = made.pictures;
    found.pictures = own
      ? lostPictures(own, pictures, originSeconds)
      : { lost: pictures.times.length, of: pictures.times.length };
    found.picturesOff = own ? pictureShift(own, pictures, originSeconds) : undefined;
  }
  if (sound && sound.loudness.some((loudness) => loudness > 0)) {
    const seconds = sound.loudness.length * LOUDNESS_SECONDS;
    found.sound = made.sound
      ? silencedSeconds(made.sound, sound, originSeconds)
      : { lost: seconds, of: seconds };
    found.soundOff = made.sound ? soundShift(made.sound, sound, originSeconds) : undefined;
  }
  return found;
}

function originOf({ pictures, sound }: Decoded): number {
  const seen = pictures?.times[0] ?? Infinity;
  const heard = sound?.startSeconds ?? Infinity;
  return heard < seen - IGNORED_LEAD_SECONDS || seen === Infinity ? heard : seen;
}

function endOf({ pictures, sound }: Decoded): number {
  const times = pictures?.times ?? [];
  const last = times.at(-1) ?? -Infinity;
  const seen = times.length > 1 ? last + (last - times[0]!) / (times.length - 1) : last;
  const heard = sound ? sound.startSeconds + sound.loudness.length * LOUDNESS_SECONDS : -Infinity;
  return Math.max(seen, heard);
}
