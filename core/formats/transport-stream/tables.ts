// The two tables in front of a transport stream (ISO/IEC 13818-1, section 2.4.4): the PAT says where the PMT is, and
// that says where the pictures are.

import { PACKET_BYTES, SYNC_BYTE, payloadStart, pidAt, startsUnitAt } from './packets.ts';

export const PAT_PID = 0;
export const PMT_PID = 0x1000;
/** Where the pictures are in the segments that we write. */
export const VIDEO_PID = 0x100;

const PAT_TABLE = 0x00;
const PMT_TABLE = 0x02;
const H264 = 0x1b;
const CRC_BYTES = 4;

/**
 * The PID of a segment's pictures.
 * @throws Error where the segment holds anything but one program of one H.264 stream.
 */
export function videoPid(segment: Uint8Array): number {
  const programs = programsOf(sectionOf(segment, PAT_PID, PAT_TABLE, 'PAT'));
  if (programs.length !== 1) throw new Error(`MPEG-TS: the PAT names ${programs.length} programs, not one`);
  const streams = streamsOf(sectionOf(segment, programs[0]!, PMT_TABLE, 'PMT'));
  const [stream] = streams;
  if (!stream || streams.length > 1) {
    throw new Error(`MPEG-TS: the PMT names ${streams.length} elementary streams, not one`);
  }
  if (stream.type !== H264) {
    throw new Error(`MPEG-TS: the elementary stream is of type 0x${stream.type.toString(16)}, not H.264`);
  }
  return stream.pid;
}

/** The PIDs of the programs' PMTs. */
function programsOf(pat: Uint8Array): number[] {
  const pids: number[] = [];
  for (let at = 8; at + 4 <= pat.length - CRC_BYTES; at += 4) {
    const program = (pat[at]! << 8) | pat[at + 1]!;
    if (program !== 0) pids.push(thirteenBits(pat, at + 2)); // 0 is the network's own table
  }
  return pids;
}

function streamsOf(pmt: Uint8Array): { type: number; pid: number }[] {
  const streams: { type: number; pid: number }[] = [];
  let at = 12 + twelveBits(pmt, 10);
  while (at + 5 <= pmt.length - CRC_BYTES) {
    streams.push({ type: pmt[at]!, pid: thirteenBits(pmt, at + 1) });
    at += 5 + twelveBits(pmt, at + 3);
  }
  return streams;
}

/** The first section of a PID, from its table_id to its CRC. Ours are short, so it must lie within a packet. */
function sectionOf(segment: Uint8Array, pid: number, table: number, name: string): Uint8Array {
  for (let at = 0; at < segment.length; at += PACKET_BYTES) {
    if (pidAt(segment, at) !== pid || !startsUnitAt(segment, at)) continue;
    const payload = segment.subarray(payloadStart(segment, at), at + PACKET_BYTES);
    const section = payload.subarray(1 + (payload[0] ?? 0));
    const length = 3 + twelveBits(section, 1);
    if (section[0] !== table || length > section.length) {
      throw new Error(`MPEG-TS: the packet at byte ${at} holds no whole ${name}`);
    }
    return section.subarray(0, length);
  }
  throw new Error(`MPEG-TS: no ${name} in ${segment.length} bytes`);
}

const twelveBits = (bytes: Uint8Array, at: number): number => ((bytes[at]! & 0x0f) << 8) | bytes[at + 1]!;
const thirteenBits = (bytes: Uint8Array, at: number): number => ((bytes[at]! & 0x1f) << 8) | bytes[at + 1]!;

const sixteenBits = (value: number): number[] => [value >> 8, value & 0xff];
const pidBits = (pid: number): number[] => sixteenBits(0xe000 | pid); // reserved bits are 1
const NO_DESCRIPTORS = sixteenBits(0xf000);

/** One program: number 1. */
export const PAT_PACKET = tablePacket(PAT_PID, PAT_TABLE, [...sixteenBits(1), ...pidBits(PMT_PID)]);

/** One stream, which carries the clock, too. */
export const PMT_PACKET = tablePacket(PMT_PID, PMT_TABLE, [
  ...[...pidBits(VIDEO_PID), ...NO_DESCRIPTORS],
  ...[H264, ...pidBits(VIDEO_PID), ...NO_DESCRIPTORS],
]);

/** A packet that holds one section. Its counter is 0. */
function tablePacket(pid: number, table: number, content: readonly number[]): Uint8Array {
  const length = 5 + content.length + CRC_BYTES;
  // Transport stream 1 (or program 1), version 0, in force; section 0 of 0.
  const section = [table, 0xb0, length, ...sixteenBits(1), 0xc1, 0, 0, ...content];
  const packet = new Uint8Array(PACKET_BYTES).fill(0xff);
  packet.set([SYNC_BYTE, 0x40 | (pid >> 8), pid & 0xff, 0x10, 0, ...section, ...crc32(section)]);
  return packet;
}

/** The CRC of MPEG's sections (ISO/IEC 13818-1, annex A): not reflected, and not inverted at the end. */
function crc32(bytes: readonly number[]): number[] {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  }
  return [24, 16, 8, 0].map((shift) => (crc >>> shift) & 0xff);
}
