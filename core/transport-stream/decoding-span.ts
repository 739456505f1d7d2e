// When the decoder's clock passes from one segment to the next. Decoding runs ahead of showing, and pictures of a
// segment are decoded before the last of the segment in front of it are shown.

import { TIMESTAMP_OFFSET_SECONDS } from '../ffmpeg-arguments.ts';
import { scaledRound } from '../fraction.ts';
import type { Grid } from '../plan.ts';
import { videoFrames } from '../segments.ts';

/** The part of the decoder's clock that belongs to a segment, in ticks of 90 kHz. The next one's begins where it ends. */
export interface DecodingSpan {
  /** The DTS of the segment's first picture. */
  fromTicks: number;
  /** The DTS of the next segment's first picture. */
  toTicks: number;
}

/** The span of segment `index`; its first picture may come later, where x264 is given no more than one or two. */
export function decodingSpan(grid: Grid, index: number): DecodingSpan {
  const { from, to } = videoFrames(grid, index);
  const decodedAt = (frame: number) =>
    TIMESTAMP_OFFSET_SECONDS * 90_000 +
    scaledRound(
      frame - framesAhead(grid),
      { num: grid.frameRate.den, den: grid.frameRate.num },
      { num: 90_000, den: 1 },
    );
  return { fromTicks: decodedAt(from), toTicks: decodedAt(to) };
}

/**
 * How many frames x264 decodes ahead: two with a pyramid of B-frames, which takes at least two of them in a row; one
 * without. A GOP must have room for them besides its keyframe.
 */
const framesAhead = ({ gopFrames }: Grid): number => Math.min(2, gopFrames - 1);
