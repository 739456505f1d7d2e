// Packs access units into a segment of MPEG-TS that continues the one in front of it, whoever made that. ffmpeg cannot:
// each of its processes begins to count at 0 and stops anywhere, and its segment muxer writes a clock every two seconds.

import type { AccessUnit } from '../access-unit.ts';
import type { SegmentContent } from '../segment-content.ts';
import { BODY_BYTES, PACKET_BYTES, PCR_FIELD_BYTES, PacketWriter } from './packets.ts';
import { PAT_PACKET, PAT_PID, PMT_PACKET, PMT_PID, VIDEO_PID } from './tables.ts';
import { TIMESTAMP_BYTES, ticksBetween, wrapped, writeTimestamp } from './timestamps.ts';

/** How segments are packed, as a plan keeps it. Ticks are of 90 kHz. */
export interface TransportPacking {
  /**
   * Counters run on from segment to segment (RFC 8216bis, section 3; Apple's authoring specification, 7.2), though ours
   * are made by processes that know nothing of each other: how many tables there are in front of a segment follows from
   * its number, and of pictures each has a multiple of 16 packets, counted from 0, so that their counters end at 15.
   */
  kind: 'continuous';
  /** PATs in a segment, and PMTs. */
  tables: number;
  /** How far the clock of a picture's first packet lies before its DTS. */
  pcrLeadTicks: number;
  /** The longest step of the clock. It is below the lead, so that a picture's last byte arrives before its DTS. */
  mostPcrTicks: number;
}

/** Its number, and the part of the decoder's clock that belongs to it, in ticks of 90 kHz. The next one's begins there. */
export interface SegmentPlace {
  index: number;
  /** The DTS of the segment's first picture. */
  fromTicks: number;
  /** The DTS of the next segment's first picture. */
  toTicks: number;
}

/** ISO/IEC 13818-1, section 2.7.2: 100 ms. */
const MOST_PCR_TICKS_ALLOWED = 9000;

const COUNTERS = 16;
const PES_PREFIX = [0, 0, 1, 0xe0]; // video stream 0

/**
 * A segment of whole packets: tables, then pictures, with a clock on each and between those that are far apart.
 * The same arguments give the same bytes.
 * @throws Error where there is no picture, or where all pictures together are of fewer bytes than sixteen.
 */
export function packSegment(
  units: readonly AccessUnit[],
  { index: segmentIndex, fromTicks, toTicks }: SegmentPlace,
  packing: TransportPacking,
): Uint8Array {
  const [first] = units;
  if (!first) throw new Error('MPEG-TS: there is no picture to pack');
  const packetCounts = filledPacketCounts(units);
  const clocksBefore = clocksUntil(first.dtsTicks, fromTicks, packing);
  const clocksAfter = units.map(({ dtsTicks }, index) =>
    clocksBetween(dtsTicks, units[index + 1]?.dtsTicks ?? toTicks, packing),
  );
  const writer = new PacketWriter(
    2 * packing.tables +
      sumOf(packetCounts) +
      sumOf([clocksBefore, ...clocksAfter].map(({ length }) => length)),
    new Map([PAT_PID, PMT_PID].map((pid) => [pid, segmentIndex * packing.tables])),
  );
  let tables = 0;
  units.forEach((unit, index) => {
    for (; tables < Math.ceil(((index + 1) * packing.tables) / units.length); tables += 1) {
      writer.write(PAT_PACKET);
      writer.write(PMT_PACKET);
    }
    if (index === 0) writeClocks(writer, clocksBefore, packing);
    writeUnit(writer, unit, packetCounts[index]!, packing);
    writeClocks(writer, clocksAfter[index]!, packing);
  });
  return writer.bytes;
}

/**
 * An upper bound of a packed segment's size, in bits. It takes a picture's last packet for more empty than was measured.
 */
export function mostPackedBits(
  { codecBits, units, seconds }: SegmentContent,
  { tables, mostPcrTicks }: TransportPacking,
): number {
  const unitBytes = PCR_FIELD_BYTES + LONGEST_PES_HEADER_BYTES + STUFFED_SHARE * BODY_BYTES;
  const pictures = Math.ceil((codecBits / 8 + units * unitBytes) / BODY_BYTES) + COUNTERS - 1;
  const clocks = units * (Math.max(1, Math.ceil((seconds * 90_000) / units / mostPcrTicks - 1e-6)) - 1);
  return (2 * tables + pictures + clocks) * PACKET_BYTES * 8;
}

/** Of a picture's last packet: half of it at usual rates, and up to 0.73 of it at 60 pictures a second of 80 bytes each. */
const STUFFED_SHARE = 0.75;

/**
 * How many packets each unit is split into; their sum is a multiple of 16. The units that get a packet more than their
 * bytes need are spread over the segment.
 */
