// The filters that make of a track's pictures those of the grid, in every size.

import { framesOfSegment } from '../plan/grid.ts';
import type { UnitRange } from '../plan/grid.ts';
import type { VideoRendition } from '../plan/renditions.ts';
import type { EncodeJob, TrackGraph, TrackShare } from './job.ts';
import { deinterlacing, sharedFilters, sizeFilters } from './picture-filters.ts';

/** @param label begins the names of its outputs, which are unique in the command */
export function videoGraph(
  job: EncodeJob,
  { track, renditions }: TrackShare<'video'>,
  label: string,
): TrackGraph {
  const outputs = renditions.map((_, index) => `[${label}${index}]`);
  return { graph: graphOf(job, { track, renditions }, outputs), outputs };
}

function graphOf(
  job: EncodeJob,
  { track, renditions }: TrackShare<'video'>,
  outputs: readonly string[],
): string {
  const { grid } = job.plan;
  const { from, to } = frameRun(job);
  const { num, den } = grid.frameRate;
  if (job.rescue === 'blank') {
    const black = ({ width, height }: VideoRendition) =>
      `color=c=black:s=${width}x${height}:r=${num}/${den},trim=end_frame=${to - from},setpts=PTS+${from},format=${job.plan.recipe.picture.pixelFormat}`;
    return renditions.map((rendition, index) => `${black(rendition)}${outputs[index]}`).join(';');
  }
  const { recipe } = job.plan;
  const filters = [
    `setpts=PTS-(${track.originPts})`,
    ...deinterlacing(track, recipe),
    // From here on one unit of pts is one frame. A start time makes the first picture stand from there on; it is
    // given only where there is none yet, as it rounds to microseconds.
    `fps=${num}/${den}${from < track.leadFrames || job.rescue ? `:start_time=${((from * den) / num).toFixed(6)}` : ''}`,
    // The last picture stands until the planned end, should the source end early.
    ...(to >= track.sourceFrames || job.rescue ? ['tpad=stop_mode=clone:stop=-1'] : []),
    `trim=start_pts=${from}:end_pts=${to}`,
    ...sharedFilters(track, renditions[0]!, recipe),
  ];
  const branches = renditions.map(
    (rendition, index) => `[s${index}]${sizeFilters(track, rendition, recipe).join(',')}${outputs[index]}`,
  );
  const split = `split=${renditions.length}${renditions.map((_, index) => `[s${index}]`).join('')}`;
  return `[0:${track.streamIndex}]${[...filters, split].join(',')};${branches.join(';')}`;
}

/** The video frames of the whole job. */
export function frameRun({ plan, from, to }: Pick<EncodeJob, 'plan' | 'from' | 'to'>): UnitRange {
  return { from: framesOfSegment(plan.grid, from).from, to: framesOfSegment(plan.grid, to - 1).to };
}
