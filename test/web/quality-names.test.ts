import { qualityNames } from '../../web/player/quality-names.ts';

test.each([
  [
    ['1280x720', '640x360', '416x234'],
    ['720p', '360p', '234p'],
  ],
  [
    ['720x1280', '234x416'],
    ['720p', '234p'],
  ],
  [
    ['320x240', '320x240'],
    ['240p', '240p low'],
  ],
])('qualities of %j are called %j', (sizes, names) => {
  const parsed = sizes.map((size) => size.split('x').map(Number) as [number, number]);
  expect(qualityNames(parsed.map(([width, height]) => ({ width, height })))).toEqual(names);
});
