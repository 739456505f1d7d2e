// The list of prewarm work: runs of segments, each a job of one ffmpeg process for all renditions, and the still
// pictures. Plain data, so that any engine can run it: a loop on a laptop, a Step Functions map in the cloud.

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

/** What can be watched comes before what can be looked at. */
export function workFor(id: string, plan: Plan): Work[] {
  if (plan.prewarm.length === 0) return [];
  const count = segmentCount(plan.grid);
  const chunks = Math.ceil(count / SEGMENTS_PER_CHUNK);
  const { rev } = plan;
  const work: Work[] = Array.from({ length: chunks }, (_, index) => ({
    id,
    rev,
    from: index * SEGMENTS_PER_CHUNK,
    to: Math.min(count, (index + 1) * SEGMENTS_PER_CHUNK),
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
