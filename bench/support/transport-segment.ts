// What an MPEG-TS segment is made of, read packet by packet (ISO/IEC 13818-1): clock references, continuity counters, and
// the pictures' time stamps. It shares no code with the pipeline, so that it can contradict it.

import { packetsOf } from '../../test/support/transport-packets.ts';
import type { Packet } from '../../test/support/transport-packets.ts';

const PAT_PID = 0;
const NULL_PID = 0x1fff;
const H264 = 0x1b;
/** Of a clock reference; time stamps have 90,000. */
const TICKS_PER_MS = 27_000;

export interface TransportSegment {
  /** In the order in which they are decoded, in units of 1/90000 s. */
  pictures: { pts: number; dts: number }[];
  /** The H.264 stream without its packets. */
  elementary: Buffer;
  /** In units of 1/27000000 s. */
  clockReferences: number[];
  /** The least time from a clock reference to the picture that is decoded next: below 0 it comes too late. */
  leastLeadMs: number;
  counters: Map<number, Counter>;
  /** Packets whose counter does not follow from the one before, without a flag that says so. */
  jumps: number;
  /** Packets flagged with a discontinuity. */
  flags: number;
}

/** Of one PID: the value that has to come before the segment, and the last one in it. */
interface Counter {
  before: number;
  last: number;
}

/** @throws Error where the bytes are not whole packets, or there is no H.264 stream that a table tells of. */
export function transportSegment(bytes: Buffer): TransportSegment {
  const payload: Buffer[] = [];
  const segment: Omit<TransportSegment, 'elementary'> = {
    pictures: [],
    clockReferences: [],
    leastLeadMs: Infinity,
    counters: new Map(),
    jumps: 0,
    flags: 0,
  };
  let [mapPid, clockPid, videoPid] = [-1, -1, -1];
  for (const packet of packetsOf(bytes)) {
    if (packet.pid === NULL_PID) continue;
    count(packet, segment);
    if (packet.pid === clockPid && packet.pcrTicks !== undefined) {
      segment.clockReferences.push(packet.pcrTicks * 300);
    }
    if (!packet.hasPayload) continue;
    if (packet.pid === PAT_PID && packet.startsUnit) mapPid = programMapPid(sectionOf(packet.payload));
    if (packet.pid === mapPid && packet.startsUnit && videoPid < 0) {
      ({ clockPid, videoPid } = programMap(sectionOf(packet.payload)));
      // A player has lost them.
      if (segment.counters.has(videoPid)) throw new Error('MPEG-TS: pictures come before the tables');
    }
    if (packet.pid !== videoPid) continue;
    if (!packet.startsUnit) {
      payload.push(packet.payload);
      continue;
    }
    const { pts, dts, data } = pesPacket(packet.payload);
    segment.pictures.push({ pts, dts });
    payload.push(data);
    const leadTicks = dts * 300 - (segment.clockReferences.at(-1) ?? Infinity);
    segment.leastLeadMs = Math.min(segment.leastLeadMs, leadTicks / TICKS_PER_MS);
  }
  if (videoPid < 0) throw new Error('MPEG-TS: no table tells of an H.264 stream');
  return { ...segment, elementary: Buffer.concat(payload) };
}

export interface Spacing {
  /** The largest distance of clock references, within a segment and from one segment to the next. */
  withinMs: number;
  acrossMs: number;
}

export function clockSpacing(segments: readonly TransportSegment[]): Spacing {
  const within = segments.flatMap(({ clockReferences, pictures }) => [
    ...distances(clockReferences),
    uncovered(clockReferences, pictures),
  ]);
  const across = segments.slice(1).map(({ clockReferences: [first] }, index) => {
    const last = segments[index]!.clockReferences.at(-1);
    return last === undefined || first === undefined ? Infinity : first - last;
  });
  return { withinMs: largestMs(within), acrossMs: largestMs(across) };
}

