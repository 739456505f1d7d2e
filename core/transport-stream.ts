// Just enough of MPEG-TS (ISO/IEC 13818-1) to count what an encoder really put into a segment.

const PACKET_BYTES = 188;
/** The first elementary stream as ffmpeg's muxer numbers them. */
const VIDEO_PID = 0x100;

/** The number of pictures: ffmpeg starts a PES packet for each. Undefined where the bytes are not whole packets. */
export function countPictures(segment: Uint8Array): number | undefined {
  if (segment.length % PACKET_BYTES !== 0) return undefined;
  let pictures = 0;
  for (let offset = 0; offset < segment.length; offset += PACKET_BYTES) {
    if (segment[offset] !== 0x47) return undefined;
    const second = segment[offset + 1]!;
    const pid = ((second & 0x1f) << 8) | segment[offset + 2]!;
    const startsUnit = (second & 0x40) !== 0;
    if (pid === VIDEO_PID && startsUnit) pictures += 1;
  }
  return pictures;
}
