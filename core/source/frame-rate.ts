// The constant frame rate of everything we make. One grid for all renditions, so that they switch cleanly.
//
// Where a source's rate is constant and its pictures' times agree with what it claims, the grid has its own. Elsewhere
// the times decide: the average of a rate that varies is the wrong one, as most pictures of a burst would be lost.

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

/** The rates that cameras, films and screens use, the slowest first. */
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

/** What a source says of its rate. */
export interface ClaimedRate {
  /** The lowest rate at which all time stamps can be shown exactly (ffprobe's guess). */
  baseFrameRate: Fraction | undefined;
  averageFrameRate: Fraction | undefined;
}

/**
 * The rate to encode at: the one that pictures were counted to need; the source's own where it is constant (above 60 a
 * whole fraction of it, below 5 a whole multiple), else the standard one nearest to its average.
 */
export function outputFrameRate(stream: ClaimedRate & { countedFrameRate?: Fraction | undefined }): Fraction {
  if (stream.countedFrameRate) return stream.countedFrameRate;
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

/** What the times of pictures say of their rate. */
export interface CountedRate {
  /** Pictures a second, by the distance between two of them that is the most usual. */
  usualPerSecond: number;
  /** The slowest standard rate at which hardly a picture is lost. */
  needed: Fraction;
}

/** Of 200 pictures, so many may be lost. */
const LOST_OF_200 = 1;
/** A distance this near to the usual one is the same, but for rounding. */
const SAME_DISTANCE = 0.1;

/**
 * Counts pictures by their times in seconds, in any order and with gaps. Those that not even 60 fps would show, because
 * another takes the same frame, do not count.
 */
export function countedRate(seconds: readonly number[]): CountedRate | undefined {
  const sorted = Float64Array.from(seconds).sort();
  const times = sorted.filter((time, index) => time !== sorted[index - 1]);
  if (times.length < 2) return undefined;
  const fastest = STANDARD_RATES[STANDARD_RATES.length - 1]!;
  const least = shownAt(fastest, times) * (1 - LOST_OF_200 / 200);
  const needed = STANDARD_RATES.find((rate) => shownAt(rate, times) >= least) ?? fastest;
  return { usualPerSecond: usualRate(times), needed };
}

/** How many of the pictures have a frame of their own on such a grid. */
function shownAt(rate: Fraction, times: Float64Array): number {
  const perSecond = valueOf(rate);
  let [shown, last] = [0, NaN];
  for (const time of times) {
    const frame = Math.round((time - times[0]!) * perSecond);
    if (frame !== last) shown += 1;
    last = frame;
  }
  return shown;
}

/** Time stamps may be rounded to milliseconds: only the mean of many distances tells 30 from 29.97. */
function usualRate(times: Float64Array): number {
  const distances = times.subarray(1).map((time, index) => time - times[index]!);
  const median = Float64Array.from(distances).sort()[distances.length >> 1]!;
  const usual = distances.filter((distance) => Math.abs(distance - median) <= SAME_DISTANCE * median);
  return usual.length / usual.reduce((sum, distance) => sum + distance, 0);
}

// No camera interlaces more pictures a second; what counts faster are fields.
const MAX_INTERLACED_RATE = 31;
// What is claimed and what is counted in milliseconds are this near where they are the same.
const CONFIRMED = 0.01;

/** Whether a source's claim is in doubt already, or is denied by the times of some of its pictures. */
export function isDoubtful(claimed: ClaimedRate, counted: CountedRate | undefined): boolean {
  const { baseFrameRate: base, averageFrameRate: average } = claimed;
  if (!base || !average || difference(base, average) > CONSTANT_RATE) return true;
  return counted !== undefined && Math.abs(counted.usualPerSecond / valueOf(base) - 1) > CONFIRMED;
}

/** The rate that the pictures of a source need; undefined where its claim is as good. */
export function neededFrameRate(
  claimed: ClaimedRate & { isInterlaced: boolean },
  counted: CountedRate | undefined,
): Fraction | undefined {
  if (!counted || !Number.isFinite(counted.usualPerSecond) || !isDoubtful(claimed, counted)) return undefined;
  const { needed, usualPerSecond: usual } = counted;
  const areFields = claimed.isInterlaced && valueOf(needed) > MAX_INTERLACED_RATE;
  if (areFields) return nearestStandard({ num: needed.num, den: 2 * needed.den });
  // Pictures that mostly come 25 times a second are smooth at 25, though hardly one of them were lost at 24. And of 30 and
  // 29.97 the slower loses one picture of a thousand, which is within what may be lost.
  const alike = STANDARD_RATES.filter((rate) => isAsGood(rate, needed));
  const { baseFrameRate: base } = claimed;
  const own = base && alike.find((rate) => difference(rate, base) <= SAME_RATE);
  return (
    own ?? alike.reduce((best, rate) => (unevenness(rate, usual) < unevenness(best, usual) ? rate : best))
  );
}

/** Costs hardly more than the rate that is needed. */
const isAsGood = (rate: Fraction, needed: Fraction): boolean =>
  valueOf(rate) >= valueOf(needed) && valueOf(rate) <= 1.05 * valueOf(needed);

/** How far pictures that come at the usual rate are from being shown for the same number of frames each. */
function unevenness(rate: Fraction, usualPerSecond: number): number {
  const frames = valueOf(rate) / usualPerSecond;
  return Math.abs(frames - Math.max(1, Math.round(frames)));
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
