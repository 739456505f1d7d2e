// The work list of a prewarm: runs of segments, each a job of one ffmpeg process for all renditions, and the still
// pictures. Plain data, so that any engine can run it: a loop on a laptop, a Step Functions map in the cloud.

import { valueOf } from '../fraction.ts';
import type { Artifact } from '../artifacts/artifact.ts';
import type { Plan } from '../plan/plan.ts';
import type { Work } from '../records/work.ts';
import { segmentCount } from '../plan/grid.ts';
import { initsOf, segmentsOf } from '../plan/segments.ts';
import { sheetCount } from '../plan/stills.ts';

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
    what: {
      kind: 'chunk',
      from: index * length,
      to: Math.min(count, (index + 1) * length),
      renditions: null,
    },
  }));
  return plan.stills ? [...work, { id, rev, what: { kind: 'stills', thumbs: [] } }] : work;
}

/** For single artifacts of a plan, whatever its `prewarm` names: a segment's neighbours are made together with it. */
export function workForArtifacts(id: string, { rev }: Plan, artifacts: readonly Artifact[]): Work[] {
  const work: Work[] = [];
  const segments = artifacts.filter((artifact) => artifact.kind === 'segment');
  for (const rendition of new Set(segments.map((segment) => segment.rendition))) {
    const indexes = segments.filter((segment) => segment.rendition === rendition).map(({ index }) => index);
    for (const { from, to } of runs(indexes)) {
      work.push({ id, rev, what: { kind: 'chunk', from, to, renditions: [rendition] } });
    }
  }
  if (segments.length === artifacts.length) return work;
  const thumbs = artifacts.flatMap((artifact) => (artifact.kind === 'thumb' ? [artifact.seconds] : []));
  return [...work, { id, rev, what: { kind: 'stills', thumbs } }];
}

/** Half-open runs of neighbours, none longer than a chunk. */
function runs(indexes: readonly number[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && last.to === index && last.to - last.from < SEGMENTS_PER_CHUNK) last.to += 1;
    else found.push({ from: index, to: index + 1 });
  }
  return found;
}

/** Everything that the list makes. */
export const prewarmedArtifacts = (plan: Plan): Artifact[] => [
  ...initsOf(plan, plan.prewarm),
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
