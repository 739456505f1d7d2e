// Counts what an encoder really put into a segment.

import { PACKET_BYTES, SYNC_BYTE, pidAt, startsUnitAt } from './packets.ts';
import { VIDEO_PID } from './tables.ts';

/**
 * The number of pictures: a PES packet starts for each, in ffmpeg's segments and in ours. Undefined where the bytes are
 * not whole packets.
 */
export function countPictures(segment: Uint8Array): number | undefined {
  if (segment.length % PACKET_BYTES !== 0) return undefined;
  let pictures = 0;
  for (let at = 0; at < segment.length; at += PACKET_BYTES) {
    if (segment[at] !== SYNC_BYTE) return undefined;
    if (pidAt(segment, at) === VIDEO_PID && startsUnitAt(segment, at)) pictures += 1;
  }
  return pictures;
}
