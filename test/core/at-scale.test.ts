// The queue of a whole account, simulated (bench/scale.ts): the admission rules among many workers, which lose writes to each
// other, sandboxes that die, and machines that are refused.

import { NO_ADMISSION_COST } from '../../bench/support/simulation/admission-cost.ts';
import { planOfVideo } from '../../bench/support/simulation/scenarios.ts';
import { secondsWaited, simulated } from '../../bench/support/simulation/simulation.ts';
import type { Scenario, Upload } from '../../bench/support/simulation/simulation.ts';

const FILM = planOfVideo(600);
const CLIP = planOfVideo(10);

const scenario = (executions: number, lanes: readonly number[], uploads: readonly Upload[]): Scenario => ({
  ...{ executions, lanes, uploads, seeksPerMinute: 2, cost: NO_ADMISSION_COST, seed: 'test' },
});

const uploads = (count: number, plan: Upload['plan'], kind: string, everySeconds: number): Upload[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ plan, kind, group: `group-${index % 3}`, atSeconds: index * everySeconds },
  }));

test('ten executions make films and clips, never more at once than there are lanes, and idle little', async () => {
  const all = [...uploads(5, FILM, 'film', 0), ...uploads(20, CLIP, 'clip', 60)];
  // Five films leave so many machines behind that an account with ten executions gets no more for minutes. That is another test's.
  const { videos, lanes, seekWaits, queue } = await simulated({ ...scenario(10, [7], all), isShared: true });
  expect(videos.filter(({ readyAt }) => readyAt === undefined)).toEqual([]);
  expect(lanes.mostAtOnce).toBe(7);
  expect(lanes.idleThoughWork).toBeLessThan(0.15);
  expect(Math.max(...seekWaits.map(secondsWaited))).toBeLessThan(60);
  expect(queue.givenUp).toBe(0);
});

test('a clip takes so few machines that one can come each minute', async () => {
  const clips = uploads(20, planOfVideo(30), 'clip', 60);
  const result = await simulated({ ...scenario(10, [7], clips), seeksPerMinute: 0 });
  expect(result.refused.machines).toBe(0);
  expect(result.lanes.idleThoughWork).toBeLessThan(0.05);
});

test('many workers share one queue, and nothing is lost', async () => {
  const lanes = [24, 24, 24, 8];
  const { videos, queue, ...result } = await simulated(
    scenario(100, lanes, [...uploads(10, FILM, 'film', 0), ...uploads(200, CLIP, 'clip', 1)]),
  );
  expect(videos.filter(({ readyAt }) => readyAt === undefined)).toEqual([]);
  expect(result.lanes.mostAtOnce).toBeLessThanOrEqual(80);
  expect(queue.lost).toBeGreaterThan(0); // otherwise nobody has shared it
  expect(queue.givenUp).toBe(0);
});

test('what is uploaded while all is taken becomes ready later', async () => {
  const crowd = uploads(60, CLIP, 'clip', 0);
  const { videos, lanes, refused } = await simulated(scenario(10, [7], crowd));
  expect(refused.executions).toBeGreaterThan(0);
  expect(videos.filter(({ readyAt }) => readyAt === undefined)).toEqual([]);
  expect(lanes.mostAtOnce).toBeLessThanOrEqual(7);
});

test('a group with one film gets half of the lanes', async () => {
  const film = (group: string, kind = 'film') => ({ plan: FILM, kind, group, atSeconds: 0, isQueued: true });
  const all = [...Array.from({ length: 20 }, () => film('many')), film('one', 'single')];
  const { lanes } = await simulated({ ...scenario(10, [8], all), seeksPerMinute: 0, awaits: 'single' });
  const [many, one] = ['many', 'one'].map((group) => lanes.secondsByGroup.get(group)!);
  expect(one! / (one! + many!)).toBeCloseTo(0.5, 1);
});
