// Whether segments can be cut straight from a source: whether its index leads to the right place, soon, and whether it
// is as long as it says. Where not, it is copied into a container that does (the mezzanine) before anything else.

import { GIF } from './gif.ts';
import { valueOf } from '../fraction.ts';
import { countedRate } from './frame-rate.ts';
import type { CountedRate } from './frame-rate.ts';
import type { Probe, VideoStream } from './probe.ts';

/** Why a source is copied first. */
export const MEZZANINE_REASONS = {
  CONTAINER: 'This kind of container has no index that always leads to the right picture.',
  FRAGMENTED: 'The file is in fragments and has no index of them.',
  NO_LENGTH: 'The file does not say how long it is, as recordings by a browser do not.',
  WRONG_INDEX: 'The index of the file leads nowhere, or to another place than it says.',
  SLOW_INDEX: 'Half of the file would be read to find a place in it.',
} as const;

export type MezzanineReason = keyof typeof MEZZANINE_REASONS;

/** As ffprobe names it. */
export const MP4 = 'mov,mp4,m4a,3gp,3g2,mj2';
/** Containers whose seeking ffmpeg does exactly, given that their index is whole. */
const INDEXED_CONTAINERS = [MP4, 'matroska,webm', 'wav', 'w64', 'aiff', GIF];

/** What the probe alone says: undefined where the source deserves to be tried. */
export function reasonByProbe({ format, durationSeconds, video, audio }: Probe): MezzanineReason | undefined {
  if (!INDEXED_CONTAINERS.includes(format)) return 'CONTAINER';
  // The index of an MP4 counts its frames; that of one in fragments begins at nothing.
  const counted = [video?.frameCount, audio?.frameCount];
  if (format === MP4 && counted.every((count) => count === undefined)) return 'FRAGMENTED';
  return durationSeconds === undefined ? 'NO_LENGTH' : undefined;
}

/** A stretch of the source's own time line, in seconds. */
export interface LookRange {
  fromSeconds: number;
  toSeconds: number;
}

/** Long enough to hold a picture and a sound of the slowest source. */
const LOOK_SECONDS = 2;
const LOOK_BEYOND_SECONDS = 10;

/** Where to look for the source's end: seeking there tells as well whether seeking works. */
export function lookRange(probe: Probe): LookRange {
  const { video, audio, startSeconds, durationSeconds = 0 } = probe;
  const start = video ? video.startPts * valueOf(video.timeBase) : audio!.startSeconds;
  const own = (video ?? audio!).durationSeconds;
  const endSeconds = own === undefined ? startSeconds + durationSeconds : start + own;
  return {
    fromSeconds: Math.max(start, endSeconds - LOOK_SECONDS),
    toSeconds: endSeconds + LOOK_BEYOND_SECONDS,
  };
}

const STRETCH_SECONDS = 5;

/** Where to look at the times of pictures: at the beginning, in the middle and at the end. */
export function stretchesOf(probe: Probe): LookRange[] {
  const { fromSeconds: lastLook } = lookRange(probe);
  const { startPts = 0, timeBase = { num: 1, den: 1 } } = probe.video ?? {};
  const start = startPts * valueOf(timeBase);
  const end = lastLook + LOOK_SECONDS;
  if (end - start <= 3 * STRETCH_SECONDS) return [{ fromSeconds: start, toSeconds: end }];
  return [start, (start + end - STRETCH_SECONDS) / 2, end - STRETCH_SECONDS].map((fromSeconds) => ({
    fromSeconds,
    toSeconds: fromSeconds + STRETCH_SECONDS,
  }));
}

/** What the pictures at the end say of their rate. */
export const rateAtEnd = ({ video }: Probe, look: Look): CountedRate | undefined =>
  video && countedRate(shownPackets(look, video.index).map(({ pts_time }) => Number(pts_time)));

/** A packet as ffprobe lists it. */
export interface ListedPacket {
  stream_index: number;
  pts_time?: string;
  duration_time?: string;
  flags?: string;
  /** In bytes, where it is asked for. */
  pos?: string;
  size?: string;
}

export interface Look {
  /** Whether it was given up, as it took too long. */
  tookLong?: boolean;
  range: LookRange;
  packets: ListedPacket[];
  /** What was read of the source to see that. */
  bytesRead: number;
}

// An index takes its own bytes to read, and small files are read whole anyway.
const FREE_BYTES = 2 * 1024 * 1024;

