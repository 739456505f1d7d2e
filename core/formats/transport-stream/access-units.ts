// The pictures of a segment as the encoder made them, taken out of the transport stream that ffmpeg packed them in.

import type { AccessUnit } from '../access-unit.ts';
import {
  PACKET_BYTES,
  expectWholePackets,
  isRandomAccessAt,
  payloadStart,
  pidAt,
  startsUnitAt,
} from './packets.ts';
import { videoPid } from './tables.ts';
import { TIMESTAMP_BYTES, readTimestamp } from './timestamps.ts';

/** A PES packet's bytes up to and including the length of its header. */
const PES_PREFIX_BYTES = 9;
const HAS_PTS = 0x80;
const HAS_PTS_AND_DTS = 0xc0;

/**
 * The access units of a segment, one of each PES packet. Their bytes share one buffer, which is not the segment's.
 * @throws Error where the bytes are not whole packets of one program of one H.264 stream, or a PES packet is broken.
 */
export function accessUnitsOf(segment: Uint8Array): AccessUnit[] {
  expectWholePackets(segment);
  const pid = videoPid(segment);
  const payloads = new Uint8Array(segment.length);
  const starts: { start: number; isKeyframe: boolean }[] = [];
  let end = 0;
  for (let at = 0; at < segment.length; at += PACKET_BYTES) {
    if (pidAt(segment, at) !== pid) continue;
    if (startsUnitAt(segment, at)) starts.push({ start: end, isKeyframe: isRandomAccessAt(segment, at) });
    const payload = segment.subarray(payloadStart(segment, at), at + PACKET_BYTES);
    if (payload.length > 0 && starts.length === 0) {
      throw new Error(`MPEG-TS: the pictures begin in the middle of a PES packet (byte ${at})`);
    }
    payloads.set(payload, end);
    end += payload.length;
  }
  return starts.map(({ start, isKeyframe }, index) => {
    const pes = payloads.subarray(start, starts[index + 1]?.start ?? end);
    return { ...unpackedPes(pes, index), isKeyframe };
  });
}

function unpackedPes(pes: Uint8Array, index: number): Omit<AccessUnit, 'isKeyframe'> {
  const broken = (why: string) => new Error(`MPEG-TS: PES packet ${index} of the pictures ${why}`);
  if (pes.length < PES_PREFIX_BYTES) throw broken('is cut off');
  if (pes[0] !== 0 || pes[1] !== 0 || pes[2] !== 1 || (pes[3]! & 0xf0) !== 0xe0) {
    throw broken('does not begin as one of video does');
  }
  const length = (pes[4]! << 8) | pes[5]!; // 0: up to where the next begins
  if (length !== 0 && length !== pes.length - 6) {
    throw broken(`says it is of ${length + 6} bytes and is of ${pes.length}`);
  }
  const stamps = pes[7]! & HAS_PTS_AND_DTS;
  const hasDts = stamps === HAS_PTS_AND_DTS;
  if (stamps !== HAS_PTS && !hasDts) throw broken('has no time stamp');
  const headerBytes = PES_PREFIX_BYTES + pes[8]!;
  const stampBytes = (hasDts ? 2 : 1) * TIMESTAMP_BYTES;
  if (headerBytes < PES_PREFIX_BYTES + stampBytes) throw broken('has no room for its time stamps');
  if (headerBytes >= pes.length) throw broken('holds no picture');
  const ptsTicks = readTimestamp(pes, PES_PREFIX_BYTES);
  return {
    ptsTicks,
    dtsTicks: hasDts ? readTimestamp(pes, PES_PREFIX_BYTES + TIMESTAMP_BYTES) : ptsTicks,
    bytes: pes.subarray(headerBytes),
  };
}
