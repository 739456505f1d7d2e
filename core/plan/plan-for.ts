// Makes a plan of what ffprobe said of a source, and of nothing else.

import { createHash } from 'node:crypto';
import { SourceError } from '../errors.ts';
import { scaledRound, valueOf } from '../fraction.ts';
import type { Fraction } from '../fraction.ts';
import type { SourceLimits } from '../limits.ts';
import { PRESENT_RECIPE } from '../recipes/present.ts';
import { outputFrameRate } from '../source/frame-rate.ts';
import { processingOf } from '../source/picture.ts';
import type { AudioStream, Probe, StreamDescription, TextStream, VideoStream } from '../source/probe.ts';
import { plannedEffort } from './effort.ts';
import type { Grid } from './grid.ts';
import type { LargestRung } from './ladder.ts';
import { isUsual, renditionNames, usualRungs } from './plan.ts';
import type { Effort, Plan, PlannedSource } from './plan.ts';
import { publishedRenditions } from './publication.ts';
import { stillsPlan } from './stills.ts';
import type { AudioTrack, TextTrack, Track, VideoTrack } from './tracks.ts';

export interface PlanSettings extends Pick<SourceLimits, 'maxDurationSeconds'> {
  prewarm: PrewarmExtent;
  /** How that is encoded: thoroughly where nothing is said. */
  prewarmEffort?: Effort;
  /** What the highest rung may be at most: 1080p where nothing is said. */
  largestRung?: LargestRung;
}

/** What to make ahead of time: all renditions, only the rung that players begin with and the sound, or nothing. */
export const PREWARM_EXTENTS = ['all', 'lowest', 'none'] as const;
export type PrewarmExtent = (typeof PREWARM_EXTENTS)[number];

const GOP_SECONDS = 2;
const GOPS_PER_SEGMENT = 1;

/** Sound without pictures is cut on this grid, as if it had pictures. */
const AUDIO_ONLY_FRAME_RATE: Fraction = { num: 25, den: 1 };

// Encoders start the sound a few frames before the picture. That much of it may go; more is worth a held picture.
const IGNORED_AUDIO_LEAD_SECONDS = 0.25;
// Sound that outlasts the picture by less than this is an encoder's padding.
const IGNORED_AUDIO_TAIL_SECONDS = 0.25;

/**
 * Decides everything about a video, in microseconds per hour of film and without I/O.
 * @throws SourceError TOO_LONG above the limit, NO_STREAMS where the length is nowhere to be found.
 */
export function planFor(probe: Probe, source: PlannedSource, settings: PlanSettings): Plan {
  const { video, audio } = probe;
  const frameRate = video ? outputFrameRate(video) : AUDIO_ONLY_FRAME_RATE;
  const originSeconds = originOf(probe);
  const videoFrames = video ? originFrames(video, probe, frameRate) : { lead: 0, source: 0 };
  const audioEndSeconds = audio ? audio.startSeconds + durationOf(audio, probe) - originSeconds : 0;
  const frameCount = Math.max(1, gridFrames(Boolean(video), videoFrames.source, audioEndSeconds, frameRate));

  const durationSeconds = frameCount / valueOf(frameRate);
  if (!Number.isFinite(durationSeconds))
    throw new SourceError('NOT_MEDIA', 'The file does not say how long it is.');
  if (durationSeconds > settings.maxDurationSeconds) {
    throw new SourceError(
      'TOO_LONG',
      `The video lasts ${Math.round(durationSeconds)} s; at most ${settings.maxDurationSeconds} s are accepted.`,
    );
  }

  const tracks = tracksOf(probe, originSeconds, frameRate);
  const grid = gridOf({ frameRate, frameCount });
  const decided: Omit<Plan, 'rev' | 'notices' | 'prewarm' | 'prewarmEffort'> = {
    recipe: PRESENT_RECIPE,
    source,
    grid,
    tracks,
    renditions: publishedRenditions({ tracks, grid, recipe: PRESENT_RECIPE }, settings.largestRung),
    stills: video ? stillsPlan(video, durationSeconds) : null,
  };
  const rev = createHash('sha256').update(JSON.stringify(decided)).digest('hex').slice(0, 10);
  // Not part of the hash: neither when a segment is made nor what is said of it changes it.
  return {
    ...{ rev, ...decided, notices: probe.notices },
    prewarm: prewarmed(decided, settings.prewarm),
    prewarmEffort: plannedEffort(settings.prewarmEffort ?? 'thorough', decided),
  };
}

/** Where it is cut. */
export function gridOf({ frameRate, frameCount }: Pick<Grid, 'frameRate' | 'frameCount'>): Grid {
  const gopFrames = Math.max(1, scaledRound(GOP_SECONDS, frameRate));
  return { frameRate, frameCount, gopFrames, segmentFrames: GOPS_PER_SEGMENT * gopFrames };
}

/**
 * Those that are published first. Of the others, one whose length is unknown, or whose numbers no record could hold, is
 * left out: what nobody watches must not make the rest unreadable.
 */
function tracksOf(probe: Probe, originSeconds: number, frameRate: Fraction): Track[] {
  const { video, audio } = probe;
  const picture = (stream: VideoStream, index: number): VideoTrack =>
    videoTrack(stream, index, originSeconds, originFrames(stream, probe, frameRate));
  const sound = (stream: AudioStream, index: number): AudioTrack => {
    const endSeconds = stream.startSeconds + durationOf(stream, probe) - originSeconds;
    return audioTrack(stream, index, originSeconds, endSeconds);
  };
  const furtherVideo = probe.furtherVideo.filter((stream) => isStorable(picture(stream, 0)));
  const furtherAudio = probe.furtherAudio.filter((stream) => isStorable(sound(stream, 0)));
  return [
    ...(video ? [video, ...furtherVideo] : []).map(picture),
    ...(audio ? [audio, ...furtherAudio] : []).map(sound),
    ...probe.text.map((stream, index) => textTrack(stream, index, originSeconds)),
  ];
}

