// Looks into a source's container for what ffprobe does not say: that the media in it are encrypted (ffmpeg decodes
// them all the same, into garbage, and exits with 0), that they lie in other files, or that there is only a photo.

import { SourceError } from '../../core/errors.ts';
import { BOX_HEADER_BYTES, boxAt, hiddenCodec, isElsewhere, isEncrypted } from '../../core/source/mp4.ts';
import type { Box } from '../../core/source/mp4.ts';
import {
  ELEMENT_HEADER_BYTES,
  hiddenTrack,
  isMatroska,
  stepToTracks,
} from '../../core/source/matroska-tracks.ts';
import { isMediaContainer } from '../../core/source/containers.ts';
import { isScrambled } from '../../core/source/scrambling.ts';
import {
  PHOTO,
  isJpeg,
  isMotionJpeg,
  isOfPhotoBrand,
  isStillPicture,
} from '../../core/source/still-picture.ts';

/** Bytes from `offset`, as many as there are up to `length`. */
export type BytesAt = (offset: number, length: number) => Promise<Uint8Array>;

const WINDOW_BYTES = 64 * 1024;
// An index of 256 tracks, with a jump over each one's tables. What needs more is no file that anybody sells.
const MAX_WINDOWS = 600;
const MAX_LIST_BYTES = 64 * 1024;

export interface Inspected {
  /** The demuxer for it, where ffprobe would choose another. */
  demuxer: 'mjpeg' | undefined;
  /** Whether boxes of MP4 hold pieces of media, and none of them the index; looked at when somebody asks. */
  isFragmentOnly(): Promise<boolean>;
  /** Whether it begins as a file of video or sound does. */
  isContainer: boolean;
}

/** @throws SourceError ENCRYPTED, EXTERNAL_MEDIA, NOT_MEDIA */
export async function inspectContainer(sourceUrl: string, signal: AbortSignal): Promise<Inspected> {
  const { bytesAt, sizeBytes } = await openWindows(sourceUrl, signal);
  const head = await bytesAt(0, WINDOW_BYTES);
  if (isScrambled(head)) throw new SourceError('ENCRYPTED');
  const file = { type: '', start: 0, end: sizeBytes };
  if (isJpeg(head) && (await isMotionJpeg(bytesAt)))
    return { demuxer: 'mjpeg', isFragmentOnly: async () => false, isContainer: true };
  if (isStillPicture(head)) throw new SourceError('NOT_MEDIA', PHOTO);
  const holds = async (type: string) => !(await boxesBelow(bytesAt, file, [type]).next()).done;
  if (isOfPhotoBrand(head) && !(await holds('moov'))) throw new SourceError('NOT_MEDIA', PHOTO);
  for await (const media of boxesBelow(bytesAt, file, ['moov', 'trak', 'mdia', 'minf'])) {
    for await (const stsd of boxesBelow(bytesAt, media, ['stbl', 'stsd'])) {
      if (isEncrypted(await contentOf(bytesAt, stsd))) throw new SourceError('ENCRYPTED');
    }
    for await (const dref of boxesBelow(bytesAt, media, ['dinf', 'dref'])) {
      if (isElsewhere(await contentOf(bytesAt, dref))) throw new SourceError('EXTERNAL_MEDIA');
    }
  }
  const isFragmentOnly = async () => (await holds('moof')) && !(await holds('moov'));
  return { demuxer: undefined, isFragmentOnly, isContainer: isMediaContainer(head) };
}

/**
 * What is to be overwritten in an MP4 or Matroska file so that tools list one of its tracks without looking into it; nothing
 * where it is neither.
 */
export async function hidingOf(
  sourceUrl: string,
  streamIndex: number,
  signal: AbortSignal,
): Promise<{ offset: number; bytes: Uint8Array }[]> {
  const { bytesAt, sizeBytes } = await openWindows(sourceUrl, signal);
  if (isMatroska(await bytesAt(0, ELEMENT_HEADER_BYTES))) {
    const tracks = await matroskaTracks(bytesAt, sizeBytes);
    return tracks ? hiddenTrack(await contentOf(bytesAt, tracks), tracks.start, streamIndex) : [];
  }
  const file = { type: '', start: 0, end: sizeBytes };
  let track = 0;
  for await (const stsd of boxesBelow(bytesAt, file, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd'])) {
    if (track === streamIndex) return hiddenCodec(await contentOf(bytesAt, stsd), stsd.start);
    track += 1;
  }
  return [];
}

async function matroskaTracks(bytesAt: BytesAt, sizeBytes: number): Promise<Omit<Box, 'type'> | undefined> {
  for (let offset = 0; offset < sizeBytes;) {
    const step = stepToTracks(await bytesAt(offset, ELEMENT_HEADER_BYTES), offset);
    if (!step || step.kind === 'tracks') return step?.element;
    offset = step.kind === 'enter' ? step.element.start : step.element.end;
  }
  return undefined;
}

/** All boxes at the end of a path of types, such as `['stbl', 'stsd']`, below a box. */
export async function* boxesBelow(
  bytesAt: BytesAt,
  parent: Box,
  path: readonly string[],
): AsyncGenerator<Box> {
  const [wanted, ...rest] = path;
  for (let offset = parent.start; offset < parent.end;) {
    const box = boxAt(await bytesAt(offset, BOX_HEADER_BYTES), offset, parent.end);
    if (!box) return;
    if (box.type === wanted) {
      if (rest.length > 0) yield* boxesBelow(bytesAt, box, rest);
      else yield box;
    }
    // Whatever follows a file's index is media.
    if (box.type === 'moov') return;
    offset = box.end;
  }
}

const contentOf = (bytesAt: BytesAt, { start, end }: Omit<Box, 'type'>): Promise<Uint8Array> =>
  bytesAt(start, Math.min(end - start, MAX_LIST_BYTES));

/** Reads a source in windows, of which the last is kept: an index lies together. */
export async function openWindows(
  sourceUrl: string,
  signal: AbortSignal,
): Promise<{ bytesAt: BytesAt; sizeBytes: number }> {
  let windows = 0;
  let kept = { offset: 0, bytes: new Uint8Array() };
  let sizeBytes = Infinity;

  async function read(offset: number, length: number): Promise<Uint8Array> {
    if (offset >= sizeBytes || (windows += 1) > MAX_WINDOWS) return new Uint8Array();
    const last = offset + Math.max(length, WINDOW_BYTES) - 1;
    const answer = await fetch(sourceUrl, { headers: { range: `bytes=${offset}-${last}` }, signal });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (answer.status !== 206) throw new Error(`bytes ${offset}–${last} of the source: ${answer.status}`);
    sizeBytes = Number(/\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1]);
    kept = { offset, bytes };
    return bytes;
  }

  await read(0, WINDOW_BYTES);
  return {
    sizeBytes,
    async bytesAt(offset, length) {
      const within = offset - kept.offset;
      const isKept = within >= 0 && Math.min(offset + length, sizeBytes) <= kept.offset + kept.bytes.length;
      return isKept
        ? kept.bytes.subarray(within, within + length)
        : (await read(offset, length)).subarray(0, length);
    },
  };
}
