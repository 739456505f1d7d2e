import { accessUnitsOf } from '../../core/formats/transport-stream/access-units.ts';
import type { AccessUnit } from '../../core/formats/access-unit.ts';
import { packSegment } from '../../core/formats/transport-stream/packed-segment.ts';
import { FOURTH_RECIPE } from '../../core/recipes/fourth.ts';
import type { SegmentPlace } from '../../core/formats/transport-stream/packed-segment.ts';
import { CONTINUOUS, clockSteps, counterBreaks, packetsOf } from '../support/transport-packets.ts';

const VIDEO = 0x100;
const TABLES = [0, 0x1000];

interface Pictures {
  /** Of the segment. */
  index?: number;
  rate?: number;
  first?: number;
  sizes: readonly number[];
}

/** Pictures of a constant rate, decoded two frames before they are shown, as x264 orders them. */
function run({ index = 0, rate = 25, first = 0, sizes }: Pictures): {
  units: AccessUnit[];
  place: SegmentPlace;
} {
  const at = (frame: number) => 900_000 + Math.round(((first + frame) * 90_000) / rate);
  const units = sizes.map((size, frame) => ({
    ptsTicks: at(frame + (frame % 4 === 1 ? 2 : 0)),
    dtsTicks: at(frame - 2),
    isKeyframe: frame % Math.max(1, Math.round(2 * rate)) === 0,
    bytes: Uint8Array.from({ length: size }, (_, byte) => (byte * 7 + frame) & 0xff),
  }));
  return { units, place: { index, fromTicks: at(-2), toTicks: at(sizes.length - 2) } };
}

const packed = (pictures: Pictures): Uint8Array => {
  const { units, place } = run(pictures);
  return packSegment(units, place, CONTINUOUS);
};

/** Bytes as text, which compare a hundred times faster. */
const asText = (units: readonly AccessUnit[]) =>
  units.map((unit) => ({ ...unit, bytes: Buffer.from(unit.bytes).toString('base64') }));

const sizesOf = (count: number, size = (index: number) => 30 + ((index * 7919) % 9000)): number[] =>
  Array.from({ length: count }, (_, index) => size(index));

const SEGMENTS: [string, Pictures][] = [
  ['one picture of 16 bytes', { sizes: [16] }],
  ['one picture of 60 bytes', { sizes: [60] }],
  ['one picture of 200 KB', { sizes: [200_000] }],
  ['two pictures', { sizes: [5000, 40] }],
  ['fifteen pictures', { sizes: sizesOf(15) }],
  ['a hundred pictures of 20 bytes', { sizes: sizesOf(100, () => 20) }],
  ['a hundred pictures', { sizes: sizesOf(100) }],
  ['a picture a second', { rate: 1, sizes: sizesOf(4) }],
  ['10 fps', { rate: 10, sizes: sizesOf(40) }],
  ['29.97 fps', { rate: 30_000 / 1001, sizes: sizesOf(120) }],
  ['60 fps', { rate: 60, sizes: sizesOf(240) }],
];

test.each(SEGMENTS)('%s come out as they were packed', (_, pictures) => {
  const { units } = run(pictures);
  expect(asText(accessUnitsOf(packed(pictures)))).toEqual(asText(units));
});

test('pictures of all sizes come out as they were packed', () => {
  for (let size = 16; size < 600; size += 1) {
    const pictures = { sizes: [size, size + 57] };
    const segment = packed(pictures);
    expect(counterBreaks(packetsOf(segment))).toEqual([]);
    expect(asText(accessUnitsOf(segment))).toEqual(asText(run(pictures).units));
  }
});

test.each(SEGMENTS)(
  '%s fill a multiple of 16 packets, counted from 0, behind one table each',
  (_, pictures) => {
    const packets = packetsOf(packed({ ...pictures, index: 35 }));
    expect(counterBreaks(packets)).toEqual([]);
    const countersOf = (pid: number) =>
      packets.filter((packet) => packet.pid === pid && packet.hasPayload).map(({ counter }) => counter);
    expect(countersOf(VIDEO)[0]).toBe(0);
    expect(countersOf(VIDEO).length % 16).toBe(0);
    for (const pid of TABLES) expect(countersOf(pid)).toEqual([35 % 16]);
    expect(new Set(packets.map(({ pid }) => pid))).toEqual(new Set([...TABLES, VIDEO]));
    expect(packets.some(({ isDiscontinuity }) => isDiscontinuity)).toBe(false);
  },
);

