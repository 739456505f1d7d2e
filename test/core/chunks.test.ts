// How long chunks are: as long as one worker can do, as reading asks for, and as others can wait for.

import { planFor } from '../../core/plan/plan-for.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { cpuSecondsOfWork } from '../../core/work/cpu-seconds.ts';
import { workFor } from '../../core/work/work.ts';
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

function chunksOf(plan: Plan, lanes?: number) {
  const chunks = workFor('id', plan, lanes).filter(({ what }) => what.kind === 'chunk');
  const bounds = chunks.map(({ what }) => (what.kind === 'chunk' ? [what.from, what.to] : []));
  return { bounds, seconds: chunks.map((chunk) => cpuSecondsOfWork(plan, [chunk])) };
}

const film = planOf(1920, 1080, 7200, 8e6);

test.each([
  ['ten executions', 7, 30],
  ['lanes enough for all of it', 800, 20],
  ['hundreds of lanes, of which each has some', 500, 25],
])('a film’s are equally long, and none takes longer than others can wait for: %s', (_, lanes, most) => {
  const { bounds, seconds } = chunksOf(film, lanes);
  expect(bounds[0]![0]).toBe(0);
  expect(bounds.at(-1)![1]).toBe(segmentCount(film.grid));
  bounds.slice(1).forEach(([from], index) => expect(from).toBe(bounds[index]![1]));
  const oneMore = Math.max(...seconds) / (bounds[0]![1]! - bounds[0]![0]!);
  expect(Math.max(...seconds)).toBeLessThanOrEqual(most + oneMore);
  expect(Math.max(...seconds)).toBeGreaterThan(most / 2);
});

test('one lane makes no longer ones than a few', () => {
  expect(chunksOf(film, 1)).toEqual(chunksOf(film, 7));
});

test('where little is to be done for many bytes, a chunk is sixteen segments all the same', () => {
  const { bounds } = chunksOf(planOf(426, 240, 640, 20e6));
  const lengths = bounds.map(([from, to]) => to! - from!);
  expect(Math.max(...lengths)).toBe(16);
});

test('where much is to be done for each segment, a chunk is four of them at the least', () => {
  const { bounds } = chunksOf(planOf(7680, 4320, 80, 50e6));
  expect(bounds[0]).toEqual([0, 4]);
});
