// The work list of a prewarm: runs of segments, each a job of one ffmpeg process for all renditions, and the still
// pictures. Plain data, so that anybody can work it off, on one machine or many.

import { valueOf } from '../fraction.ts';
import type { Artifact } from '../artifacts/artifact.ts';
import { renditionsOf } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { Work } from '../records/work.ts';
import { segmentCount } from '../plan/grid.ts';
import { initsOf, segmentsOf } from '../plan/segments.ts';
import { sheetCount } from '../plan/stills.ts';
import { cpuSecondsOfSegments } from './cpu-seconds.ts';
import { DEFAULT_PREWARM_CONCURRENCY } from './lanes.ts';

// What a worker makes in one go, about half a minute: also where keyframes are near and bytes are many. But where much is to be
// done, a quarter of that: an encoder takes as long to begin as for 0.8 s of film (bench/scale.ts --calibrate).
const USUAL_SEGMENTS_PER_CHUNK = 16;
const LEAST_SEGMENTS_PER_CHUNK = 4;
// What each chunk reads beside its own bytes: the source's head and index, the way from the keyframe before it (half
// their distance, on average), and what ffmpeg has been sent when it has enough. A chunk is so long that this is little,
// as long as one worker can do it.
const BYTES_READ_BESIDE = 2.5 * 1024 ** 2;
const SHARE_READ_BESIDE = 1 / 12;
// What a dying worker takes with it, and what everybody else waits for: fifteen seconds of 1080p. Less where
// there are lanes enough for all chunks of a film at once: then its slowest one is what it waits for.
const MOST_CPU_SECONDS_PER_CHUNK = { usually: 30, leastOfMany: 20 };
// A chunk is on the worker's disk until it is whole; its sound is one file.
const MOST_BYTES_PER_CHUNK = 512 * 1024 ** 2;
const MOST_SEGMENTS_PER_CHUNK = 512;

/**
 * What can be watched comes before what can be looked at.
 * @param lanes how many items are made at once
 */
export function workFor(id: string, plan: Plan, lanes = DEFAULT_PREWARM_CONCURRENCY): Work[] {
  if (plan.prewarm.length === 0) return [];
  const count = segmentCount(plan.grid);
  const length = chunkLength(plan, count, lanes);
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

/** Half-open runs of neighbours, none longer than the shortest chunks. */
function runs(indexes: readonly number[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && last.to === index && last.to - last.from < LEAST_SEGMENTS_PER_CHUNK) last.to += 1;
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

/** In segments. A film's chunks are of equal length: a short last one would read as much beside its bytes. */
function chunkLength(plan: Plan, count: number, lanes: number): number {
  const { source, grid } = plan;
  const segmentSeconds = grid.segmentFrames / valueOf(grid.frameRate);
  const segmentsBeside =
    source.keyframeSeconds / 2 / segmentSeconds + (BYTES_READ_BESIDE * count) / source.sizeBytes;
  const cpuSeconds = cpuSecondsOfSegments(plan);
  const { usually, leastOfMany } = MOST_CPU_SECONDS_PER_CHUNK;
  const most = Math.min(
    MOST_SEGMENTS_PER_CHUNK,
    (Math.max(leastOfMany, Math.min(usually, cpuSeconds / lanes)) * count) / cpuSeconds,
    MOST_BYTES_PER_CHUNK / (writtenBytesPerSecond(plan) * segmentSeconds),
  );
  const wanted = Math.max(USUAL_SEGMENTS_PER_CHUNK, segmentsBeside / SHARE_READ_BESIDE);
  const length = Math.max(LEAST_SEGMENTS_PER_CHUNK, Math.min(wanted, most));
  return Math.ceil(count / Math.ceil(count / length));
}

/** At the most. */
const writtenBytesPerSecond = (plan: Plan): number =>
  renditionsOf(plan, 'video')
    .filter(({ name }) => plan.prewarm.includes(name))
    .reduce((sum, { maxBitrateBps }) => sum + maxBitrateBps / 8, 0);
