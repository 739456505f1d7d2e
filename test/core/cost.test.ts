import { costEstimate } from '../../core/work/cost.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import type { PrewarmExtent } from '../../core/plan/plan-for.ts';
import type { Effort } from '../../core/plan/plan.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

const HOUR_FRAMES = 3600 * 30;
const rate = { num: 30, den: 1 };
const video = {
  width: 1920,
  height: 1080,
  frames: HOUR_FRAMES,
  baseFrameRate: rate,
  averageFrameRate: rate,
};

const estimate = (prewarm: PrewarmExtent, prewarmEffort: Effort = 'thorough') => {
  const settings = { maxDurationSeconds: 4000, prewarm, prewarmEffort };
  const plan = planFor(probeOf({ video, audio: {} }), SOURCE, settings);
  return costEstimate(plan, { sourceBytes: 4e9, artifactBytes: 1e9 });
};

test('an hour of 1080p costs about what the bench measured for a second, 3,600 times', () => {
  const { computeSeconds, estimatedDollars, storageBytesPerMonth } = estimate('all', 'quick');
  expect(computeSeconds / 3600).toBeGreaterThan(1.25);
  expect(computeSeconds / 3600).toBeLessThan(1.25 * 1.15);
  expect(estimatedDollars.preparation).toBeGreaterThan(0.1);
  expect(estimatedDollars.preparation).toBeLessThan(0.3);
  expect(storageBytesPerMonth).toBe(5e9);
  expect(estimatedDollars.storagePerMonth).toBeCloseTo(0.115, 6);
});

test('what is made thoroughly ahead of time costs more, and less than half as much again', () => {
  const [thorough, quick] = [estimate('all'), estimate('all', 'quick')].map((one) => one.computeSeconds);
  expect(thorough! / quick!).toBeGreaterThan(1.2);
  expect(thorough! / quick!).toBeLessThan(1.5);
});

test('what is made only when watched costs nothing ahead of time', () => {
  expect(estimate('lowest').computeSeconds).toBeLessThan(estimate('all').computeSeconds / 3);
  expect(estimate('none')).toMatchObject({ computeSeconds: 0, estimatedDollars: { preparation: 0 } });
});
