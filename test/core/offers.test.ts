import { offers, storedBytes } from '../../core/plan/offers.ts';
import { renditionsOf } from '../../core/plan/plan.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

const planOf = (framesPerSecond: number, seconds = 3600) => {
  const rate = { num: framesPerSecond, den: 1 };
  const frames = framesPerSecond * seconds;
  const video = { width: 1920, height: 1080, frames, baseFrameRate: rate, averageFrameRate: rate };
  const settings = { maxDurationSeconds: 4000, prewarm: 'all' } as const;
  return planFor(probeOf({ video, audio: {} }), SOURCE, settings);
};

const catalogue = {
  plan: planOf(30),
  videos: 1,
  viewings: 1,
  sourceBitrateBps: 8_000_000,
  viewedBitrateBps: 3_000_000,
};

const named = (of: Partial<typeof catalogue> = {}) =>
  Object.fromEntries(offers({ ...catalogue, ...of }).map((offer) => [offer.name, offer]));

test('MediaConvert bills two HD and three SD outputs by the minute, twice as much above 30 pictures a second', () => {
  expect(named()['MediaConvert']!.preparation).toBeCloseTo(60 * 0.0525, 9);
  expect(named({ plan: planOf(60) })['MediaConvert']!.preparation).toBeCloseTo(60 * 0.105, 9);
});

test('CloudFront bills by the gigabyte, less for those above ten terabytes', () => {
  const traffic = (videos: number) => named({ videos })['Instant HLS']!.delivery;
  const requests = (2 * 1801 + 1) * (1 + 0.1 + 0.03) * 1e-6 + 2 * 1800 * 0.4e-6;
  expect(traffic(1)).toBeCloseTo(1.35 * 0.085 + requests, 9);
  expect(traffic(10_000)).toBeCloseTo(10_000 * 0.085 + 3500 * 0.08 + 10_000 * requests, 6);
});

test('what is not watched costs no delivery, with anybody', () => {
  expect(offers({ ...catalogue, viewings: 0 }).map(({ delivery }) => delivery)).toEqual([0, 0, 0, 0]);
});

test('services that bill by the minute do so whatever is stored', () => {
  expect(named({ sourceBitrateBps: 80_000_000 })['Cloudflare Stream']).toEqual({
    name: 'Cloudflare Stream',
    preparation: 0,
    storagePerMonth: 60 * 0.005,
    delivery: 60 * 0.001,
  });
});

test('storage is reckoned with every rung at its cap', () => {
  const { sourceBytes, artifactBytes } = storedBytes(catalogue);
  expect(sourceBytes).toBe(3.6e9);
  const { maxBitrateBps: cellular } = renditionsOf(catalogue.plan, 'video').at(-1)!;
  const rungs = 5_000_000 + 2_800_000 + 1_400_000 + 800_000 + cellular;
  expect(artifactBytes).toBe(((rungs + 128_000 + 40_000) * 3600) / 8);
});
