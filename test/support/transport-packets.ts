// What the packets of a transport stream say, read straight from the standard's bit fields and not by our own reader.

import { PRESENT_RECIPE } from '../../core/recipes/present.ts';
import type { TransportPacking } from '../../core/formats/transport-stream/packed-segment.ts';

/** As videos are packed now. */
export const CONTINUOUS = PRESENT_RECIPE.transportStream.packing as TransportPacking;

export interface Packet {
  pid: number;
  counter: number;
  hasPayload: boolean;
  startsUnit: boolean;
  isRandomAccess: boolean;
  isDiscontinuity: boolean;
  pcrTicks: number | undefined;
  payload: Buffer;
}

/** @throws Error where the bytes are not whole packets, or a packet is not as the standard has it. */
export function packetsOf(segment: Uint8Array): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < segment.length; at += 188) packets.push(packetOf(segment.subarray(at, at + 188)));
  return packets;
}

function packetOf(bytes: Uint8Array): Packet {
  const packet = Buffer.from(bytes);
  if (packet.length !== 188 || packet[0] !== 0x47) throw new Error('no packet');
  const [word, fieldLength] = [packet.readUInt32BE(0), packet[4]!];
  const [hasField, hasPayload] = [(word & 0x20) !== 0, (word & 0x10) !== 0];
  if (!hasPayload && fieldLength !== 183) throw new Error('a packet without payload is not filled');
  const flags = hasField && fieldLength > 0 ? packet[5]! : 0;
  const stuffing = packet.subarray(flags & 0x10 ? 12 : 6, 5 + (hasField ? fieldLength : 0));
  if (stuffing.some((byte) => byte !== 0xff)) throw new Error('stuffing is not 0xff');
  if (flags & 0x10 && (fieldLength < 7 || (packet[10]! & 0x7e) !== 0x7e)) throw new Error('a broken clock');
  return {
    pid: (word >>> 8) & 0x1fff,
    counter: word & 0x0f,
    hasPayload,
    startsUnit: (word & 0x400000) !== 0,
    isRandomAccess: (flags & 0x40) !== 0,
    isDiscontinuity: (flags & 0x80) !== 0,
    pcrTicks: flags & 0x10 ? packet.readUInt32BE(6) * 2 + (packet[10]! >> 7) : undefined,
    payload: packet.subarray(hasPayload ? 4 + (hasField ? 1 + fieldLength : 0) : 188),
  };
}

/** Where counters do not run on, PID by PID: as a receiver sees it that is told of no discontinuity. */
export function counterBreaks(packets: readonly Packet[]): string[] {
  const last = new Map<number, number>();
  return packets.flatMap(({ pid, counter, hasPayload }, index) => {
    const before = last.get(pid);
    last.set(pid, counter);
    if (before === undefined || counter === (hasPayload ? (before + 1) % 16 : before)) return [];
    return [`packet ${index} of PID ${pid}: ${counter} after ${before}`];
  });
}

/** The steps of the clock, in ticks of 90 kHz. */
export function clockSteps(packets: readonly Packet[]): number[] {
  const clocks = packets.flatMap(({ pcrTicks }) => pcrTicks ?? []);
  return clocks.slice(1).map((ticks, index) => {
    const step = ticks - clocks[index]!;
    return step < -(2 ** 32) ? step + 2 ** 33 : step;
  });
}
