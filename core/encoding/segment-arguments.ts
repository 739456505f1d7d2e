// The ffmpeg command line that encodes a run of segments, as a pure list: the plan says what, its recipe how. Written for
// ffmpeg 4.1 (the static npm binary of 2018).

import { greatestCommonDivisor, valueOf } from '../fraction.ts';
import { deinterlacing, sharedFilters, sizeFilters } from './picture-filters.ts';
import { AAC_FRAME_SAMPLES } from '../plan/plan.ts';
import type { AudioPlan, Plan, VideoPlan, VideoRendition } from '../plan/plan.ts';
import { fill, fillAll } from '../recipes/recipe.ts';
import { audioFrames, videoFrames } from '../plan/segments.ts';
import type { FrameRange } from '../plan/segments.ts';
import { decodingInput } from '../source/source-arguments.ts';
import type { DecodingLimits } from '../source/source-arguments.ts';

/** What to encode in one process: a run of segments of some renditions, into a folder. */
export interface EncodeJob {
  plan: Plan;
  /** Names of renditions of the plan. */
  renditions: readonly string[];
  /** Segments `from` up to, not including, `to`. */
  from: number;
  to: number;
  sourceUrl: string;
  /** Video segments land in `{directory}/{rendition}/{00042}.ts`, sound in `{directory}/{rendition}/all.adts`. */
  directory: string;
  /** For pictures that cannot be decoded: hold the one before (or after) them, or, where there is none, show black and play silence. */
  rescue?: Rescue;
}

export type Rescue = 'held' | 'blank';

// Decoding starts this much early, so that whatever frame is on screen at the first cut has been decoded.
const PREROLL_SECONDS = 1;
// How far back we look for a picture to hold where a source is damaged.
export const RESCUE_PREROLL_SECONDS = 30;
// Sound decoded before the first sample we need, for the decoder's overlap and the resampler's filter.
const AUDIO_PREROLL_SECONDS = 0.2;

export function encodeArguments(job: EncodeJob, limits: DecodingLimits): string[] {
  const { plan } = job;
  const video = plan.video?.renditions.filter(({ name }) => job.renditions.includes(name)) ?? [];
  const audio = plan.audio && job.renditions.includes(plan.audio.name) ? plan.audio : undefined;
  const graphs = [
    ...(video.length > 0 ? [videoGraph(job, plan.video!, video)] : []),
    ...(audio ? [audioGraph(job, audio)] : []),
  ];
  return [
    // What cannot be decoded is counted and made up for; it is no reason to fail.
    ...['-v', 'error', '-nostdin', '-y', '-max_error_rate', '1'],
    ...(job.rescue === 'blank' ? [] : inputArguments(job, video.length > 0, limits)),
    ...['-filter_complex', graphs.join(';')],
    ...video.flatMap((rendition, index) => videoOutput(job, rendition, `[v${index}]`)),
    ...(audio ? audioOutput(job, audio) : []),
  ];
}

function inputArguments(job: EncodeJob, withVideo: boolean, limits: DecodingLimits): string[] {
  const { plan } = job;
  const startSeconds = seekSeconds(job, withVideo);
  const originSeconds = plan.video
    ? plan.video.originPts * valueOf(plan.video.timeBase)
    : plan.audio!.originSample / plan.audio!.sourceRate;
  return [
    ...decodingInput(limits),
    // Accurate seeking would drop the frame that spans the start; we cut by frame number instead.
    ...(startSeconds > 0
      ? ['-noaccurate_seek', '-seek_timestamp', '1', '-ss', (originSeconds + startSeconds).toFixed(6)]
      : []),
    // Keep the source's time stamps: the filters map them onto the grid.
    ...['-copyts', '-noautorotate', '-i', job.sourceUrl],
  ];
}

