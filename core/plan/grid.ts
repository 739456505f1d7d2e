// The one time line of all renditions, and where segments are cut on it. Nothing is ever added up in seconds.

import { scaledRound } from '../fraction.ts';
import type { Fraction } from '../fraction.ts';

/** Frame `n` is shown at `n · den / num` seconds after the source's start. */
export interface Grid {
  frameRate: Fraction;
  frameCount: number;
  gopFrames: number;
  segmentFrames: number;
}

/** Half-open: units `from` up to, not including, `to`. */
export interface UnitRange {
  from: number;
  to: number;
}

export const segmentCount = ({
  frameCount,
  segmentFrames,
}: Pick<Grid, 'frameCount' | 'segmentFrames'>): number => Math.ceil(frameCount / segmentFrames);

export const durationSeconds = ({ frameCount, frameRate }: Pick<Grid, 'frameCount' | 'frameRate'>): number =>
  (frameCount * frameRate.den) / frameRate.num;

/** The frames of the grid that segment `index` covers. */
export function framesOfSegment(grid: Grid, index: number): UnitRange {
  return {
    from: index * grid.segmentFrames,
    to: Math.min(grid.frameCount, (index + 1) * grid.segmentFrames),
  };
}

/**
 * The units of segment `index` of anything that has `unitsPerSecond` of them: cut at the unit nearest to the grid's cut,
 * never further than half a unit off.
 */
export function segmentUnits(grid: Grid, unitsPerSecond: Fraction, index: number): UnitRange {
  const at = (frame: number) =>
    scaledRound(frame, { num: grid.frameRate.den, den: grid.frameRate.num }, unitsPerSecond);
  const { from, to } = framesOfSegment(grid, index);
  // A film of one frame at 60 fps still needs one frame of sound.
  return { from: at(from), to: Math.max(at(to), at(from) + 1) };
}

/** The units of segments `from` up to, not including, `to`. */
export function runUnits(grid: Grid, unitsPerSecond: Fraction, { from, to }: UnitRange): UnitRange {
  return {
    from: segmentUnits(grid, unitsPerSecond, from).from,
    to: segmentUnits(grid, unitsPerSecond, to - 1).to,
  };
}
