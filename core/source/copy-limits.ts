// How long a copy of a source may take, and how large its pieces are, so that a function on AWS (15 minutes, 3 GB) ends
// with a copy that is stored.

import { MAX_PARTS } from '../aws-limits.ts';
import { PICTURE_WAYS } from './copy-ways.ts';
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
/** Of one copy. Two are sent side by side as parts of one object, until it is known which is the better one. */
export const MOST_PIECES = MAX_PARTS / 2;
/** Some copies are larger than they are reckoned to be. */
const EXPECTED_PIECES = 0.9 * MOST_PIECES;
/** Every piece takes a signature beforehand. */
const WANTED_PIECES = 1000;
/** Sound stored losslessly may make a copy larger than its source, but not that of a source of hundreds of gigabytes. */
const MOST_GROWTH = 3;
const LEAST_GROWTH = 1.1;
/** Pictures stored losslessly may make it many times as large. */
const MOST_GROWTH_LOSSLESS = 40;

/** How large the pieces are in which a copy is stored. */
export function pieceBytesOf({ picture }: Pick<CopyWay, 'picture'>, sourceBytes: number): number {
  const least = (sourceBytes * LEAST_GROWTH) / EXPECTED_PIECES;
  const wanted = (sourceBytes * growthOf(picture)) / WANTED_PIECES;
  return Math.ceil(Math.max(LEAST_PIECE_BYTES, least, Math.min(MOST_PIECE_BYTES, wanted)));
}

const growthOf = (picture: CopyWay['picture']): number =>
  picture === 'copy' ? MOST_GROWTH : MOST_GROWTH_LOSSLESS;

/** A small source may grow more than that. */
const LEAST_PIECES = 600;

/** Of how many pieces a copy of a source may consist, in whatever way it is made. */
export function mostPiecesOf(sourceBytes: number): number {
  const ways = sourceBytes > LARGEST_LOSSLESS_SOURCE_BYTES ? (['copy'] as const) : PICTURE_WAYS;
  const pieces = ways.map(
    (picture) => (sourceBytes * growthOf(picture)) / pieceBytesOf({ picture }, sourceBytes),
  );
  return Math.min(MOST_PIECES, Math.max(LEAST_PIECES, Math.ceil(Math.max(...pieces)) + 2)); // the head, and the rest
}