/** Where to begin decoding, in seconds from the grid's zero. */
function seekSeconds({ plan, from, rescue }: EncodeJob, withVideo: boolean): number {
  const rate = valueOf(plan.grid.frameRate);
  const start = videoFrames(plan.grid, from).from / rate;
  // Beyond its last picture a source holds it, so decoding begins where that one can be found.
  const lastPicture = withVideo ? (plan.video!.sourceFrames - 1) / rate : Infinity;
  const lastSound = plan.audio && !withVideo ? plan.audio.endSample / plan.audio.sourceRate : Infinity;
  return Math.min(start, lastPicture, lastSound) - (rescue ? RESCUE_PREROLL_SECONDS : PREROLL_SECONDS);
}

function videoGraph(job: EncodeJob, video: VideoPlan, renditions: VideoRendition[]): string {
  const { grid } = job.plan;
  const { from, to } = frameRun(job);
  const { num, den } = grid.frameRate;
  if (job.rescue === 'blank') {
    const black = ({ width, height }: VideoRendition) =>
      `color=c=black:s=${width}x${height}:r=${num}/${den},trim=end_frame=${to - from},setpts=PTS+${from},format=${job.plan.recipe.picture.pixelFormat}`;
    return renditions.map((rendition, index) => `${black(rendition)}[v${index}]`).join(';');
  }
  const { recipe } = job.plan;
  const filters = [
    `setpts=PTS-(${video.originPts})`,
    ...deinterlacing(video.processing, recipe),
    // From here on one unit of pts is one frame. A start time makes the first picture stand from there on; it is
    // given only where there is none yet, as it rounds to microseconds.
    `fps=${num}/${den}${from < video.leadFrames || job.rescue ? `:start_time=${((from * den) / num).toFixed(6)}` : ''}`,
    // The last picture stands until the planned end, should the source end early.
    ...(to >= video.sourceFrames || job.rescue ? ['tpad=stop_mode=clone:stop=-1'] : []),
    `trim=start_pts=${from}:end_pts=${to}`,
    ...sharedFilters(video.processing, renditions[0]!, recipe),
  ];
  const branches = renditions.map(
    (rendition, index) =>
      `[s${index}]${sizeFilters(video.processing, rendition, recipe).join(',')}[v${index}]`,
  );
  const split = `split=${renditions.length}${renditions.map((_, index) => `[s${index}]`).join('')}`;
  return `[0:${video.streamIndex}]${[...filters, split].join(',')};${branches.join(';')}`;
}

function videoOutput(job: EncodeJob, rendition: VideoRendition, label: string): string[] {
  const { grid, recipe, video } = job.plan;
  const { matrix, primaries, transfer } = video!.processing.colour.output;
  const { level, maxBitrateBps } = rendition;
  const known = { level, maxBitrateBps, gopFrames: grid.gopFrames, matrix, primaries, transfer };
  return [
    ...['-map', label, ...fillAll(recipe.h264.encoder, known)],
    // Frames pass as the filters stamped them; none is dropped or doubled to please the muxer.
    ...['-vsync', '0'],
    ...['-map_metadata', '-1', '-map_chapters', '-1'],
    ...segmentMuxer(job, rendition.name),
  ];
}

/** One segment by the MPEG-TS muxer; several by the segment muxer, which cuts where it is told and uses the other. */
function segmentMuxer({ plan, from, to, directory }: EncodeJob, rendition: string): string[] {
  const { transportStream, timestampOffsetSeconds: offsetSeconds } = plan.recipe;
  const { timing } = transportStream;
  const options = Object.entries(transportStream.options).map(
    ([name, value]) => [name, fill(value, { offsetSeconds })] as const,
  );
  if (to === from + 1) {
    const file = `${directory}/${rendition}/${String(from).padStart(5, '0')}.ts`;
    return [...timing, ...options.flatMap(([name, value]) => [`-${name}`, value]), '-f', 'mpegts', file];
  }
  const firstFrame = videoFrames(plan.grid, from).from;
  const cuts = Array.from(
    { length: to - from - 1 },
    (_, index) => videoFrames(plan.grid, from + 1 + index).from - firstFrame,
  );
  return [
    ...timing,
    ...['-f', 'segment', '-segment_format', 'mpegts'],
    ...['-segment_format_options', options.map(([name, value]) => `${name}=${value}`).join(':')],
    ...['-segment_frames', cuts.join(','), '-segment_start_number', String(from)],
    `${directory}/${rendition}/%05d.ts`,
  ];
}