test('no more packets are written than the counters need', () => {
  for (const [, pictures] of SEGMENTS) {
    const packets = packetsOf(packed(pictures)).filter(({ pid, hasPayload }) => pid === VIDEO && hasPayload);
    const needed = run(pictures).units.map(({ ptsTicks, dtsTicks, bytes }) =>
      Math.ceil((8 + (ptsTicks === dtsTicks ? 14 : 19) + bytes.length) / 184),
    );
    const sum = needed.reduce((total, count) => total + count, 0);
    expect(packets).toHaveLength(16 * Math.ceil(sum / 16));
  }
});

test('any segment continues the one in front of it, whatever either holds', () => {
  for (const [, before] of SEGMENTS) {
    for (const [, after] of SEGMENTS) {
      const segments = [before, after, before].map((pictures, at) => packed({ ...pictures, index: 14 + at }));
      expect(counterBreaks(packetsOf(Buffer.concat(segments)))).toEqual([]);
    }
  }
});

test('as recipes up to the fourth pack, with sixteen tables each, any segment continues any other', () => {
  const { packing } = FOURTH_RECIPE.transportStream;
  if (packing.kind !== 'continuous') throw new Error('another way of packing');
  const segments = [0, 7, 3].map((index) => {
    const { units, place } = run({ index, sizes: sizesOf(20) });
    return packSegment(units, place, packing);
  });
  expect(counterBreaks(packetsOf(Buffer.concat(segments)))).toEqual([]);
  expect(packetsOf(segments[1]!).filter(({ pid }) => pid === 0)).toHaveLength(16);
});

test.each([1, 2, 5, 10, 12.5, 24_000 / 1001, 25, 30_000 / 1001, 50, 60])(
  'at %d fps the clock advances by at most 100 ms, also from segment to segment',
  (rate) => {
    const frames = 2 * Math.max(1, Math.round(2 * rate));
    const segments = [0, 1, 2].map((index) =>
      packed({ index, rate, first: index * frames, sizes: sizesOf(frames) }),
    );
    const steps = clockSteps(packetsOf(Buffer.concat(segments)));
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps)).toBeLessThanOrEqual(9000);
  },
);

test.each([1, 10, 25, 30_000 / 1001, 60])(
  'at %d fps the clock runs on into a last segment of one or two pictures, which ffmpeg decodes late',
  (rate) => {
    const frames = 2 * Math.max(1, Math.round(2 * rate));
    for (const count of [1, 2]) {
      const { units, place } = run({ index: 1, rate, first: frames, sizes: sizesOf(count) });
      const late = units.map((unit, index) => {
        const ticks = 900_000 + Math.round(((frames + index) * 90_000) / rate);
        return { ...unit, ptsTicks: ticks, dtsTicks: ticks };
      });
      const last = packSegment(late, place, CONTINUOUS);
      const packets = packetsOf(Buffer.concat([packed({ rate, sizes: sizesOf(frames) }), last]));
      expect(asText(accessUnitsOf(last))).toEqual(asText(late));
      expect(counterBreaks(packets)).toEqual([]);
      expect(Math.min(...clockSteps(packets))).toBeGreaterThan(0);
      expect(Math.max(...clockSteps(packets))).toBeLessThanOrEqual(9000);
    }
  },
);

