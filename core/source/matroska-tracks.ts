// Just enough of Matroska (RFC 9559) to find a track in a file, and to hide from a demuxer which codec it is in.

import type { Box } from './mp4.ts';
import { ID, childrenOf, elementAt, unsigned } from './matroska.ts';

/** As long as the header of an element can be. */
export const ELEMENT_HEADER_BYTES = 12;

/** Whether a file begins as Matroska does, with EBML. */
export const isMatroska = (head: Uint8Array): boolean =>
  head.length >= 4 && unsigned(head.subarray(0, 4)) === ID.EBML;

/** What to do with the element whose header begins `header`, to find the list of tracks; undefined where there is none. */
export function stepToTracks(
  header: Uint8Array,
  offset: number,
): { kind: 'enter' | 'skip' | 'tracks'; element: Omit<Box, 'type'> } | undefined {
  if (!isElementId(header[0])) return undefined;
  const found = elementAt(header, 0);
  // Tracks come before the media.
  if (!found || found.id === ID.Cluster) return undefined;
  const kind = found.id === ID.Segment ? 'enter' : found.id === ID.Tracks ? 'tracks' : 'skip';
  return { kind, element: { start: offset + found.start, end: offset + found.end } };
}

/** IDs of elements have four bytes at most. */
const isElementId = (first: number | undefined): boolean => first !== undefined && first >= 0x10;

/**
 * Of pictures, sound, subtitles and metadata ffmpeg makes streams, in their order, where a codec is named that begins as
 * those of its type do. Other tracks it leaves out.
 */
const FIRST_LETTERS: Readonly<Record<number, string>> = { 1: 'V', 2: 'A', 17: 'SD', 33: 'SD' };

/**
 * What hides from a demuxer which codec a track is in, so that it lists the track as one that it does not know.
 * @param tracks the content of the element `Tracks`
 * @param offset of `tracks` in the file
 * @param streamIndex of the track, as ffmpeg counts
 */
export function hiddenTrack(
  tracks: Uint8Array,
  offset: number,
  streamIndex: number,
): { offset: number; bytes: Uint8Array }[] {
  const codec = codecsOf(tracks)[streamIndex];
  if (!codec) return [];
  const at = codec.byteOffset - tracks.byteOffset + 1;
  return [{ offset: offset + at, bytes: Buffer.alloc(codec.length - 1, 'x') }];
}

/** The names of the streams' codecs, where they lie in `tracks`; none where that is damaged. */
function codecsOf(tracks: Uint8Array): Uint8Array[] {
  try {
    return childrenOf(tracks).flatMap((entry) => {
      if (entry.id !== ID.TrackEntry) return [];
      const fields = new Map(childrenOf(entry.content).map(({ id, content }) => [id, content]));
      const [type, codec] = [fields.get(ID.TrackType), fields.get(ID.CodecID)];
      if (!type || !codec?.[0]) return [];
      return FIRST_LETTERS[unsigned(type)]?.includes(String.fromCharCode(codec[0])) ? [codec] : [];
    });
  } catch {
    return [];
  }
}