/** Up to 7.1 ffmpeg knows where each channel belongs; of more it is the first two that people mix for two ears. */
const MOST_KNOWN_CHANNELS = 8;

function audioGraph(job: EncodeJob, audio: AudioPlan): string {
  const { from, to } = audioRun(job, audio);
  const { contextFrames, gaps } = job.plan.recipe.aac;
  const [firstSample, endSample] = [
    (from - contextFrames) * AAC_FRAME_SAMPLES,
    (to + contextFrames) * AAC_FRAME_SAMPLES,
  ];
  const cut = `atrim=start_pts=${firstSample}:end_pts=${endSample}`;
  const layout = audio.channels === 1 ? 'mono' : 'stereo';
  const sourceStart = wholeSampleBefore(audio, firstSample);
  const sourceEnd = Math.ceil((endSample / audio.sampleRate + AUDIO_PREROLL_SECONDS) * audio.sourceRate);
  if (job.rescue === 'blank' || sourceStart >= audio.endSample || sourceEnd <= audio.startSample) {
    // Nothing but silence: the source has no sound here (yet, or any more), or none that can be decoded.
    return `anullsrc=r=${audio.sampleRate}:cl=${layout},atrim=end_sample=${endSample - firstSample}[a]`;
  }
  const resampledStart = (sourceStart * audio.sampleRate) / audio.sourceRate;
  const filters = [
    `asetpts=PTS-(${audio.originSample})`,
    `atrim=start_pts=${sourceStart}:end_pts=${sourceEnd}`,
    ...(audio.sourceChannels > MOST_KNOWN_CHANNELS ? ['pan=stereo|c0=c0|c1=c1'] : []),
    `aresample=${audio.sampleRate}:ocl=${layout}:${gaps}:first_pts=${resampledStart}`,
    `aformat=sample_fmts=fltp:channel_layouts=${layout}`,
    cut,
    // The sound may end before the picture does.
    `apad=whole_len=${endSample - firstSample}`,
  ];
  return `[0:${audio.streamIndex}]${filters.join(',')}[a]`;
}

/**
 * The source sample to begin at: early enough, and one that falls on a whole output sample. A resampler started at
 * any other shifts the phase against its neighbour's (44.1 to 48 kHz: multiples of 147).
 */
function wholeSampleBefore(audio: AudioPlan, outputSample: number): number {
  const step = audio.sourceRate / greatestCommonDivisor(audio.sourceRate, audio.sampleRate);
  const wanted = (outputSample / audio.sampleRate - AUDIO_PREROLL_SECONDS) * audio.sourceRate;
  return Math.floor(wanted / step) * step;
}

function audioOutput(job: EncodeJob, audio: AudioPlan): string[] {
  return [
    ...['-map', '[a]', ...fillAll(job.plan.recipe.aac.encoder, { bitrateBps: audio.bitrateBps })],
    ...['-map_metadata', '-1', '-map_chapters', '-1'],
    ...['-f', 'adts', `${job.directory}/${audio.name}/all.adts`],
  ];
}

/** The video frames of the whole job. */
export function frameRun({ plan, from, to }: Pick<EncodeJob, 'plan' | 'from' | 'to'>): FrameRange {
  return { from: videoFrames(plan.grid, from).from, to: videoFrames(plan.grid, to - 1).to };
}

/** The AAC frames of the whole job. */
export function audioRun({ plan, from, to }: EncodeJob, audio: AudioPlan): FrameRange {
  return { from: audioFrames(plan.grid, audio, from).from, to: audioFrames(plan.grid, audio, to - 1).to };
}
