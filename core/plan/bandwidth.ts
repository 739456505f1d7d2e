// Bit rates of renditions as playlists tell them: bounds before anything is encoded, and measured ones.

import { codecOf, formatOf } from '../formats/formats.ts';
import { lengthOf } from '../formats/format.ts';
import { segmentCount } from './grid.ts';
import type { Plan } from './plan.ts';
import type { Rendition } from './renditions.ts';
import { segmentSeconds, unitsOf } from './segments.ts';

/** What a bound is computed from. */
type Bounded = Pick<Plan, 'grid' | 'recipe'>;

/** A segment's length and size. */
export interface Measure {
  seconds: number;
  bits: number;
}

/**
 * The highest bit rate of any run of neighbours that lasts from half a target duration to one and a half and half a second
 * more (RFC 8216bis, section 4.1). So a last segment that is shorter does not count alone. Where all together are shorter,
 * their bits are reckoned over half a target duration.
 */
export function peakBps(segments: readonly Measure[]): number {
  const target = targetDuration(segments.map(({ seconds }) => seconds));
  const [least, most] = [0.5 * target - ROUNDING, 1.5 * target + 0.5 + ROUNDING];
  let peak: number | undefined;
  for (let from = 0; from < segments.length; from += 1) {
    let [seconds, bits] = [0, 0];
    for (let to = from; to < segments.length && seconds <= most; to += 1) {
      seconds += segments[to]!.seconds;
      bits += segments[to]!.bits;
      if (least <= seconds && seconds <= most) peak = Math.max(peak ?? 0, bits / seconds);
    }
  }
  return peak ?? segments.reduce((sum, { bits }) => sum + bits, 0) / (0.5 * target);
}

/** Of seconds. */
const ROUNDING = 1e-6;

/** EXT-X-TARGETDURATION of segments of these lengths. */
export const targetDuration = (seconds: readonly number[]): number =>
  seconds.reduce((most, own) => Math.max(most, Math.round(own)), 1);

/** No segment can be worse than what the codec and the format make at most. */
export function peakBound(plan: Bounded, rendition: Rendition): number {
  const count = segmentCount(plan.grid);
  // All are alike but for the last, and of sound every few for a frame.
  const first = Math.max(0, count - 3);
  const segments = Array.from({ length: count - first }, (_, index) =>
    boundOf(plan, rendition, first + index),
  );
  return Math.ceil(peakBps(segments));
}

function boundOf(plan: Bounded, rendition: Rendition, index: number): Measure {
  const seconds = segmentSeconds(plan, rendition, index);
  const codecBits = codecOf(rendition).mostBits(rendition, seconds);
  const units = lengthOf(unitsOf(plan, rendition, index));
  return { seconds, bits: formatOf(rendition).mostBits({ codecBits, units, seconds }, plan.recipe) };
}
