// The list of prewarm work: runs of segments, each a job of one ffmpeg process for all renditions, and the still
// pictures. Plain data, so that any engine can run it: a loop on a laptop, a Step Functions map in the cloud.

import { valueOf } from './fraction.ts';
import type { Plan } from './plan.ts';
import type { Artifact } from './keys.ts';
import { segmentCount, segmentsOf } from './segments.ts';
import { sheetCount } from './stills.ts';

export type Work = Chunk | Stills;

/** The poster and the whole storyboard: a few seconds' work, whatever the film's length. */
export interface Stills {
  id: string;
  rev: string;
  stills: true;
}

/** Segments `from` up to, not including, `to`, of the plan's prewarmed renditions. */
export interface Chunk {
  id: string;
  rev: string;
  from: number;
  to: number;
}

// About half a minute: a process start and the decoding from the keyframe before cost a few per cent of it, and what
// a dying worker takes with it is small.
const SEGMENTS_PER_CHUNK = 8;
// Where keyframes are far apart, as in screen recordings, every chunk decodes the way from the one before it: chunks
// several times as long keep that to a part of the work, as long as one worker can do them.
const KEYFRAME_DISTANCES_PER_CHUNK = 6;
const MOST_SEGMENTS_PER_CHUNK = 32;
// Each chunk reads the source's head and index, and a little more than it needs: little beside this much.
const LEAST_BYTES_PER_CHUNK = 4 * 1024 * 1024;

/** What can be watched comes before what can be looked at. */
export function workFor(id: string, plan: Plan): Work[] {
  if (plan.prewarm.length === 0) return [];
  const count = segmentCount(plan.grid);
  const length = chunkLength(plan, count);
  const chunks = Math.ceil(count / length);
  const { rev } = plan;
  const work: Work[] = Array.from({ length: chunks }, (_, index) => ({
    id,
    rev,
    from: index * length,
    to: Math.min(count, (index + 1) * length),
  }));
  return plan.stills ? [...work, { id, rev, stills: true }] : work;
}

/** Everything that the list makes. */
export const prewarmedArtifacts = (plan: Plan): Artifact[] => [
  ...segmentsOf(plan, plan.prewarm),
  ...(plan.prewarm.length > 0 ? prewarmedStills(plan) : []),
];

/** The poster and the storyboard. Single thumbnails are asked for here and there, if at all: they wait for that. */
export function prewarmedStills({ rev, stills }: Plan): Artifact[] {
  if (!stills) return [];
  const sheets = Array.from({ length: sheetCount(stills) }, (_, index) => index);
  return [
    { kind: 'poster', rev },
    { kind: 'storyboard', rev },
    ...sheets.map((index) => ({ kind: 'sheet' as const, rev, index })),
  ];
}

function chunkLength({ source, grid }: Plan, count: number): number {
  const keyframeSegments = source.keyframeSeconds / (grid.segmentFrames / valueOf(grid.frameRate));
  const wanted = Math.ceil(
    Math.max(
      keyframeSegments * KEYFRAME_DISTANCES_PER_CHUNK,
      (count * LEAST_BYTES_PER_CHUNK) / source.sizeBytes,
    ),
  );
  return Math.max(SEGMENTS_PER_CHUNK, Math.min(MOST_SEGMENTS_PER_CHUNK, wanted));
}
