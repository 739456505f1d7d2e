// How what is made ahead of time can be encoded. x264 keeps the pictures that it looks ahead at, and thoroughly it looks far
// ahead: where they do not fit into memory, all is made quickly.

import type { Size } from './ladder.ts';
import type { Effort, Plan } from './plan.ts';

// From a source of 2160p in 10 bits, all rungs up to 2160p do not fit into the address space that ffmpeg has in a function of
// 3,008 MB if any of them is made thoroughly; those up to 1080p do (measured).
const MOST_RUNG_PIXELS = 1920 * 1080;
const MOST_SOURCE_PIXELS = 4096 * 2304;
/** Of address space. A ladder of 1080p took 1.7 GiB thoroughly, and 1.1 quickly, from a source of 1080p (measured). */
const LEAST_MEMORY_BYTES = 2.5 * 1024 ** 3;

/** What a plan says, from what is wanted and the sizes of its pictures. */
export function plannedEffort(
  wanted: Effort,
  { tracks, renditions }: Pick<Plan, 'tracks' | 'renditions'>,
): Effort {
  const isWithin = (most: number, { width, height }: Size) => width * height <= most;
  const fits =
    tracks.every((track) => track.kind !== 'video' || isWithin(MOST_SOURCE_PIXELS, track)) &&
    renditions.every((rendition) => rendition.kind !== 'video' || isWithin(MOST_RUNG_PIXELS, rendition));
  return fits ? wanted : 'quick';
}

/** What is done of that where one ffmpeg may take so much memory. */
export const effortWithin = (
  { prewarmEffort }: Pick<Plan, 'prewarmEffort'>,
  encodeMemoryBytes: number,
): Effort => (encodeMemoryBytes < LEAST_MEMORY_BYTES ? 'quick' : prewarmEffort);
