// How long a copy of a source may take, and how large its pieces are, so that a function on AWS (15 minutes, 3 GB) ends
// with a copy that is stored.

import { MAX_PARTS } from '../aws-limits.ts';
import type { CopyWay } from './copy-ways.ts';

const STARTUP_SECONDS = 60;
const LEAST_BYTES_PER_SECOND = 4 * 1024 ** 2;

/** Reading is bounded by the network and by the slowest of disks. */
const readingSeconds = (sourceBytes: number): number =>
  STARTUP_SECONDS + sourceBytes / LEAST_BYTES_PER_SECOND;

/** For storing a copy, planning it, and making what a player asks for first, before a function is ended. */
const RESERVED_SECONDS = 2 * 60;

/** @param secondsLeft until this process is ended from outside */
export const secondsForCopies = (secondsLeft: number): number => secondsLeft - RESERVED_SECONDS;

/** How long the first copy may take, and the count that it is compared with. */
export const firstCopySeconds = (sourceBytes: number, secondsLeft: number): number =>
  Math.max(1, Math.min(readingSeconds(sourceBytes), secondsForCopies(secondsLeft)));

/** The same for a copy that is made again, in a way that may take longer than reading does. */
export const lostCopySeconds = (sourceBytes: number, secondsLeft: number): number =>
  Math.max(
    1,
    Math.min(Math.max(FURTHER_COPIES_SECONDS, readingSeconds(sourceBytes)), secondsForCopies(secondsLeft)),
  );

/**
 * All copies after the first have ended by then, counted from when the first began. The rest of a function's 15 minutes
 * is for looking at the source before, and for storing the copy.
 */
export const FURTHER_COPIES_SECONDS = 11 * 60;
/** An encoder takes as long as the film wants; with less time than this it is not started. */
const LEAST_LOSSLESS_SECONDS = 3 * 60;
/** Pictures of a larger source would be neither encoded nor stored in the time there is. */
export const LARGEST_LOSSLESS_SOURCE_BYTES = 4 * 1024 ** 3;

/**
 * How long a copy after the first may take; undefined where it is not to be tried.
 * @param secondsLeft of `FURTHER_COPIES_SECONDS`
 */
export function furtherCopySeconds(
  { picture }: CopyWay,
  sourceBytes: number,
  secondsLeft: number,
): number | undefined {
  const isLossless = picture !== 'copy';
  if (isLossless && sourceBytes > LARGEST_LOSSLESS_SOURCE_BYTES) return undefined;
  if (secondsLeft < (isLossless ? LEAST_LOSSLESS_SECONDS : STARTUP_SECONDS)) return undefined;
  return isLossless ? secondsLeft : Math.min(secondsLeft, readingSeconds(sourceBytes));
}

// More than S3 wants of each piece, and fewer of them than it takes. A few are in memory at once.
const LEAST_PIECE_BYTES = 8 * 1024 ** 2;
const MOST_PIECE_BYTES = 64 * 1024 ** 2;
const MOST_PIECES = 0.9 * MAX_PARTS;
/** Sound stored losslessly may make a copy larger than its source, but not that of a source of hundreds of gigabytes. */
const MOST_GROWTH = 3;
const LEAST_GROWTH = 1.1;
/** Pictures stored losslessly may make it many times as large. */
const MOST_GROWTH_LOSSLESS = 40;

/** How large the pieces are in which a copy is stored. */
export function pieceBytesOf({ picture }: CopyWay, sourceBytes: number): number {
  const growth = picture !== 'copy' ? MOST_GROWTH_LOSSLESS : MOST_GROWTH;
  const [least, most] = [LEAST_GROWTH, growth].map((times) => (sourceBytes * times) / MOST_PIECES);
  return Math.ceil(Math.max(LEAST_PIECE_BYTES, least!, Math.min(MOST_PIECE_BYTES, most!)));
}