test.each(SEGMENTS)(
  '%s: each picture is whole before the clock goes on, and before it is decoded',
  (_, pictures) => {
    const packets = packetsOf(packed(pictures)).filter(({ pid }) => pid === VIDEO);
    const { units } = run(pictures);
    const starts = packets.flatMap(({ startsUnit }, index) => (startsUnit ? [index] : []));
    expect(starts).toHaveLength(units.length);
    starts.forEach((start, index) => {
      const { dtsTicks, isKeyframe } = units[index]!;
      expect(packets[start]).toMatchObject({ pcrTicks: dtsTicks - 9000, isRandomAccess: isKeyframe });
      const following = packets.slice(start + 1, starts[index + 1] ?? packets.length);
      const nextClock = following.find(({ pcrTicks }) => pcrTicks !== undefined);
      if (nextClock) expect(nextClock.pcrTicks).toBeLessThanOrEqual(dtsTicks);
      // Packets of clock alone come after all those of the picture.
      const kinds = following.map(({ hasPayload, pcrTicks }) => `${hasPayload} ${pcrTicks !== undefined}`);
      expect(kinds).toEqual(kinds.toSorted().reverse());
      expect(kinds.filter((kind) => kind !== 'true false' && kind !== 'false true')).toEqual([]);
    });
  },
);

test('the bytes that fill up the last sixteen packets lie all over the segment', () => {
  const notFull = (sizes: number[]) => {
    const packets = packetsOf(packed({ sizes })).filter(({ pid }) => pid === VIDEO);
    const lengths: number[][] = [];
    for (const { startsUnit, payload } of packets) {
      if (startsUnit) lengths.push([]);
      lengths.at(-1)!.push(payload.length);
    }
    return lengths.map((unit) => unit.length);
  };
  // 157 bytes fill one packet with a DTS: 20 pictures need 20 packets, and get 32.
  expect(notFull(sizesOf(20, () => 150))).toEqual([
    2, 1, 2, 1, 2, 2, 1, 2, 1, 2, 2, 1, 2, 1, 2, 2, 1, 2, 1, 2,
  ]);
  // A single small picture lies in sixteen packets of about the same size, the PES header whole in the first.
  const [first, ...others] = packetsOf(packed({ sizes: [60] })).filter(({ pid }) => pid === VIDEO);
  expect(first!.payload.subarray(0, 4)).toEqual(Buffer.from([0, 0, 1, 0xe0]));
  expect(first!.payload).toHaveLength(19 + 4);
  expect(others.filter(({ hasPayload }) => hasPayload).map(({ payload }) => payload.length)).toEqual([
    ...Array(11).fill(4),
    ...Array(4).fill(3),
  ]);
});

test.each([
  [60, 60 + 13],
  [65_522, 65_535],
  [65_523, 0],
  [200_000, 0],
])('the PES packet of a picture of %i bytes says its length, where 16 bits hold it: %i', (size, length) => {
  const first = packetsOf(packed({ sizes: [size] })).find(({ pid }) => pid === VIDEO)!;
  expect(first.payload.readUInt16BE(4)).toBe(length);
});

test('PAT and PMT come first, and where there are more, in equal distances, in front of a picture', () => {
  const { units, place } = run({ sizes: sizesOf(96, () => 1000) });
  const packets = packetsOf(packSegment(units, place, { ...CONTINUOUS, tables: 16 }));
  const before: number[] = [];
  let pictures = 0;
  packets.forEach(({ pid, startsUnit }, index) => {
    if (pid === VIDEO && startsUnit) pictures += 1;
    if (pid === 0) {
      before.push(pictures);
      expect([packets[index + 1]!.pid, packets[index + 2]!.pid]).toEqual([0x1000, VIDEO]);
      expect(packets[index + 2]!.startsUnit).toBe(true);
    }
  });
  expect(before).toEqual(sizesOf(16, (index) => index * 6));
});

test('the tables are those that ffmpeg writes for one stream of H.264', () => {
  const [pat, pmt] = packetsOf(packed({ sizes: [60] })).map(({ payload }) => payload.toString('hex'));
  expect(pat!.replace(/(ff)+$/, '')).toBe('0000b00d0001c100000001f0002ab104b2');
  expect(pmt!.replace(/(ff)+$/, '')).toBe('0002b0120001c10000e100f0001be100f00015bd4d56');
});

