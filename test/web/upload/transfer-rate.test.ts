import { contentTypeOf } from '../../../web/api.ts';
import { rateOf, withSample } from '../../../web/upload/transfer-rate.ts';
import type { Sample } from '../../../web/upload/transfer-rate.ts';

test.each([
  ['video/mp4', 'video/mp4'],
  ['video/x-matroska', 'video/x-matroska'],
  ['', 'application/octet-stream'], // what browsers say of .mkv and many others
  ['video/mp4; codecs="avc1"', 'application/octet-stream'],
  ['video', 'application/octet-stream'],
])('a file of type %j is sent as %s', (type, contentType) => {
  expect(contentTypeOf({ type })).toBe(contentType);
});

const samplesOf = (...points: [atMs: number, sentBytes: number][]): Sample[] =>
  points.reduce<Sample[]>((samples, [atMs, sentBytes]) => withSample(samples, { atMs, sentBytes }), []);

test('a rate is taken from the last four seconds, not from the whole upload', () => {
  const samples = samplesOf(
    [0, 0],
    [1000, 9_000_000],
    [2000, 18_000_000],
    [6000, 18_400_000],
    [8000, 18_600_000],
  );
  expect(rateOf(samples, 8000)).toBeCloseTo(100_000);
});

test('no rate is claimed from the first moments', () => {
  expect(rateOf(samplesOf([0, 0], [100, 5_000_000]), 100)).toBeUndefined();
  expect(rateOf([], 100)).toBeUndefined();
});

test('when nothing moves any more the rate is nought', () => {
  expect(rateOf(samplesOf([0, 0], [1000, 5_000_000]), 5500)).toBe(0);
});

test('the samples kept do not grow with the upload', () => {
  const points = Array.from({ length: 10_000 }, (_, index): [number, number] => [index * 50, index * 1000]);
  expect(samplesOf(...points).length).toBeLessThan(100);
});
