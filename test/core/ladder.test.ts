import { ladderFor } from '../../core/plan/ladder.ts';

test.each([
  [1920, 1080, ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360']],
  [1080, 1920, ['1080p 1080x1920', '720p 720x1280', '480p 480x854', '360p 360x640']],
  [3840, 2160, ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360']],
  [1920, 800, ['1080p 1920x800', '720p 1280x534', '480p 854x356', '360p 640x266']], // a film in CinemaScope
  [768, 576, ['720p 768x576', '480p 640x480', '360p 480x360']], // PAL keeps its lines
  [768, 432, ['480p 768x432', '360p 640x360']],
  [1440, 1080, ['1080p 1440x1080', '720p 960x720', '480p 640x480', '360p 480x360']],
  [1080, 1080, ['1080p 1080x1080', '720p 720x720', '480p 480x480', '360p 360x360']],
  [3026, 1386, ['1080p 1920x880', '720p 1280x586', '480p 854x392', '360p 640x294']],
  [1280, 718, ['720p 1280x718', '480p 854x480', '360p 640x360']],
  [900, 506, ['720p 900x506', '360p 640x360']], // 480p would be 90 % of it
  [640, 272, ['360p 640x272']],
  [426, 240, ['240p 426x240']], // below every usual size: keep it as it is
  [161, 121, ['122p 162x122']], // libx264 refuses odd sides
  [10, 6, ['6p 10x6']],
])('a %i x %i source gets %j', (width, height, expected) => {
  const rungs = ladderFor({ width, height }, 30);
  expect(rungs.map((rung) => `${rung.name} ${rung.width}x${rung.height}`)).toEqual(expected);
});

test.each([
  [
    '2160p',
    3840,
    2160,
    ['2160p 3840x2160', '1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360'],
  ],
  [
    '2160p',
    2160,
    3840,
    ['2160p 2160x3840', '1080p 1080x1920', '720p 720x1280', '480p 480x854', '360p 360x640'],
  ],
  [
    '1440p',
    3840,
    2160,
    ['1440p 2560x1440', '1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360'],
  ],
  ['2160p', 1920, 1080, ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360']],
] as const)('with %s as the largest, a %i x %i source gets %j', (largest, width, height, expected) => {
  const rungs = ladderFor({ width, height }, 30, largest);
  expect(rungs.map((rung) => `${rung.name} ${rung.width}x${rung.height}`)).toEqual(expected);
});

test('names are unique, nothing is upscaled, and each rung has at most 70 % of the pixels of the one above', () => {
  for (let width = 16; width <= 2600; width += 127) {
    for (let height = 16; height <= 2600; height += 131) {
      const rungs = ladderFor({ width, height }, 30, '2160p');
      expect(new Set(rungs.map(({ name }) => name)).size).toBe(rungs.length);
      rungs.forEach((rung, index) => {
        expect(rung.width <= width + 1 && rung.height <= height + 1).toBe(true);
        const above = rungs[index - 1];
        if (above) expect(rung.width * rung.height).toBeLessThanOrEqual(0.7 * above.width * above.height);
      });
    }
  }
});

test('a high frame rate may cost half as much again', () => {
  expect(ladderFor({ width: 1280, height: 720 }, 60)[0]!.maxBitrateBps).toBe(4_200_000);
});

test('bit rates follow the pixels', () => {
  const rates = (width: number, height: number) =>
    ladderFor({ width, height }, 25, '2160p').map((rung) => rung.maxBitrateBps);
  expect(rates(1920, 1080)).toEqual([5_000_000, 2_800_000, 1_400_000, 800_000]);
  expect(rates(3840, 2160)[0]).toBe(14_142_000);
  expect(rates(1920, 800)).toEqual([4_034_000, 2_168_000, 1_047_000, 637_565]);
});