function isStorable(track: VideoTrack | AudioTrack): boolean {
  const { num, den, width, height } =
    track.kind === 'video' ? { ...track.timeBase, ...track } : { num: 1, den: 1, width: 1, height: 1 };
  const counts = Object.values(track).filter((value) => typeof value === 'number');
  return [num, den, ...counts].every(Number.isSafeInteger) && Math.min(num, den, width, height) >= 1;
}

function prewarmed(plan: Pick<Plan, 'renditions'>, prewarm: PrewarmExtent): string[] {
  const names = renditionNames(plan);
  switch (prewarm) {
    case 'all':
      return names;
    case 'lowest': {
      const lowest = usualRungs(plan).at(-1);
      return plan.renditions
        .filter((own) => isUsual(own) && (own.kind !== 'video' || own === lowest))
        .map(({ name }) => name);
    }
    case 'none':
      return [];
  }
}

/** The grid's time zero, in seconds of the source's own time stamps. */
function originOf({ video, audio }: Probe): number {
  const audioStart = audio?.startSeconds ?? Infinity;
  const videoStart = video ? video.startPts * valueOf(video.timeBase) : Infinity;
  return audioStart < videoStart - IGNORED_AUDIO_LEAD_SECONDS
    ? audioStart
    : Math.min(videoStart, audioStart + 1e9);
}

function originFrames(
  video: VideoStream,
  probe: Probe,
  frameRate: Fraction,
): { lead: number; source: number } {
  const rate = valueOf(frameRate);
  const lead = Math.round((video.startPts * valueOf(video.timeBase) - originOf(probe)) * rate);
  const byDuration = Math.round(durationOf(video, probe) * rate);
  // Where the container counts pictures and none is dropped or doubled, its count is exact.
  const counted = video.frameCount;
  const own = counted !== undefined && Math.abs(counted - byDuration) <= 1 ? counted : byDuration;
  return { lead, source: lead + Math.max(1, own) };
}

function durationOf(stream: VideoStream | AudioStream, probe: Probe): number {
  if (stream.durationSeconds !== undefined) return stream.durationSeconds;
  const start = 'startPts' in stream ? stream.startPts * valueOf(stream.timeBase) : stream.startSeconds;
  return (probe.durationSeconds ?? NaN) - (start - probe.startSeconds);
}

function gridFrames(
  hasVideo: boolean,
  videoFrames: number,
  audioEndSeconds: number,
  frameRate: Fraction,
): number {
  const audioFrames = Math.ceil(audioEndSeconds * valueOf(frameRate) - 1e-6);
  if (!hasVideo) return audioFrames;
  const ignored = IGNORED_AUDIO_TAIL_SECONDS * valueOf(frameRate);
  return audioFrames > videoFrames + ignored ? audioFrames : videoFrames;
}

function videoTrack(
  video: VideoStream,
  index: number,
  originSeconds: number,
  frames: { lead: number; source: number },
): VideoTrack {
  return {
    kind: 'video',
    id: `video-${index}`,
    ...described(video),
    ...(video.decoder === undefined ? {} : { decoder: video.decoder }),
    width: video.width,
    height: video.height,
    decoded: { width: video.codedWidth, height: video.codedHeight },
    timeBase: video.timeBase,
    originPts: frames.lead === 0 ? video.startPts : Math.round(originSeconds / valueOf(video.timeBase)),
    leadFrames: frames.lead,
    sourceFrames: frames.source,
    processing: processingOf(video),
  };
}

function audioTrack(
  audio: AudioStream,
  index: number,
  originSeconds: number,
  endSeconds: number,
): AudioTrack {
  const { sampleRate: sourceRate } = audio;
  return {
    kind: 'audio',
    id: `audio-${index}`,
    ...described(audio),
    sourceRate,
    sourceChannels: audio.channels,
    stamps: stampsOf(audio),
    originSample: Math.round(originSeconds * sourceRate),
    startSample: Math.round((audio.startSeconds - originSeconds) * sourceRate),
    endSample: Math.round(endSeconds * sourceRate),
  };
}

// Above this a unit is a frame of the codec (AVI counts MP3 so), and stamps are exact.
const COARSEST_STAMP_SECONDS = 0.002;
// Nearly all frames are of 10, 20, 40 or 60 ms (RFC 6716, section 2.1.4).
const OPUS_UNIT_SAMPLES = 480;

/** The track's first stamp is rounded, and any other. Of Opus a part of the first frame after a seek is dropped as well. */
function stampsOf({ codec, sampleRate, timeBase }: AudioStream): AudioTrack['stamps'] {
  const samples = valueOf(timeBase) * sampleRate;
  const isExact = samples <= 1 || samples > COARSEST_STAMP_SECONDS * sampleRate;
  return codec === 'opus'
    ? { within: isExact ? 0 : Math.ceil(2 * samples), unit: OPUS_UNIT_SAMPLES }
    : { within: isExact ? 0 : Math.ceil(samples), unit: null };
}

const textTrack = (text: TextStream, index: number, originSeconds: number): TextTrack => ({
  kind: 'text',
  id: `text-${index}`,
  ...described(text),
  codec: text.codec,
  originSeconds,
});

const described = ({
  index,
  language,
  title,
  isDefault,
  isForced,
}: StreamDescription & { index: number }) => ({
  streamIndex: index,
  language: language ?? null,
  title: title ?? null,
  isDefault: isDefault ?? false,
  isForced: isForced ?? false,
});
