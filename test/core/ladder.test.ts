import { ladderFor } from '../../core/plan/ladder.ts';

test.each([
  [1920, 1080, ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360']],
  [1080, 1920, ['1080p 1080x1920', '720p 720x1280', '480p 480x854', '360p 360x640']],
  [3840, 2160, ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360']],
  [1280, 719, ['480p 854x480', '360p 640x360']], // never upscaled, not by a line
  [426, 240, ['240p 426x240']], // below every rung: keep it as it is
  [161, 121, ['121p 162x122']], // libx264 refuses odd sides
  [10, 6, ['6p 10x6']],
])('a %i x %i source gets %j', (width, height, expected) => {
  const rungs = ladderFor({ width, height }, 30);
  expect(rungs.map((rung) => `${rung.name} ${rung.width}x${rung.height}`)).toEqual(expected);
});

test('a high frame rate may cost half as much again', () => {
  expect(ladderFor({ width: 1280, height: 720 }, 60)[0]!.maxBitrateBps).toBe(4_200_000);
});
