import { countedRate, neededFrameRate, outputFrameRate } from '../../core/source/frame-rate.ts';
import type { Fraction } from '../../core/fraction.ts';

const rate = (num: number, den = 1): Fraction => ({ num, den });

test.each<[string, Fraction, Fraction, Fraction]>([
  ['film', rate(24), rate(24), rate(24)],
  ['film on NTSC', rate(24_000, 1001), rate(24_000, 1001), rate(24_000, 1001)],
  ['film on NTSC, counted in milliseconds', rate(2997, 125), rate(2997, 125), rate(24_000, 1001)],
  ['PAL', rate(25), rate(25), rate(25)],
  ['NTSC', rate(30_000, 1001), rate(30_000, 1001), rate(30_000, 1001)],
  ['one picture a second', rate(1), rate(1), rate(5)],
  ['two pictures a second', rate(2), rate(2), rate(6)],
  ['one picture in ten minutes', rate(1, 600), rate(1, 600), rate(5)],
  [
    'a rate whose multiple no encoder could count',
    rate(999_983, 599_999_999),
    rate(999_983, 599_999_999),
    rate(5),
  ],
  ['twice 60', rate(120), rate(120), rate(60)],
  ['four times 59.94', rate(240_000, 1001), rate(240_000, 1001), rate(60_000, 1001)],
  ['90, which has no standard half', rate(90), rate(90), rate(45)],
  ['a phone whose 30 has gaps', rate(30), rate(299, 10), rate(30_000, 1001)],
  ['a screen recording', rate(60), rate(131, 10), rate(12)],
])('%s: a base of %j and an average of %j become %j', (_, baseFrameRate, averageFrameRate, expected) => {
  expect(outputFrameRate({ baseFrameRate, averageFrameRate })).toEqual(expected);
});

const spread = (rate: number, seconds: number, kept = (_: number): boolean => true): number[] =>
  Array.from({ length: Math.round(rate * seconds) }, (_, index) => index)
    .filter(kept)
    .map((index) => index / rate);
const inMilliseconds = (times: number[]): number[] => times.map((time) => Math.round(time * 1000) / 1000);
const VARIABLE = { baseFrameRate: rate(1000), averageFrameRate: rate(20), isInterlaced: false };

test.each<[string, number[], Fraction]>([
  ['a film at 29.97', spread(30 / 1.001, 60), rate(30_000, 1001)],
  ['a film at 30', spread(30, 60), rate(30)],
  ['a film at 29.97 in milliseconds', inMilliseconds(spread(30 / 1.001, 60)), rate(30_000, 1001)],
  ['a film at 30 in milliseconds', inMilliseconds(spread(30, 60)), rate(30)],
  ['a film at 23.976 in milliseconds', inMilliseconds(spread(24 / 1.001, 60)), rate(24_000, 1001)],
  ['a film at 24 in milliseconds', inMilliseconds(spread(24, 60)), rate(24)],
  ['a film at 59.94 in milliseconds', inMilliseconds(spread(60 / 1.001, 60)), rate(60_000, 1001)],
  ['a film at 30 of which a third runs at 5', spread(30, 60, (n) => n % 6 === 0 || n > 600), rate(30)],
  ['bursts of 50 in an average of 10', spread(50, 20, (n) => n % 50 < 10), rate(50)],
  ['one burst of 50 in a lecture at 10', spread(50, 600, (n) => n % 5 === 0 || n < 20), rate(10)],
  [
    'pairs of pictures a millisecond apart',
    [...spread(25, 60), ...spread(25, 60).map((at) => at + 0.001)],
    rate(25),
  ],
  [
    'a second of 240 pictures in a minute of 30',
    [...spread(30, 60), ...spread(240, 1).map((at) => 60 + at)],
    rate(60),
  ],
])('%s needs a grid as fast as its pictures', (_, times, needed) => {
  expect(neededFrameRate(VARIABLE, countedRate(times))).toEqual(needed);
});

test('a constant rate that is counted as claimed stays as claimed', () => {
  const claimed = { baseFrameRate: rate(90_000, 1501), averageFrameRate: rate(90_000, 1501) };
  const counted = countedRate(inMilliseconds(spread(90_000 / 1501, 5)));
  expect(neededFrameRate({ ...claimed, isInterlaced: false }, counted)).toBeUndefined();
});

test('fields that are counted one by one make half as many pictures', () => {
  const claimed = { baseFrameRate: rate(60_000, 1001), averageFrameRate: rate(30_000, 1001) };
  expect(neededFrameRate({ ...claimed, isInterlaced: true }, countedRate(spread(60 / 1.001, 10)))).toEqual(
    rate(30_000, 1001),
  );
});