test('time stamps and clock wrap after 33 bits', () => {
  const shift = 2 ** 33 - 900_000 + 3000;
  const { units, place } = run({ sizes: sizesOf(10) });
  const later = units.map((unit) => ({
    ...unit,
    ptsTicks: (unit.ptsTicks + shift) % 2 ** 33,
    dtsTicks: (unit.dtsTicks + shift) % 2 ** 33,
  }));
  expect(later[0]!.dtsTicks).toBeGreaterThan(later[9]!.dtsTicks);
  for (const wrap of [0, 2 ** 33]) {
    const segment = packSegment(
      later,
      { ...place, fromTicks: place.fromTicks + shift, toTicks: place.toTicks + shift - wrap },
      CONTINUOUS,
    );
    expect(asText(accessUnitsOf(segment))).toEqual(asText(later));
    const steps = clockSteps(packetsOf(segment));
    expect(steps).toEqual(Array(9).fill(3600));
  }
});

test('the same pictures give the same bytes, and a packing may have been stored as JSON', () => {
  const { units, place } = run({ sizes: sizesOf(30) });
  const again = packSegment(units, place, JSON.parse(JSON.stringify(CONTINUOUS)) as typeof CONTINUOUS);
  expect(Buffer.compare(again, packSegment(units, place, CONTINUOUS))).toBe(0);
});

test.each([
  ['no picture', [], 'there is no picture to pack'],
  ['a picture of 5 bytes', [5], '5 bytes do not fill 16 packets'],
])('%s cannot be packed', (_, sizes, message) => {
  const { units, place } = run({ sizes });
  expect(() => packSegment(units, place, CONTINUOUS)).toThrow(message);
});

const edited = (edit: (segment: Uint8Array) => Uint8Array | void): Uint8Array => {
  const segment = packed({ sizes: [200] }); // in 16 packets, all of them stuffed
  return edit(segment) ?? segment;
};
const PMT = 188;
const PICTURE = 2 * 188;
const PES = PICTURE + 188 - 19 - Math.ceil(200 / 16);

test.each<[string, Uint8Array, string]>([
  ['cut off', edited((segment) => segment.subarray(0, -1)), 'are not a whole number of packets'],
  ['out of step', edited((segment) => void (segment[5 * 188] = 0)), 'no packet begins at byte 940'],
  ['empty', new Uint8Array(0), 'no PAT in 0 bytes'],
  ['without a PAT', edited((segment) => segment.subarray(188, 376)), 'no PAT in 188 bytes'],
  ['without a PMT', edited((segment) => segment.subarray(0, 188)), 'no PMT in 188 bytes'],
  ['of no program', edited((segment) => void (segment[4 + 10] = 0)), 'the PAT names 0 programs'],
  [
    'of no stream',
    edited((segment) => void (segment[PMT + 4 + 3] = 13)),
    'the PMT names 0 elementary streams',
  ],
  [
    'of two streams',
    edited((segment) => {
      segment.copyWithin(PMT + 4 + 18, PMT + 4 + 13, PMT + 4 + 18);
      segment[PMT + 4 + 3] = 23;
    }),
    'the PMT names 2 elementary streams',
  ],
  ['of sound', edited((segment) => void (segment[PMT + 4 + 13] = 0x0f)), 'is of type 0xf, not H.264'],
  ['of an endless table', edited((segment) => void (segment[PMT + 4 + 3] = 255)), 'holds no whole PMT'],
  [
    'of too long a field',
    edited((segment) => void (segment[PICTURE + 4] = 184)),
    'is longer than the packet',
  ],
  [
    'that begins in a picture',
    edited((segment) => void (segment[PICTURE + 1]! &= ~0x40)),
    'in the middle of a PES',
  ],
  [
    'without a start code',
    edited((segment) => void (segment[PES + 2] = 0)),
    'does not begin as one of video',
  ],
  ['of a wrong length', edited((segment) => void (segment[PES + 5] = 9)), 'says it is of 15 bytes'],
  ['without a PTS', edited((segment) => void (segment[PES + 7] = 0)), 'has no time stamp'],
  [
    'without room for a PTS',
    edited((segment) => void (segment[PES + 8] = 4)),
    'has no room for its time stamps',
  ],
  ['of a header alone', edited((segment) => void (segment[PES + 8] = 255)), 'holds no picture'],
])('a segment %s is refused', (_, segment, message) => {
  expect(() => accessUnitsOf(segment)).toThrow(message);
});
