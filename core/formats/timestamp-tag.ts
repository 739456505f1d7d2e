// The ID3 tag that a packed audio segment begins with: a PRIV frame with the MPEG-2 time stamp of its first sample.

/** A packed audio segment: an ID3 PRIV frame with the MPEG-2 time stamp of the first sample, then the frames. */
export function packedAudio(frames: readonly Uint8Array[], timestampSeconds: number): Uint8Array {
  return Buffer.concat([timestampTag(Math.round(timestampSeconds * 90_000)), ...frames]);
}

/** The frames of a packed audio segment, with whatever is cut off at its end. */
export function unpackedAudio(segment: Uint8Array): Uint8Array {
  const size = segment.subarray(6, ID3_HEADER_BYTES).reduce((total, byte) => total * 128 + byte, 0);
  return segment.subarray(ID3_HEADER_BYTES + size);
}

/** The time stamp of a segment, in ticks of 90 kHz. @throws Error where it has none of this kind */
export function startTicksOf(segment: Uint8Array): number {
  const at = ID3_HEADER_BYTES + ID3_HEADER_BYTES + OWNER.length;
  const bytes = Buffer.from(segment.buffer, segment.byteOffset, segment.length);
  const isTag = bytes.length >= at + 8 && bytes.toString('latin1', 0, 3) === 'ID3';
  if (!isTag || bytes.toString('latin1', at - OWNER.length, at) !== OWNER) {
    throw new Error('packed audio: the segment does not begin with its time stamp');
  }
  return Number(bytes.readBigUInt64BE(at));
}

const OWNER = 'com.apple.streaming.transportStreamTimestamp\0';
const ID3_HEADER_BYTES = 10;
export const TIMESTAMP_TAG_BYTES = 2 * ID3_HEADER_BYTES + OWNER.length + 8;

function timestampTag(ticks: number): Buffer {
  const owner = Buffer.from(OWNER, 'latin1');
  const value = Buffer.alloc(8);
  value.writeBigUInt64BE(BigInt(ticks) & 0x1_ffff_ffffn); // 33 bits, as in a PES header
  const payload = Buffer.concat([owner, value]);
  const header = Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, ...synchsafe(payload.length + 10)]); // 'ID3', version 2.4
  const frame = Buffer.from([0x50, 0x52, 0x49, 0x56, ...synchsafe(payload.length), 0, 0]); // 'PRIV'
  return Buffer.concat([header, frame, payload]);
}

/** ID3 sizes keep the top bit of every byte clear. */
const synchsafe = (size: number): number[] => [21, 14, 7, 0].map((shift) => (size >> shift) & 0x7f);
