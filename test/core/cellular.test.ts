// The variant for cellular lines: what a source gets, and that it is within 192 kbit/s as declared.

import { peakBound, peakBps } from '../../core/plan/bandwidth.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import { openingRenditions } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { multivariantPlaylist } from '../../core/playlists/playlists.ts';
import { PLAN } from '../../core/records/plan.ts';
import { THIRD_RECIPE } from '../../core/recipes/third.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

interface Film {
  width: number;
  height: number;
  framesPerSecond: number;
  frames: number;
  isSilent?: boolean;
}

const planOf = ({ width, height, framesPerSecond, frames, isSilent }: Film): Plan => {
  const rate = { num: framesPerSecond * 1000, den: 1000 };
  const video = { width, height, frames, baseFrameRate: rate, averageFrameRate: rate };
  const probe = probeOf({ video, ...(isSilent ? {} : { audio: {} }) });
  return planFor(probe, SOURCE, { maxDurationSeconds: 4000, prewarm: 'all' });
};

/** In the playlist's order. */
const variantsOf = (plan: Plan) =>
  [...multivariantPlaylist(plan).matchAll(/:BANDWIDTH=(\d+),.*\n.*?\/(.+)\/index.m3u8/g)].map(
    ([, bandwidth, name]) => ({ bandwidth: Number(bandwidth), name }),
  );

test.each<[number, number, string[]]>([
  [1920, 1080, ['720p 1280x720', '480p 854x480', '360p 640x360', '234p 416x234']],
  [1080, 1920, ['720p 720x1280', '480p 480x854', '360p 360x640', '234p 234x416']],
  [768, 576, ['720p 768x576', '480p 640x480', '360p 480x360', '234p 312x234']],
  [480, 270, ['270p 480x270', '270p-low 480x270']], // 234 lines would be 75 % of it
  [320, 240, ['240p 320x240', '240p-low 320x240']],
])('a %i x %i source ends with %j', (width, height, expected) => {
  const { renditions } = planOf({ width, height, framesPerSecond: 25, frames: 1000 });
  const rungs = renditions.flatMap((own) =>
    own.kind === 'video' ? [`${own.name} ${own.width}x${own.height}`] : [],
  );
  expect(rungs.slice(-expected.length)).toEqual(expected);
  expect(renditions.filter(({ isCellular }) => isCellular).map(({ name }) => name)).toEqual([
    expected.at(-1)!.split(' ')[0],
    'audio-0-low',
  ]);
});

test('of any size, rate and length of a second or more, exactly one variant is within 192 kbit/s, and it is the last', () => {
  for (const [width, height] of [
    [1920, 1080],
    [1920, 800],
    [480, 854],
    [320, 240],
    [64, 48],
  ] as const) {
    for (const framesPerSecond of [5, 12, 24, 25, 30, 50, 60]) {
      for (const seconds of [1, 2, 3, 4, 4.6, 6, 7.9, 100]) {
        const frames = Math.round(seconds * framesPerSecond);
        for (const isSilent of [false, true]) {
          const variants = variantsOf(planOf({ width, height, framesPerSecond, frames, isSilent }));
          const within = variants.filter(({ bandwidth }) => bandwidth <= 192_000);
          expect(within).toEqual(variants.slice(-1));
        }
      }
    }
  }
});

test('players begin with the lowest usual rung and the usual sound', () => {
  const plan = planOf({ width: 1280, height: 720, framesPerSecond: 30, frames: 300 });
  expect(variantsOf(plan).map(({ name }) => name)).toEqual(['360p', '480p', '720p', '234p']);
  expect(openingRenditions(plan).map(({ name }) => name)).toEqual(['360p', 'audio-0']);
});

test('pictures that are within the bound without sound need no further variant, nor does sound alone', () => {
  const tiny = planOf({ width: 64, height: 48, framesPerSecond: 5, frames: 1000, isSilent: true });
  expect(tiny.renditions.map(({ name }) => name)).toEqual(['48p']);
  const song = planFor(probeOf({ audio: {} }), SOURCE, { maxDurationSeconds: 4000, prewarm: 'all' });
  expect(song.renditions.map(({ name }) => name)).toEqual(['audio-0']);
});

test('the peak is that of runs from half a target duration to one and a half', () => {
  const segments = (...pairs: [seconds: number, bits: number][]) =>
    peakBps(pairs.map(([seconds, bits]) => ({ seconds, bits })));
  expect(segments([4, 400], [4, 800], [2, 600])).toBe(300); // a last one of half a target counts alone
  expect(segments([4, 400], [4, 800], [1, 600])).toBe(280); // a shorter one with the one before it
  expect(segments([4, 400], [4, 800], [3, 300])).toBe(200); // seven seconds are too many
  expect(segments([0.04, 100])).toBe(200); // nothing else is there
});

test('a bound of the third recipe is what it was but for short ends', () => {
  const { grid, renditions } = planOf({ width: 640, height: 360, framesPerSecond: 25, frames: 1000 });
  const [rung] = renditions;
  const ofTwoGops = { ...grid, segmentFrames: 2 * grid.gopFrames };
  const bound = peakBound({ grid: ofTwoGops, recipe: THIRD_RECIPE }, rung!);
  expect(bound / (800_000 * 1.25)).toBeGreaterThan(1.05);
  expect(bound / (800_000 * 1.25)).toBeLessThan(1.08);
});

test('a release that knows nothing of it refuses the plan', () => {
  const plan = planOf({ width: 640, height: 360, framesPerSecond: 25, frames: 1000 });
  const stored = PLAN.stored(plan);
  expect(stored.version).toBe(5);
  expect(PLAN.parse(stored, 'key')).toEqual(plan);
  const { renditions, ...before } = { ...stored, version: 3 };
  const usual = renditions.filter(({ isCellular }) => !isCellular);
  expect(PLAN.parse({ ...before, renditions: usual }, 'key')).toEqual({ ...plan, renditions: usual });
});
