import { outputFrameRate } from '../../core/source/frame-rate.ts';
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
