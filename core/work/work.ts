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

// What a worker makes in one go, about half a minute: also where keyframes are near and bytes are many.
const LEAST_SEGMENTS_PER_CHUNK = 16;
// What each chunk reads beside its own bytes: the source's head and index, the way from the keyframe before it (half
// their distance, on average), and what ffmpeg has been sent when it has enough. A chunk is so long that this is little,
// as long as one worker can do it.
const BYTES_READ_BESIDE = 2.5 * 1024 ** 2;
const SHARE_READ_BESIDE = 1 / 12;
// What a dying worker takes with it, and what a film's beginning waits for: about half a minute of 1080p.
const MOST_CPU_SECONDS_PER_CHUNK = 40;
// Shorter chunks let whoever comes wait less, and all lanes help. But each lane that a video has at once is another machine,
// which is kept for minutes and serves nobody else (docs/decisions/058); and to begin a chunk takes as long as 1.5 s of film
// (bench/scale.ts --calibrate). So they are shorter where a video has more chunks than lanes all the same, at least twice as
// many,
const MORE_THAN_LANES = 2;
const CPU_SECONDS_OF_MANY = 30;
// and a film's, where nothing else is queued and there are lanes for all of it.
const LEAST_CHUNKS_OF_FILM = 32;
const LEAST_CPU_SECONDS_OF_SPREAD = 20;
const LEAST_SEGMENTS_OF_SHORT = 4;
// A chunk is on the worker's disk until it is whole; its sound is one file.
const MOST_BYTES_PER_CHUNK = 512 * 1024 ** 2;
const MOST_SEGMENTS_PER_CHUNK = 512;

/** Who makes what is on a list. */
export interface Room {
  /** How many items are made at once, of all videos. */
  lanes: number;
  /** Whether nothing else waits for them. */
  isEmpty: boolean;
}

/** As a new account has it, where one is not known. */
const USUAL_ROOM: Room = { lanes: DEFAULT_PREWARM_CONCURRENCY, isEmpty: false };

/** What can be watched comes before what can be looked at. */
export function workFor(id: string, plan: Plan, room = USUAL_ROOM): Work[] {
  if (plan.prewarm.length === 0) return [];
  const count = segmentCount(plan.grid);
  const length = chunkLength(plan, count, room);
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

/** Of a list: which items, by their indexes, make some of these. */
export function itemsThatMake(artifacts: readonly Artifact[], work: readonly Work[]): number[] {
  return work.flatMap(({ what }, index) =>
    artifacts.some((artifact) => makes(what, artifact)) ? [index] : [],
  );
}

function makes(what: Work['what'], artifact: Artifact): boolean {
  if (artifact.kind !== 'segment' && artifact.kind !== 'init') return what.kind === 'stills';
  if (what.kind === 'stills') return false;
  const { from, to, renditions } = what;
  if (renditions && !renditions.includes(artifact.rendition)) return false;
  const index = artifact.kind === 'init' ? 0 : artifact.index; // as whoever makes the first segment makes it too
  return from <= index && index < to;
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
function chunkLength(plan: Plan, count: number, room: Room): number {
  const { source, grid } = plan;
  const segmentSeconds = grid.segmentFrames / valueOf(grid.frameRate);
  const segmentsBeside =
    source.keyframeSeconds / 2 / segmentSeconds + (BYTES_READ_BESIDE * count) / source.sizeBytes;
  const cpuSeconds = cpuSecondsOfSegments(plan);
  const within = (most: number) => (most * count) / cpuSeconds;
  const most = Math.min(
    MOST_SEGMENTS_PER_CHUNK,
    within(MOST_CPU_SECONDS_PER_CHUNK),
    MOST_BYTES_PER_CHUNK / (writtenBytesPerSecond(plan) * segmentSeconds),
  );
  const usual = Math.max(LEAST_SEGMENTS_PER_CHUNK, Math.min(segmentsBeside / SHARE_READ_BESIDE, most));
  const short = within(shortCpuSeconds(cpuSeconds, Math.ceil(count / usual), room));
  const length = Math.min(usual, Math.max(LEAST_SEGMENTS_OF_SHORT, short));
  return Math.ceil(count / Math.ceil(count / length));
}

/** The most that a chunk may take, where there would be so many of the usual length; Infinity for those as they are. */
function shortCpuSeconds(cpuSeconds: number, chunks: number, { lanes, isEmpty }: Room): number {
  if (chunks >= MORE_THAN_LANES * lanes) return CPU_SECONDS_OF_MANY;
  if (isEmpty && chunks >= LEAST_CHUNKS_OF_FILM && chunks <= lanes) {
    return Math.max(LEAST_CPU_SECONDS_OF_SPREAD, Math.min(CPU_SECONDS_OF_MANY, cpuSeconds / lanes));
  }
  return Infinity;
}

/** At the most. */
const writtenBytesPerSecond = (plan: Plan): number =>
  renditionsOf(plan, 'video')
    .filter(({ name }) => plan.prewarm.includes(name))
    .reduce((sum, { maxBitrateBps }) => sum + maxBitrateBps / 8, 0);
