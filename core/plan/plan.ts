// The plan: everything decided about a video before anything is encoded, from its probe alone. Every playlist,
// every segment and every time stamp follows from it by integer arithmetic; nothing is ever added up in seconds.

import { createHash } from 'node:crypto';
import { AAC_CODECS, h264Codecs, h264Level } from '../codecs/codecs.ts';
import { SourceError } from '../errors.ts';
import { scaledRound, valueOf } from '../fraction.ts';
import type { Fraction } from '../fraction.ts';
import { outputFrameRate } from '../source/frame-rate.ts';
import { ladderFor } from './ladder.ts';
import type { Rung } from './ladder.ts';
import type { SourceLimits } from '../limits.ts';
import { processingOf } from '../source/picture.ts';
import type { PictureProcessing } from '../source/picture.ts';
import type { AudioStream, Probe, VideoStream } from '../source/probe.ts';
import { PRESENT_RECIPE } from '../recipes/present.ts';
import type { Recipe } from '../recipes/recipe.ts';
import type { MezzanineReason } from '../source/seekability.ts';
import { stillsPlan } from './stills.ts';
import type { StillsPlan } from './stills.ts';

export interface Plan {
  /**
   * Short hash of decisions and recipe: part of every key, so that segments of two plans never mix. Stored, and never
   * computed anew: a plan that is migrated when it is read keeps its URLs.
   */
  rev: string;
  /** How all that is decided below is made. */
  recipe: Recipe;
  source: PlannedSource;
  grid: Grid;
  video: VideoPlan | null;
  audio: AudioPlan | null;
  /** Null where there is only sound. */
  stills: StillsPlan | null;
  /** Names of the renditions to make ahead of time. The others are made when first watched. */
  prewarm: string[];
}

/** What segments are cut from. */
export interface PlannedSource {
  /** The file as it was sent, or the copy of it that has an index. */
  kind: 'upload' | 'mezzanine';
  /** Of a copy: where it is stored, and why there is one. */
  key?: string;
  reason?: MezzanineReason;
  sizeBytes: number;
  /** Of the file as it was sent: only what has it is read. Copies made before commit 2661e34 do not know it. */
  etag?: string;
  /** How far apart its keyframes are, as far as that is known. */
  keyframeSeconds: number;
}

/** The one time line of all renditions. Frame `n` is shown at `n · den / num` seconds after the source's start. */
export interface Grid {
  frameRate: Fraction;
  frameCount: number;
  gopFrames: number;
  segmentFrames: number;
}

export interface VideoPlan {
  streamIndex: number;
  /** The source's picture as displayed. */
  width: number;
  height: number;
  timeBase: Fraction;
  /** The grid's time zero in the source's own time stamps, in units of `timeBase`. */
  originPts: number;
  /** Frames of the grid before the source's first picture (which is shown from the start instead). */
  leadFrames: number;
  /** Frames of the grid up to the end of the source's last picture (which is held from there on). */
  sourceFrames: number;
  processing: PictureProcessing;
  renditions: VideoRendition[];
}

export interface VideoRendition extends Rung {
  level: string;
  codecs: string;
}

export interface AudioPlan {
  name: 'audio-0';
  streamIndex: number;
  sourceRate: number;
  sampleRate: number;
  sourceChannels: number;
  channels: number;
  bitrateBps: number;
  codecs: string;
  /** The grid's time zero in source samples since the source's time stamp 0. */
  originSample: number;
  /** Where the source's sound begins and ends, in source samples from the grid's zero. Silence elsewhere. */
  startSample: number;
  endSample: number;
}

export interface PlanSettings extends Pick<SourceLimits, 'maxDurationSeconds'> {
  prewarm: PrewarmExtent;
}

/** What to make ahead of time: all renditions, only the lowest rung and the sound, or nothing. */
export const PREWARM_EXTENTS = ['all', 'lowest', 'none'] as const;
export type PrewarmExtent = (typeof PREWARM_EXTENTS)[number];

export const AAC_FRAME_SAMPLES = 1024;
const GOP_SECONDS = 2;
const GOPS_PER_SEGMENT = 2;

/** Sound without pictures is cut on this grid: 4 s segments. */
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

  const gopFrames = Math.max(1, scaledRound(GOP_SECONDS, frameRate));
  const decided: Omit<Plan, 'rev' | 'prewarm'> = {
    recipe: PRESENT_RECIPE,
    source,
    grid: { frameRate, frameCount, gopFrames, segmentFrames: GOPS_PER_SEGMENT * gopFrames },
    video: video ? videoPlan(video, originSeconds, videoFrames, frameRate) : null,
    audio: audio ? audioPlan(audio, originSeconds, audioEndSeconds) : null,
    stills: video ? stillsPlan(video, durationSeconds) : null,
  };
  const rev = createHash('sha256').update(JSON.stringify(decided)).digest('hex').slice(0, 10);
  // Not part of the hash: when a segment is made does not change it.
  return { rev, ...decided, prewarm: prewarmed(decided, settings.prewarm) };
}

/** The names of all renditions, the highest rung first, the sound last. */
export const renditionNames = ({ video, audio }: Pick<Plan, 'video' | 'audio'>): string[] => [
  ...(video?.renditions.map(({ name }) => name) ?? []),
  ...(audio ? [audio.name] : []),
];

function prewarmed(plan: Pick<Plan, 'video' | 'audio'>, prewarm: PrewarmExtent): string[] {
  const names = renditionNames(plan);
  switch (prewarm) {
    case 'all':
      return names;
    case 'lowest':
      return names.slice(plan.video ? plan.video.renditions.length - 1 : 0);
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

function videoPlan(
  video: VideoStream,
  originSeconds: number,
  frames: { lead: number; source: number },
  frameRate: Fraction,
): VideoPlan {
  const framesPerSecond = valueOf(frameRate);
  return {
    streamIndex: video.index,
    width: video.width,
    height: video.height,
    timeBase: video.timeBase,
    originPts: frames.lead === 0 ? video.startPts : Math.round(originSeconds / valueOf(video.timeBase)),
    leadFrames: frames.lead,
    sourceFrames: frames.source,
    processing: processingOf(video),
    renditions: ladderFor(video, framesPerSecond).map((rung) => {
      const level = h264Level(rung, framesPerSecond, rung.maxBitrateBps);
      return { ...rung, level, codecs: h264Codecs(level) };
    }),
  };
}

function audioPlan(audio: AudioStream, originSeconds: number, endSeconds: number): AudioPlan {
  const { sampleRate: sourceRate } = audio;
  const channels = Math.min(2, audio.channels);
  return {
    name: 'audio-0',
    streamIndex: audio.index,
    sourceRate,
    // Nothing is resampled that need not be: AAC players take both rates.
    sampleRate: sourceRate === 44_100 ? 44_100 : 48_000,
    sourceChannels: audio.channels,
    channels,
    bitrateBps: channels === 1 ? 80_000 : 128_000,
    codecs: AAC_CODECS,
    originSample: Math.round(originSeconds * sourceRate),
    startSample: Math.round((audio.startSeconds - originSeconds) * sourceRate),
    endSample: Math.round(endSeconds * sourceRate),
  };
}
