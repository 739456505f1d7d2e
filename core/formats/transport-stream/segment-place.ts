// A segment's number, and when the decoder's clock passes from it to the next. Decoding runs ahead of showing, and
// pictures of a segment are decoded before the last of the segment in front of it are shown.

import { scaledRound } from '../../fraction.ts';
import { framesOfSegment } from '../../plan/grid.ts';
import type { Grid } from '../../plan/grid.ts';
import type { Plan } from '../../plan/plan.ts';
import type { SegmentPlace } from './packed-segment.ts';

/** The place of segment `index`; its first picture may come later, where x264 is given no more than one or two. */
export function segmentPlace({ grid, recipe }: Pick<Plan, 'grid' | 'recipe'>, index: number): SegmentPlace {
  const { from, to } = framesOfSegment(grid, index);
  const ahead = framesAhead(grid, recipe.h264.framesAhead);
  const decodedAt = (frame: number) =>
    recipe.timestampOffsetSeconds * 90_000 +
    scaledRound(frame - ahead, { num: grid.frameRate.den, den: grid.frameRate.num }, { num: 90_000, den: 1 });
  return { index, fromTicks: decodedAt(from), toTicks: decodedAt(to) };
}

/** A GOP must have room for them besides its keyframe. */
const framesAhead = ({ gopFrames }: Grid, wanted: number): number => Math.min(wanted, gopFrames - 1);
