import { costEstimate } from '../../core/work/cost.ts';
import { planFor } from '../../core/plan/plan-for.ts';
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

const estimate = (prewarm: 'all' | 'lowest' | 'none') =>
  costEstimate(planFor(probeOf({ video, audio: {} }), SOURCE, { maxDurationSeconds: 4000, prewarm }), {
    sourceBytes: 4e9,
    artifactBytes: 1e9,
  });

test('an hour of 1080p costs about what the bench measured for a second, 3,600 times', () => {
  const { computeSeconds, estimatedDollars, storageBytesPerMonth } = estimate('all');
  expect(computeSeconds / 3600).toBeGreaterThan(1.25);
  expect(computeSeconds / 3600).toBeLessThan(1.25 * 1.15);
  expect(estimatedDollars.preparation).toBeGreaterThan(0.1);
  expect(estimatedDollars.preparation).toBeLessThan(0.25);
  expect(storageBytesPerMonth).toBe(5e9);
  expect(estimatedDollars.storagePerMonth).toBeCloseTo(0.115, 6);
});

test('what is made only when watched costs nothing ahead of time', () => {
  expect(estimate('lowest').computeSeconds).toBeLessThan(estimate('all').computeSeconds / 3);
  expect(estimate('none')).toMatchObject({ computeSeconds: 0, estimatedDollars: { preparation: 0 } });
});
