// What two segments of one recipe have in common whoever encoded them, read from the bit fields of the standards and not
// by our own readers: times, parameter sets and the structure of packets, but no byte that an encoder chose.

import { counterBreaks, clockSteps, packetsOf } from './transport-packets.ts';
import type { Packet } from './transport-packets.ts';

const PAT = 0;
const PMT = 0x1000;
const PICTURES = 0x100;

/** Equal steps are counted: `[119, 3003]` are 119 steps of 3003 ticks of 90 kHz. */
interface Times {
  first: number;
  steps: [count: number, ticks: number][];
}

interface Picture {
  packet: Packet;
  ptsTicks: number;
  dtsTicks: number;
  nals: Buffer[];
}

export function pictureFacts(segment: Uint8Array) {
  const packets = packetsOf(segment);
  const pictures = picturesOf(packets);
  const setsOf = (type: number) => [
    ...new Set(pictures.flatMap(({ nals }) => nals.filter((nal) => typeOf(nal) === type).map(hex))),
  ];
  const ptsTicks = pictures.map((picture) => picture.ptsTicks).sort((a, b) => a - b);
  return {
    frames: pictures.length,
    pts: timesOf(ptsTicks),
    dts: timesOf(pictures.map(({ dtsTicks }) => dtsTicks)),
    sps: setsOf(7),
    pps: setsOf(8),
    /** Of the first picture; what an encoder says of itself (6) is not in every segment. */
    nalTypes: pictures[0]!.nals.map(typeOf).filter((type) => type !== 6),
    /** Places of pictures in the order of decoding. */
    randomAccess: pictures.flatMap(({ packet }, index) => (packet.isRandomAccess ? [index] : [])),
    pids: [...new Set(packets.map(({ pid }) => pid))].sort((a, b) => a - b),
    /** Of the PMT: type and PID. */
    streams: [...new Set(packets.filter(({ pid }) => pid === PMT).map(streamsIn))],
    tables: Object.fromEntries(
      [...new Set(packets.filter(({ pid }) => pid !== PICTURES).map(({ pid }) => pid))].map((pid) => [
        pid,
        [...new Set(packets.filter((packet) => packet.pid === pid).map(({ payload }) => sectionIn(payload)))],
      ]),
    ),
    firstPackets: packets.slice(0, 4).map(({ payload: _, ...header }) => header),
    discontinuities: packets.flatMap(({ isDiscontinuity }, index) => (isDiscontinuity ? [index] : [])),
    clock: clockFacts(packets, pictures),
  };
}

/** For segments that any other may follow: what a receiver counts on. */
export function continuityFacts(segments: readonly Uint8Array[]) {
  const packets = packetsOf(Buffer.concat(segments));
  const steps = clockSteps(packets);
  return {
    countersRunOn: counterBreaks(packets).length === 0,
    tables: segments.map((segment) => packetsOf(segment).filter(({ pid }) => pid === PAT).length),
    isClockForward: steps.every((step) => step > 0),
    longestClockStep: Math.max(...steps),
  };
}

/** Packed audio (RFC 8216, section 3.4): an ID3 tag with a time stamp, and frames of ADTS. */
export function soundFacts(segment: Uint8Array) {
  const bytes = Buffer.from(segment);
  const tagBytes = 10 + [6, 7, 8, 9].reduce((size, at) => size * 128 + bytes[at]!, 0);
  const fixedHeaders = new Set<string>();
  let frames = 0;
  for (let at = tagBytes; at < bytes.length; frames += 1) {
    // 28 bits, which are the same in all frames (ISO/IEC 13818-7, section 6.2.1).
    fixedHeaders.add((bytes.readUInt32BE(at) >>> 4).toString(16));
    at += (bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
    if (at > bytes.length) throw new Error('the last frame is cut off');
  }
  return {
    frames,
    tag: hex(bytes.subarray(0, tagBytes - 8)),
    startTicks: Number(bytes.readBigUInt64BE(tagBytes - 8)),
    adtsHeaders: [...fixedHeaders],
  };
}

function picturesOf(packets: readonly Packet[]): Picture[] {
  const own = packets.filter(({ pid }) => pid === PICTURES);
  const starts = own.flatMap(({ startsUnit }, index) => (startsUnit ? [index] : []));
  return starts.map((start, index) => {
    const pieces = own.slice(start, starts[index + 1]).map(({ payload }) => payload);
    return { packet: own[start]!, ...pesOf(Buffer.concat(pieces)) };
  });
}

/** ISO/IEC 13818-1, section 2.4.3.6. */
function pesOf(pes: Buffer): Omit<Picture, 'packet'> {
  if (pes.readUIntBE(0, 3) !== 1) throw new Error('no PES packet');
  const hasDts = (pes[7]! & 0x40) !== 0;
  const stampAt = (at: number): number =>
    ((pes[at]! >> 1) & 7) * 2 ** 30 +
    (pes.readUInt16BE(at + 1) >> 1) * 2 ** 15 +
    (pes.readUInt16BE(at + 3) >> 1);
  const ptsTicks = stampAt(9);
  return { ptsTicks, dtsTicks: hasDts ? stampAt(14) : ptsTicks, nals: nalsOf(pes.subarray(9 + pes[8]!)) };
}

/** Annex B of H.264: each begins with 0, 0, 1, before which there may be another 0. */
function nalsOf(bytes: Buffer): Buffer[] {
  const starts: number[] = [];
  for (let at = bytes.indexOf('000001', 0, 'hex'); at >= 0; at = bytes.indexOf('000001', at + 3, 'hex')) {
    starts.push(at + 3);
  }
  return starts.map((start, index) => {
    let end = starts[index + 1] === undefined ? bytes.length : starts[index + 1]! - 3;
    while (bytes[end - 1] === 0) end -= 1;
    return bytes.subarray(start, end);
  });
}

const typeOf = (nal: Buffer): number => nal[0]! & 0x1f;

/** A table's section, without its stuffing. */
const sectionIn = (payload: Buffer): string => {
  const start = 1 + payload[0]!;
  return hex(payload.subarray(start, start + 3 + (payload.readUInt16BE(start + 1) & 0xfff)));
};

/** Of a PMT of one stream without descriptors. */
const streamsIn = ({ payload }: Packet): string =>
  `type ${payload[13]}, PID ${payload.readUInt16BE(14) & 0x1fff}`;

function clockFacts(packets: readonly Packet[], pictures: readonly Picture[]) {
  const clocked = pictures.filter(({ packet }) => packet.pcrTicks !== undefined);
  return {
    /** Places of pictures whose first packet has one; null: all. */
    pictures: clocked.length === pictures.length ? null : clocked.map((picture) => pictures.indexOf(picture)),
    leads: [...new Set(clocked.map(({ packet, dtsTicks }) => dtsTicks - packet.pcrTicks!))],
    elsewhere: packets.filter(({ pcrTicks }) => pcrTicks !== undefined).length - clocked.length,
  };
}

function timesOf(ticks: readonly number[]): Times {
  const steps: Times['steps'] = [];
  for (let index = 1; index < ticks.length; index += 1) {
    const step = ticks[index]! - ticks[index - 1]!;
    const last = steps.at(-1);
    if (last?.[1] === step) last[0] += 1;
    else steps.push([1, step]);
  }
  return { first: ticks[0]!, steps };
}

const hex = (bytes: Buffer): string => bytes.toString('hex');
