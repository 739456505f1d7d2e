// In which segments of a run the source is damaged, by what its decoders said.

import { valueOf } from '../fraction.ts';
import { segmentCount } from '../plan/grid.ts';
import type { Track } from '../plan/tracks.ts';
import type { Fault } from '../source/decoding-log.ts';
import { sharesOf } from './job.ts';
import type { EncodeJob } from './job.ts';

/** How far a decoder with many threads is behind what is read. */
const MOST_LAG_SECONDS = 1;

/** The source's streams that a job decodes. */
export const decodedStreams = (job: Pick<EncodeJob, 'plan' | 'renditions'>): number[] =>
  sharesOf(job).flatMap(({ track }) => (track.kind === 'text' ? [] : [track.streamIndex]));

/** Of each track that is damaged, the segments in which it is. */
export function damagedSegments(
  job: EncodeJob,
  faults: readonly Fault[],
): ReadonlyMap<string, ReadonlySet<number>> {
  const damaged = new Map<string, Set<number>>();
  for (const { track } of sharesOf(job)) {
    const own = faults.filter(({ streamIndex }) => streamIndex === track.streamIndex);
    const segments = own.flatMap((fault) => segmentOf(job, track, fault) ?? []);
    if (segments.length > 0) damaged.set(track.id, new Set(segments));
  }
  return damaged;
}

/** Undefined where the fault is of no segment of the job, or means nothing. */
function segmentOf(
  { plan: { grid }, from, to }: EncodeJob,
  track: Track,
  { seconds = -Infinity, place }: Fault,
): number | undefined {
  // Where a recording was stopped, its last packet is often half a packet.
  if (place === 'last' && to === segmentCount(grid)) return undefined;
  const segmentSeconds = grid.segmentFrames / valueOf(grid.frameRate);
  const gridSeconds = seconds - originOf(track);
  const segment = Math.floor(gridSeconds / segmentSeconds);
  // Where decoding begins, what comes first refers to what was not read. It goes on until all tracks have their end.
  if (from > 0 && segment < from) return undefined;
  if (gridSeconds > to * segmentSeconds + MOST_LAG_SECONDS) return undefined;
  return Math.min(Math.max(segment, from), to - 1);
}

/** The grid's zero on the source's clock, in seconds. */
function originOf(track: Track): number {
  switch (track.kind) {
    case 'video':
      return track.originPts * valueOf(track.timeBase);
    case 'audio':
      return track.originSample / track.sourceRate;
    case 'text':
      return track.originSeconds;
  }
}