/** A clock that does not run forwards is as bad as none. */
const largestMs = (distancesInTicks: readonly number[]): number =>
  distancesInTicks.reduce((most, ticks) => Math.max(most, ticks < 0 ? Infinity : ticks / TICKS_PER_MS), 0);

const distances = (ticks: readonly number[]): number[] =>
  ticks.slice(1).map((tick, index) => tick - ticks[index]!);

/** How much longer the pictures go on than the clock: a single reference at the start has no distance of its own. */
function uncovered(
  clockReferences: readonly number[],
  pictures: readonly TransportSegment['pictures'][number][],
): number {
  const [first, last] = [clockReferences[0], clockReferences.at(-1)];
  if (first === undefined || last === undefined) return Infinity;
  const decoded = pictures.map(({ dts }) => dts * 300);
  return Math.max(0, decoded.at(-1)! - decoded[0]! - (last - first));
}

/** Between how many neighbours the counters of all PIDs run on. */
export function bordersRunOn(segments: readonly TransportSegment[]): { borders: number; runOn: number } {
  const borders = segments.slice(1).map(({ counters }, index) => {
    const previous = segments[index]!.counters;
    return (
      previous.size === counters.size &&
      [...counters].every(([pid, { before }]) => previous.get(pid)?.last === before)
    );
  });
  return { borders: borders.length, runOn: borders.filter(Boolean).length };
}

/** Counters count packets with a payload; the others repeat the last one (section 2.4.3.3). */
function count(packet: Packet, segment: Pick<TransportSegment, 'counters' | 'jumps' | 'flags'>): void {
  const { pid, counter, hasPayload, isDiscontinuity } = packet;
  const before = hasPayload ? (counter + 15) % 16 : counter;
  const known = segment.counters.get(pid);
  if (known && known.last !== before && !isDiscontinuity) segment.jumps += 1;
  if (isDiscontinuity) segment.flags += 1;
  segment.counters.set(pid, { before: known?.before ?? before, last: counter });
}

/** A table as ffmpeg writes it fits into one packet; without its pointer and its checksum. */
function sectionOf(payload: Buffer): Buffer {
  const section = payload.subarray(1 + payload[0]!);
  return section.subarray(0, 3 + (section.readUInt16BE(1) & 0x0fff) - 4);
}

function programMapPid(section: Buffer): number {
  for (let offset = 8; offset < section.length; offset += 4) {
    // Program 0 is the network's.
    if (section.readUInt16BE(offset) !== 0) return section.readUInt16BE(offset + 2) & 0x1fff;
  }
  throw new Error('MPEG-TS: the first table names no program');
}

function programMap(section: Buffer): { clockPid: number; videoPid: number } {
  const clockPid = section.readUInt16BE(8) & 0x1fff;
  let offset = 12 + (section.readUInt16BE(10) & 0x0fff);
  while (offset < section.length) {
    if (section[offset] === H264) return { clockPid, videoPid: section.readUInt16BE(offset + 1) & 0x1fff };
    offset += 5 + (section.readUInt16BE(offset + 3) & 0x0fff);
  }
  throw new Error('MPEG-TS: the program has no H.264 stream');
}

function pesPacket(payload: Buffer): { pts: number; dts: number; data: Buffer } {
  if (payload.readUIntBE(0, 3) !== 1) throw new Error('MPEG-TS: a unit that begins with no start code');
  const stamps = payload[7]! >> 6;
  if (stamps < 2) throw new Error('MPEG-TS: a picture without a time stamp');
  const pts = timeStampAt(payload, 9);
  return { pts, dts: stamps === 3 ? timeStampAt(payload, 14) : pts, data: payload.subarray(9 + payload[8]!) };
}

/** 33 bits in five bytes, a marker bit after the first three and after every 15. */
const timeStampAt = (bytes: Buffer, offset: number): number =>
  (bytes[offset]! & 0x0e) * 2 ** 29 +
  (bytes.readUInt16BE(offset + 1) >> 1) * 2 ** 15 +
  (bytes.readUInt16BE(offset + 3) >> 1);
