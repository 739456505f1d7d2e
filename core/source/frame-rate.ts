// The constant frame rate of everything we make. One grid for all renditions, so that they switch cleanly.

import { greatestCommonDivisor, valueOf } from '../fraction.ts';
import type { Fraction } from '../fraction.ts';

const MAX_FRAMES_PER_SECOND = 60;
/**
 * Segments are cut between frames of the grid, so a grid of one frame in ten minutes would have segments of ten minutes.
 * Slower sources have each picture repeated, which costs next to nothing.
 */
const MIN_FRAMES_PER_SECOND = 5;
// Encoders keep time bases in 32 bits.
const LARGEST_NUMERATOR = 1_000_000;

/** The rates that cameras, films and screens use; a variable rate becomes the nearest of them. */
const STANDARD_RATES: readonly Fraction[] = [
  { num: 5, den: 1 },
  { num: 10, den: 1 },
  { num: 12, den: 1 },
  { num: 15, den: 1 },
  { num: 20, den: 1 },
  { num: 24_000, den: 1001 },
  { num: 24, den: 1 },
  { num: 25, den: 1 },
  { num: 30_000, den: 1001 },
  { num: 30, den: 1 },
  { num: 48, den: 1 },
  { num: 50, den: 1 },
  { num: 60_000, den: 1001 },
  { num: 60, den: 1 },
];

// Containers that count milliseconds report 23.976 fps as 2997/125: as near as this is the same rate.
const SAME_RATE = 1e-4;
// A phone's "30 fps" that averages 29.9 has gaps; a constant one is off by rounding only.
const CONSTANT_RATE = 5e-4;

/**
 * The rate to encode at: the source's own where it is constant (above 60 a whole fraction of it, below 5 a whole multiple),
 * else the nearest standard one.
 */
export function outputFrameRate(stream: {
  baseFrameRate: Fraction | undefined;
  averageFrameRate: Fraction | undefined;
}): Fraction {
  const base = stream.baseFrameRate ?? stream.averageFrameRate ?? { num: 25, den: 1 };
  const average = stream.averageFrameRate ?? base;
  if (difference(base, average) > CONSTANT_RATE) return nearestStandard(average);
  const standard = nearestStandard(base);
  const rate = difference(standard, base) <= SAME_RATE ? standard : base;
  return withinBounds(rate);
}

/** The same pictures fall on frames of the grid: all of them, or every second, third and so on. */
function withinBounds({ num, den }: Fraction): Fraction {
  const divisor = Math.ceil(num / den / MAX_FRAMES_PER_SECOND - CONSTANT_RATE);
  if (divisor > 1) return reduced({ num, den: den * divisor });
  const multiple = Math.ceil((MIN_FRAMES_PER_SECOND * den) / num);
  const { num: frames, den: seconds } = reduced({ num: num * multiple, den });
  return frames <= LARGEST_NUMERATOR ? { num: frames, den: seconds } : { num: MIN_FRAMES_PER_SECOND, den: 1 };
}

const difference = (a: Fraction, b: Fraction): number => Math.abs(valueOf(a) / valueOf(b) - 1);

function nearestStandard(rate: Fraction): Fraction {
  return STANDARD_RATES.reduce((best, candidate) =>
    Math.abs(valueOf(candidate) - valueOf(rate)) < Math.abs(valueOf(best) - valueOf(rate)) ? candidate : best,
  );
}

function reduced({ num, den }: Fraction): Fraction {
  const divisor = greatestCommonDivisor(num, den);
  return { num: num / divisor, den: den / divisor };
}
