// The mezzanine: a source's picture and sound, copied as they are into one Matroska file with an index, because the
// source has none that leads to the right picture. What is in it is known exactly, as it was counted while it passed.

import { constantRate, isBareVideo } from './bare/bare-streams.ts';
import { earlyEnds } from './early-end.ts';
import { neededFrameRate } from './frame-rate.ts';
import type { IndexedTrack } from './matroska.ts';
import type { Mezzanine } from '../records/mezzanine.ts';
import type { AudioStream, Probe, VideoStream } from './probe.ts';

/** Matroska as we write it counts milliseconds. */
const TIME_BASE = { num: 1, den: 1000 };

/** The probe of a mezzanine: what was said of the source, corrected by what was found in it. */
export function mezzanineProbe(probe: Probe, { tracks, notices, way }: Mezzanine): Probe {
  const indexOf = (kind: IndexedTrack['kind']) => tracks.findIndex((track) => track.kind === kind);
  const [videoIndex, audioIndex] = [indexOf('video'), indexOf('audio')];
  const ends = tracks.map(({ endSeconds }) => endSeconds);
  const startSeconds = Math.min(...tracks.map(({ firstSeconds }) => firstSeconds));
  const copied: Probe = {
    format: 'matroska,webm',
    startSeconds,
    durationSeconds: Math.max(...ends) - startSeconds,
    video:
      probe.video && videoIndex >= 0
        ? videoOf(
            withRate(withCodecOf(way, probe.video), probe.format, tracks[videoIndex]!),
            tracks[videoIndex]!,
            videoIndex,
          )
        : undefined,
    audio: probe.audio && audioIndex >= 0 ? audioOf(probe.audio, tracks[audioIndex]!, audioIndex) : undefined,
    furtherVideo: [],
    furtherAudio: [],
    text: [],
    notices: [...probe.notices, ...notices],
  };
  // What a copy lacks at its end is said already.
  const endsEarly = earlyEnds(probe, copied, true).filter(
    ({ track }) => !notices.some((told) => told.code === 'ENDS_EARLY' && told.track === track),
  );
  return { ...copied, notices: [...copied.notices, ...endsEarly] };
}

/** A copy of decoded pictures holds another codec, which wants no decoder of its own. */
const withCodecOf = (way: Mezzanine['way'], video: VideoStream): VideoStream =>
  way && way.picture !== 'copy' ? { ...video, decoder: undefined } : video;

/** Of a bare stream ffprobe tells a rate that it assumes; the copy's times follow what the pictures say. */
function withRate(video: VideoStream, format: string, track: IndexedTrack): VideoStream {
  if (!isBareVideo(format)) return video;
  const rate = constantRate(track.frameCount, track.endSeconds - track.firstSeconds);
  return { ...video, baseFrameRate: rate, averageFrameRate: rate };
}

function videoOf(video: VideoStream, track: IndexedTrack, index: number): VideoStream {
  const { frameCount, firstSeconds, endSeconds } = track;
  const durationSeconds = endSeconds - firstSeconds;
  return {
    ...video,
    index,
    countedFrameRate: neededFrameRate(video, track.rate),
    timeBase: TIME_BASE,
    startPts: Math.round(firstSeconds * TIME_BASE.den),
    durationSeconds,
    frameCount,
    averageFrameRate:
      video.averageFrameRate ??
      (durationSeconds > 0
        ? { num: frameCount * TIME_BASE.den, den: Math.round(durationSeconds * TIME_BASE.den) }
        : undefined),
  };
}

function audioOf(audio: AudioStream, track: IndexedTrack, index: number): AudioStream {
  const { frameCount, firstSeconds, endSeconds } = track;
  return {
    ...audio,
    index,
    frameCount,
    timeBase: TIME_BASE,
    startSeconds: firstSeconds,
    durationSeconds: endSeconds - firstSeconds,
  };
}
