import { adtsFrames } from '../../core/formats/adts.ts';
import { packedAudio } from '../../core/formats/timestamp-tag.ts';
import { parseByteRange } from '../../core/byte-range.ts';
import { scaledRound } from '../../core/fraction.ts';
import { countPictures } from '../../core/formats/transport-stream/pictures.ts';

const frame = (length: number): Uint8Array => {
  const bytes = Buffer.alloc(length);
  bytes.set([0xff, 0xf1, 0x4c, 0x80 | (length >> 11), (length >> 3) & 0xff, (length & 7) << 5, 0xfc]);
  return bytes;
};

test('an ADTS stream is split into its frames', () => {
  expect(adtsFrames(Buffer.concat([frame(7), frame(300), frame(2050)])).map(({ length }) => length)).toEqual([
    7, 300, 2050,
  ]);
});

test('a cut-off ADTS frame is an error', () => {
  expect(() => adtsFrames(frame(300).subarray(0, 200))).toThrow('ADTS: frame at byte 0 is cut off');
});

test.each([0, 1, 6, 7, 299])(
  'of a stream that was cut off %i bytes into a frame the whole ones are left',
  (left) => {
    const stream = Buffer.concat([frame(7), frame(300), frame(300).subarray(0, left)]);
    expect(adtsFrames(stream, true).map(({ length }) => length)).toEqual([7, 300]);
  },
);

test('packed audio begins with the time stamp of its first sample', () => {
  const bytes = Buffer.from(packedAudio([frame(7)], 10));
  expect(bytes.subarray(0, 3).toString()).toBe('ID3');
  expect(bytes.readBigUInt64BE(bytes.length - 7 - 8)).toBe(900_000n);
  const size = (bytes[8]! << 7) | bytes[9]!;
  expect(bytes.length).toBe(10 + size + 7);
});

test.each([
  [undefined, undefined],
  ['bytes=0-99', { first: 0, last: 99 }],
  ['bytes=900-', { first: 900, last: 999 }],
  ['bytes=900-5000', { first: 900, last: 999 }],
  ['bytes=-10', { first: 990, last: 999 }],
  ['bytes=-5000', { first: 0, last: 999 }],
  ['bytes=1000-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-2', undefined],
  ['bytes=0-1,5-6', undefined],
  ['lines=0-1', undefined],
])('of 1,000 bytes, %j is %j', (header, expected) => {
  expect(parseByteRange(header, 1000)).toEqual(expected);
});

test('rounding is exact where doubles are not', () => {
  expect(scaledRound(3, { num: 1, den: 2 })).toBe(2);
  expect(scaledRound(-3, { num: 1, den: 2 })).toBe(-1);
  expect(scaledRound(9_007_199_254_740_991, { num: 3, den: 3 })).toBe(9_007_199_254_740_991);
});

test('pictures are counted by the packets that start one', () => {
  const packet = (pid: number, start: boolean) => {
    const bytes = Buffer.alloc(188);
    bytes.set([0x47, (start ? 0x40 : 0) | (pid >> 8), pid & 0xff]);
    return bytes;
  };
  const segment = Buffer.concat([
    packet(0, true),
    packet(0x100, true),
    packet(0x100, false),
    packet(0x100, true),
  ]);
  expect(countPictures(segment)).toBe(2);
  expect(countPictures(segment.subarray(1))).toBeUndefined();
});