function filledPacketCounts(units: readonly AccessUnit[]): number[] {
  const counts = units.map((unit) =>
    Math.ceil((PCR_FIELD_BYTES + pesHeaderBytes(unit) + unit.bytes.length) / BODY_BYTES),
  );
  const missing = (COUNTERS - (sumOf(counts) % COUNTERS)) % COUNTERS;
  for (let extra = 0; extra < missing; extra += 1) {
    const wanted = Math.floor(((extra + 0.5) * units.length) / missing);
    counts[nextWithRoom(units, counts, wanted)]! += 1;
  }
  return counts;
}

/** The next unit that can be split once more: every packet holds at least one byte of its unit. */
function nextWithRoom(units: readonly AccessUnit[], counts: readonly number[], wanted: number): number {
  for (let step = 0; step < units.length; step += 1) {
    const index = (wanted + step) % units.length;
    if (counts[index]! < units[index]!.bytes.length) return index;
  }
  throw new Error(`MPEG-TS: ${sumOf(units.map(({ bytes }) => bytes.length))} bytes do not fill 16 packets`);
}

/** The clock of a span whose first picture is late: it runs on from where the segment before stopped. */
function clocksUntil(firstDts: number, fromTicks: number, packing: TransportPacking): number[] {
  // The last clock of the segment before is no further from here than `mostPcrTicks`.
  const isLate = ticksBetween(fromTicks, firstDts) > MOST_PCR_TICKS_ALLOWED - packing.mostPcrTicks;
  return isLate ? [fromTicks, ...clocksBetween(fromTicks, firstDts, packing)] : [];
}

/** Equal steps between two moments of decoding, as few as `mostPcrTicks` allows. */
function clocksBetween(from: number, to: number, { mostPcrTicks }: TransportPacking): number[] {
  const ticks = ticksBetween(from, to);
  const steps = Math.max(1, Math.ceil(ticks / mostPcrTicks));
  return Array.from({ length: steps - 1 }, (_, step) => from + Math.round(((step + 1) * ticks) / steps));
}

function writeClocks(
  writer: PacketWriter,
  decodingTicks: readonly number[],
  packing: TransportPacking,
): void {
  for (const ticks of decodingTicks) {
    writer.begin({ pid: VIDEO_PID, pcrTicks: wrapped(ticks - packing.pcrLeadTicks), payloadBytes: 0 });
  }
}

function writeUnit(writer: PacketWriter, unit: AccessUnit, packets: number, packing: TransportPacking): void {
  const headerBytes = pesHeaderBytes(unit);
  const firstRoom = BODY_BYTES - PCR_FIELD_BYTES - headerBytes;
  let done = 0;
  for (let packet = 0; packet < packets; packet += 1) {
    const isFirst = packet === 0;
    // What a packet does not need for its piece is stuffed.
    const share = Math.ceil((unit.bytes.length - done) / (packets - packet));
    const pieceBytes = Math.min(share, isFirst ? firstRoom : BODY_BYTES);
    const at = writer.begin({
      pid: VIDEO_PID,
      startsUnit: isFirst,
      isRandomAccess: isFirst && unit.isKeyframe,
      pcrTicks: isFirst ? wrapped(unit.dtsTicks - packing.pcrLeadTicks) : undefined,
      payloadBytes: (isFirst ? headerBytes : 0) + pieceBytes,
    });
    if (isFirst) writePesHeader(writer.bytes, at, unit);
    writer.bytes.set(unit.bytes.subarray(done, done + pieceBytes), isFirst ? at + headerBytes : at);
    done += pieceBytes;
  }
}

const hasDts = ({ ptsTicks, dtsTicks }: AccessUnit): boolean => ptsTicks !== dtsTicks;

const pesHeaderBytes = (unit: AccessUnit): number => 9 + TIMESTAMP_BYTES * (hasDts(unit) ? 2 : 1);
const LONGEST_PES_HEADER_BYTES = 9 + TIMESTAMP_BYTES * 2;

function writePesHeader(bytes: Uint8Array, at: number, unit: AccessUnit): void {
  const length = pesHeaderBytes(unit) - 6 + unit.bytes.length;
  // Given its length, VLC decodes a picture when it is there; without, when the next begins, which at one picture per
  // second is too late for nearly all of them. 16 bits do not hold every length, and 0 stands for the others.
  bytes.set([...PES_PREFIX, ...(length > 0xffff ? [0, 0] : [length >> 8, length & 0xff])], at);
  bytes[at + 6] = 0x84; // the header is followed by the beginning of an access unit
  bytes[at + 7] = hasDts(unit) ? 0xc0 : 0x80;
  bytes[at + 8] = pesHeaderBytes(unit) - 9;
  writeTimestamp(bytes, at + 9, hasDts(unit) ? 3 : 2, unit.ptsTicks);
  if (hasDts(unit)) writeTimestamp(bytes, at + 9 + TIMESTAMP_BYTES, 1, unit.dtsTicks);
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);
