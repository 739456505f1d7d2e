// How long chunks are: as long as one worker can do, as reading asks for, and as others can wait for.

import type { Artifact } from '../../core/artifacts/artifact.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import type { Work } from '../../core/records/work.ts';
import { cpuSecondsOfWork } from '../../core/work/cpu-seconds.ts';
import { itemsThatMake, workFor } from '../../core/work/work.ts';
import type { Room } from '../../core/work/work.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

const rate = { num: 30, den: 1 };

function planOf(width: number, height: number, seconds: number, bitsPerSecond: number): Plan {
  const video = { width, height, frames: seconds * 30, baseFrameRate: rate, averageFrameRate: rate };
  return planFor(
    probeOf({ video, audio: {} }),
    { ...SOURCE, keyframeSeconds: 2, sizeBytes: (bitsPerSecond / 8) * seconds },
    { maxDurationSeconds: 10_000, prewarm: 'all', prewarmEffort: 'thorough' },
  );
}

function chunksOf(plan: Plan, room?: Room) {
  const chunks = workFor('id', plan, room).filter(({ what }) => what.kind === 'chunk');
  const bounds = chunks.map(({ what }) => (what.kind === 'chunk' ? [what.from, what.to] : []));
  return { bounds, seconds: chunks.map((chunk) => cpuSecondsOfWork(plan, [chunk])) };
}

const lengthsOf = (plan: Plan, room?: Room): Set<number> =>
  new Set(chunksOf(plan, room).bounds.map(([from, to]) => to! - from!));

const film = planOf(1920, 1080, 7200, 8e6);

test.each<[string, Room, number]>([
  ['a few lanes', { lanes: 7, isEmpty: false }, 30],
  ['one lane', { lanes: 1, isEmpty: true }, 30],
  ['lanes enough for all of it, and nothing else', { lanes: 800, isEmpty: true }, 20],
  ['many lanes that it shares with others', { lanes: 800, isEmpty: false }, 60],
])('a film’s are equally long, and none takes longer than others can wait for: %s', (_, room, most) => {
  const { bounds, seconds } = chunksOf(film, room);
  expect(bounds[0]![0]).toBe(0);
  expect(bounds.at(-1)![1]).toBe(segmentCount(film.grid));
  bounds.slice(1).forEach(([from], index) => expect(from).toBe(bounds[index]![1]));
  const oneMore = Math.max(...seconds) / (bounds[0]![1]! - bounds[0]![0]!);
  expect(Math.max(...seconds)).toBeLessThanOrEqual(most + oneMore);
  expect(Math.max(...seconds)).toBeGreaterThan(most / 2);
});

// Each chunk that is made at once takes a machine, which serves no other video and is kept for minutes.
test.each([
  [15, 1],
  [30, 1],
  [60, 2],
  [180, 6],
])('a clip of %i s is %i, whatever lanes are free', (seconds, count) => {
  const clip = planOf(1920, 1080, seconds, 8e6);
  for (const room of [
    { lanes: 7, isEmpty: true },
    { lanes: 800, isEmpty: true },
  ]) {
    expect(chunksOf(clip, room).bounds).toHaveLength(count);
  }
});

test('where little is to be done for many bytes, a chunk is sixteen segments', () => {
  expect(lengthsOf(planOf(426, 240, 640, 20e6))).toEqual(new Set([16]));
});

test('where much is to be done for each segment, a film’s are four of them at the least', () => {
  expect(Math.max(...lengthsOf(planOf(7680, 4320, 800, 50e6)))).toBe(4);
});

const segment = (rendition: string, index: number): Artifact => ({
  kind: 'segment',
  rev: 'r',
  rendition,
  index,
  extension: 'ts',
});

test.each<[string, Artifact[], number[]]>([
  ['nothing', [], []],
  ['a segment of the second', [segment('720p', 8)], [1]],
  [
    'what all of them make',
    [segment('720p', 0), segment('720p', 7), segment('audio-128k', 9), { kind: 'poster', rev: 'r' }],
    [0, 1, 3],
  ],
  ['an init', [{ kind: 'init', rev: 'r', rendition: 'av1', name: 'init.mp4' }], [2]],
  ['a rendition that one is of alone', [segment('av1', 1)], [2]],
])('the items of a list that make %s are found', (_, artifacts, expected) => {
  const chunk = (from: number, to: number, renditions: string[]): Work => ({
    ...{ id: 'id', rev: 'r', what: { kind: 'chunk', from, to, renditions } },
  });
  const ladder = ['720p', 'audio-128k'];
  const work: Work[] = [
    chunk(0, 8, ladder),
    chunk(8, 16, ladder),
    chunk(0, 8, ['av1']),
    { id: 'id', rev: 'r', what: { kind: 'stills', thumbs: [] } },
  ];
  expect(itemsThatMake(artifacts, work)).toEqual(expected);
});
