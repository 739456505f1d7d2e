// AAC in ADTS, frame by frame, and its packing into HLS segments (packed audio, RFC 8216 section 3.4).

/** Splits an ADTS stream into its frames. Throws where a sync word is missing: we wrote the stream ourselves. */
export function adtsFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const [first, second, , fourth, fifth, sixth] = bytes.subarray(offset, offset + 6);
    if (first !== 0xff || (second! & 0xf6) !== 0xf0 || sixth === undefined) {
      throw new Error(`ADTS: no frame at byte ${offset} of ${bytes.length}`);
    }
    const length = ((fourth! & 0x03) << 11) | (fifth! << 3) | (sixth >> 5);
    if (length < 7 || offset + length > bytes.length)
      throw new Error(`ADTS: frame at byte ${offset} is cut off`);
    frames.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return frames;
}

/** A packed audio segment: an ID3 PRIV frame with the MPEG-2 time stamp of the first sample, then the frames. */
export function packedAudio(frames: Uint8Array[], timestampSeconds: number): Uint8Array {
  return Buffer.concat([timestampTag(Math.round(timestampSeconds * 90_000)), ...frames]);
}

/** The frames of a packed audio segment, with whatever is cut off at its end. */
export function unpackedAudio(segment: Uint8Array): Uint8Array {
  const size = segment.subarray(6, ID3_HEADER_BYTES).reduce((total, byte) => total * 128 + byte, 0);
  return segment.subarray(ID3_HEADER_BYTES + size);
}

const ID3_HEADER_BYTES = 10;

function timestampTag(ticks: number): Buffer {
  const owner = Buffer.from('com.apple.streaming.transportStreamTimestamp\0', 'latin1');
  const value = Buffer.alloc(8);
  value.writeBigUInt64BE(BigInt(ticks) & 0x1_ffff_ffffn); // 33 bits, as in a PES header
  const payload = Buffer.concat([owner, value]);
  const header = Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, ...synchsafe(payload.length + 10)]); // 'ID3', version 2.4
  const frame = Buffer.from([0x50, 0x52, 0x49, 0x56, ...synchsafe(payload.length), 0, 0]); // 'PRIV'
  return Buffer.concat([header, frame, payload]);
}

/** ID3 sizes keep the top bit of every byte clear. */
const synchsafe = (size: number): number[] => [21, 14, 7, 0].map((shift) => (size >> shift) & 0x7f);