/** What the end of the source says of its index: undefined where that is as it should be. */
export function reasonByLook(probe: Probe, look: Look, sizeBytes: number): MezzanineReason | undefined {
  const { fromSeconds, toSeconds } = look.range;
  const stream = (probe.video ?? probe.audio)!.index;
  const shown = shownPackets(look, stream);
  const first = look.packets.find((packet) => packet.stream_index === stream);
  if (!first || shown.length === 0) return 'WRONG_INDEX';
  if (probe.video && !first.flags?.includes('K')) return 'WRONG_INDEX';
  if (Number(first.pts_time) > fromSeconds + 1) return 'WRONG_INDEX';
  // It goes on and on after what was said to be the end.
  if (endOf(shown) > toSeconds - 1) return 'WRONG_INDEX';
  const share = (toSeconds - Number(first.pts_time)) / Math.max(1, probe.durationSeconds ?? 1);
  return look.bytesRead > 2 * share * sizeBytes + FREE_BYTES ? 'SLOW_INDEX' : undefined;
}

const LEAST_PICTURE_SECONDS = 0.002;

/** The probe, with the lengths that were seen in place of those that were claimed. */
export function corrected(probe: Probe, look: Look): Probe {
  const { video, audio } = probe;
  const pictures = video ? shownPackets(look, video.index) : [];
  const sounds = audio ? shownPackets(look, audio.index) : [];
  // Sound that goes on after the look's end, or had ended before it, is as long as was said.
  const seesSoundEnd = sounds.length > 0 && endOf(sounds) < look.range.toSeconds - 1;
  return {
    ...probe,
    video: video && {
      ...video,
      durationSeconds: lastPictureEnd(pictures, video) - video.startPts * valueOf(video.timeBase),
    },
    audio: audio && seesSoundEnd ? { ...audio, durationSeconds: endOf(sounds) - audio.startSeconds } : audio,
  };
}

/** The same of a source that claims no length at all: what ffprobe says of a GIF is what it has added up itself. */
export function measured(probe: Probe, look: Look): Probe {
  const { video } = probe;
  if (!video || shownPackets(look, video.index).length === 0) return probe;
  const found = corrected(probe, look);
  return { ...found, durationSeconds: found.video!.durationSeconds };
}

/** Muxers that do not know how long the last picture is shown write next to nothing. */
function lastPictureEnd(
  pictures: ListedPacket[],
  { countedFrameRate, averageFrameRate }: VideoStream,
): number {
  const rate = countedFrameRate ?? averageFrameRate;
  const [start, end] = [Math.max(...pictures.map(({ pts_time }) => Number(pts_time))), endOf(pictures)];
  const isKnown = end - start >= LEAST_PICTURE_SECONDS || !rate;
  return isKnown ? end : start + 1 / valueOf(rate);
}

/** How far back from a place a decoder has to begin, as seen at the end. */
export const lookBackSeconds = ({ range, packets }: Look, { video }: Probe): number => {
  const first = packets.find(({ stream_index }) => stream_index === video?.index);
  return first ? Math.max(0, range.fromSeconds - Number(first.pts_time)) : 0;
};

/**
 * The tracks that seem to end early. A list of packets ends with the first one that cannot be read, or lies beyond it, of
 * whatever track that is: one whose place or time is wrong hides what comes after it of the others.
 */
export const seemingShort = ({ range, packets }: Look, { video, audio }: Probe): number[] =>
  [video, audio].flatMap((track) => {
    const own = packets.filter(({ stream_index }) => stream_index === track?.index);
    const isShort = endOf(own) < range.toSeconds - LOOK_BEYOND_SECONDS - SHORT_SECONDS;
    return track && packets.length > own.length && isShort ? [track.index] : [];
  });

/** Sound and picture may end so far from each other. */
const SHORT_SECONDS = 0.1;

/** Packets that are shown: not those an edit list leaves out. */
const shownPackets = ({ packets }: Look, stream: number): ListedPacket[] =>
  packets.filter(
    ({ stream_index, pts_time, flags }) =>
      stream_index === stream && pts_time !== undefined && !flags?.includes('D'),
  );

const endOf = (packets: ListedPacket[]): number =>
  packets.reduce(
    (end, { pts_time, duration_time }) => Math.max(end, Number(pts_time) + Number(duration_time ?? 0)),
    -Infinity,
  );
