// The ffmpeg and ffprobe command lines, as pure lists. Written for ffmpeg 4.1 (the static npm binary of 2018).

import { greatestCommonDivisor, valueOf } from './fraction.ts';
import type { SourceLimits } from './limits.ts';
import type { Size } from './ladder.ts';
import { mezzanineSound } from './mezzanine.ts';
import type { Colour, ColourSpace, PictureProcessing, Turn } from './picture.ts';
import { AAC_FRAME_SAMPLES } from './plan.ts';
import type { AudioPlan, Plan, VideoPlan, VideoRendition } from './plan.ts';
import type { AudioStream, Probe } from './probe.ts';
import type { LookRange } from './seekability.ts';
import { audioFrames, videoFrames } from './segments.ts';
import type { FrameRange } from './segments.ts';

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

/** Added to all time stamps: with B-frames the first DTS lies before the first PTS and must not be negative. */
export const TIMESTAMP_OFFSET_SECONDS = 10;

/** Frames of context around a run of AAC frames; the SNR at a seam equals its neighbourhood only with both. */
export const AUDIO_CONTEXT_FRAMES = 2;
/** The AAC encoder puts one frame of its own before the first of ours. */
export const AUDIO_PRIMING_FRAMES = 1;

// Decoding starts this much early, so that whatever frame is on screen at the first cut has been decoded.
const PREROLL_SECONDS = 1;
// How far back we look for a picture to hold where a source is damaged.
export const RESCUE_PREROLL_SECONDS = 30;
// Sound decoded before the first sample we need, for the decoder's overlap and the resampler's filter.
const AUDIO_PREROLL_SECONDS = 0.2;

/**
 * Demuxers an uploaded file may use. A playlist, a concat script, an SDP or an image sequence posing as a video
 * could make ffmpeg open other files and hosts, so none of those is here.
 */
const DEMUXERS = [
  'mov,mp4,m4a,3gp,3g2,mj2',
  'matroska,webm',
  'mpegts',
  'mpeg',
  'mpegvideo',
  'avi',
  'flv',
  'live_flv',
  'asf',
  'ogg',
  'mxf',
  'dv',
  'wav',
  'w64',
  'aiff',
  'mp3',
  'aac',
  'ac3',
  'eac3',
  'flac',
  'amr',
  'caf',
  'rm',
  'nut',
  'ivf',
  'gif',
].join(',');

/** The source is read from our own loopback server, and from nowhere else. */
export const GUARDED_INPUT = [
  ...['-protocol_whitelist', 'http,tcp', '-format_whitelist', DEMUXERS],
  // The kernel would take in several megabytes of which ffmpeg wants one second: a segment from the middle of a film
  // then reads twice as much. What waits on our side is measured in packets, which on a loopback are of 64 KB otherwise.
  ...['-recv_buffer_size', String(64 * 1024), '-tcp_mss', '1460'],
];

export function probeArguments(
  sourceUrl: string,
  { maxStreams }: Pick<SourceLimits, 'maxStreams'>,
): string[] {
  return [
    ...['-v', 'error', ...GUARDED_INPUT, '-max_streams', String(maxStreams)],
    ...['-show_format', '-show_streams', '-of', 'json', sourceUrl],
  ];
}

/** Lists the packets of a stretch of the source. */
export function lookArguments(sourceUrl: string, { fromSeconds, toSeconds }: LookRange): string[] {
  return [
    ...['-v', 'error', ...GUARDED_INPUT],
    ...['-read_intervals', `${fromSeconds.toFixed(3)}%${toSeconds.toFixed(3)}`],
    ...['-show_entries', 'packet=stream_index,pts_time,duration_time,flags', '-of', 'json', sourceUrl],
  ];
}

/** Copies picture and sound into a Matroska stream. */
export function mezzanineArguments(sourceUrl: string, { video, audio }: Probe): string[] {
  return [
    ...['-v', 'error', '-nostdin'],
    // Some containers only know in which order frames are decoded; when they are shown follows from that.
    ...['-fflags', '+genpts', ...GUARDED_INPUT, '-i', sourceUrl],
    ...(video ? ['-map', `0:${video.index}`, '-c:v', 'copy'] : []),
    ...(audio ? ['-map', `0:${audio.index}`, ...mezzanineSoundArguments(audio)] : []),
    // The same source gives the same bytes, whoever copies it.
    ...['-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact'],
    ...['-f', 'matroska', 'pipe:1'],
  ];
}

const mezzanineSoundArguments = (audio: AudioStream): string[] =>
  mezzanineSound(audio) === 'copy'
    ? ['-c:a', 'copy']
    : // Frames of the encoder follow each other without gaps, so gaps are filled.
      [
        '-c:a',
        'flac',
        '-compression_level',
        '1',
        '-af',
        'aresample=async=1:min_comp=0.000001:min_hard_comp=0.1',
      ];

/** Prints a line for the first picture (or, without pictures, the first sound) that can be decoded. */
export function firstFrameArguments(
  sourceUrl: string,
  { video, audio }: Plan,
  limits: DecodingLimits,
): string[] {
  const { streamIndex } = (video ?? audio)!;
  return [
    ...['-v', 'error', '-nostdin', '-max_error_rate', '1', ...decodingInput(limits), '-i', sourceUrl],
    ...['-map', `0:${streamIndex}`, video ? '-frames:v' : '-frames:a', '1', '-f', 'framecrc', 'pipe:1'],
  ];
}

type DecodingLimits = Pick<SourceLimits, 'maxPicturePixels' | 'maxStreams'>;

/** A picture may be larger than the container says: decoders are told, too. */
const decodingInput = ({ maxPicturePixels, maxStreams }: DecodingLimits): string[] => [
  ...GUARDED_INPUT,
  ...['-max_streams', String(maxStreams), '-max_pixels', String(maxPicturePixels)],
];

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
      `color=c=black:s=${width}x${height}:r=${num}/${den},trim=end_frame=${to - from},setpts=PTS+${from},format=yuv420p`;
    return renditions.map((rendition, index) => `${black(rendition)}[v${index}]`).join(';');
  }
  const { turn, deinterlace, colour } = video.processing;
  const filters = [
    `setpts=PTS-(${video.originPts})`,
    // One picture per pair of fields, at the time of the first; what is not flagged as fields passes as it is.
    ...(deinterlace ? ['bwdif=mode=send_frame:deint=interlaced'] : []),
    // From here on one unit of pts is one frame. A start time makes the first picture stand from there on; it is
    // given only where there is none yet, as it rounds to microseconds.
    `fps=${num}/${den}${from < video.leadFrames || job.rescue ? `:start_time=${((from * den) / num).toFixed(6)}` : ''}`,
    // The last picture stands until the planned end, should the source end early.
    ...(to >= video.sourceFrames || job.rescue ? ['tpad=stop_mode=clone:stop=-1'] : []),
    `trim=start_pts=${from}:end_pts=${to}`,
    ...TURNS[turn],
    ...(colour.conversion === 'range' ? [] : wideColour(colour, renditions[0]!)),
  ];
  const range = colour.conversion === 'range' ? rangeOptions(colour.source) : '';
  const branches = renditions.map(
    ({ width, height }, index) =>
      `[s${index}]scale=${width}:${height}${range},setsar=1,format=yuv420p[v${index}]`,
  );
  const split = `split=${renditions.length}${renditions.map((_, index) => `[s${index}]`).join('')}`;
  return `[0:${video.streamIndex}]${[...filters, split].join(',')};${branches.join(';')}`;
}

// ffmpeg would turn pictures by itself, but only for some containers, and not the same ones in all its versions.
const TURNS: Record<Turn, string[]> = {
  0: [],
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
};

/** Full range and RGB to limited range; a matrix is only chosen where there is none yet. */
const rangeOptions = ({ matrix, isFullRange }: ColourSpace): string =>
  matrix === 'gbr'
    ? ':out_color_matrix=bt709:out_range=tv'
    : `:in_range=${isFullRange ? 'pc' : 'tv'}:out_range=tv`;

// Diffuse white of high dynamic range (ITU-R BT.2408), and the peak that most of it is graded for.
const WHITE_NITS = 203;
const PEAK_NITS = 1000;

/**
 * Into BT.709, at the largest size that is made: in linear light every pixel costs four bytes per colour. The peak is
 * fixed, as a segment must not look different from its neighbours because its own pictures are darker. Mobius leaves
 * skin and shadows as they are and bends only what is bright: diffuse white comes out at about 82 %.
 */
function wideColour({ source, conversion }: Colour, { width, height }: Size): string[] {
  const { matrix, primaries, transfer, isFullRange } = source;
  const from = `min=${matrix}:pin=${primaries}:tin=${transfer}:rin=${isFullRange ? 'full' : 'limited'}`;
  const scaled = `scale=${width}:${height}`;
  // In one step: zscale finds no way from BT.709's curve to linear light and back in two.
  if (conversion === 'gamut') return [scaled, `zscale=${from}:${TO_BT709}:p=bt709`, 'format=yuv420p'];
  return [
    scaled,
    `zscale=${from}:t=linear:npl=${WHITE_NITS}`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    `tonemap=mobius:peak=${(PEAK_NITS / WHITE_NITS).toFixed(3)}`,
    `zscale=${TO_BT709}`,
    'format=yuv420p',
  ];
}

const TO_BT709 = 't=bt709:m=bt709:r=limited';

/** A still of the source's picture as shown, in JPEG's colours: full range, and the matrix that every viewer takes for given. */
export function jpegFilters({ turn, colour }: PictureProcessing, size: Size): string[] {
  const isConverted = colour.conversion !== 'range';
  const matrix = isConverted || colour.output.matrix === 'bt709' ? 'bt709' : 'bt601';
  const range = !isConverted && colour.source.isFullRange ? 'pc' : 'tv';
  const source = colour.source.matrix === 'gbr' ? '' : `:in_color_matrix=${matrix}:in_range=${range}`;
  return [
    ...TURNS[turn],
    ...(isConverted ? wideColour(colour, size) : []),
    `scale=${size.width}:${size.height}${source}:out_color_matrix=bt601:out_range=pc`,
    'setsar=1',
    'format=yuvj420p',
  ];
}

function videoOutput(job: EncodeJob, rendition: VideoRendition, label: string): string[] {
  const { gopFrames } = job.plan.grid;
  const { matrix, primaries, transfer } = job.plan.video!.processing.colour.output;
  return [
    ...['-map', label],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-level', rendition.level],
    // Constant quality, capped: easy pictures cost less than the cap.
    ...[
      '-crf',
      '23',
      '-maxrate',
      String(rendition.maxBitrateBps),
      '-bufsize',
      String(rendition.maxBitrateBps),
    ],
    // Keyframes on the grid and nowhere else. x264 counts -g from the last keyframe, so one extra at a scene cut
    // shifts all that follow, and the renditions stop lining up.
    ...['-g', String(gopFrames), '-keyint_min', String(gopFrames), '-sc_threshold', '0'],
    ...['-colorspace', matrix, '-color_primaries', primaries, '-color_trc', transfer, '-color_range', 'tv'],
    // Frames pass as the filters stamped them; none is dropped or doubled to please the muxer.
    ...['-vsync', '0'],
    ...['-map_metadata', '-1', '-map_chapters', '-1'],
    ...segmentMuxer(job, rendition.name),
  ];
}

/** Separate processes write one stream: time stamps as given, and a flag that continuity counters start anew. */
function segmentMuxer(job: EncodeJob, rendition: string): string[] {
  const timing = ['-avoid_negative_ts', 'disabled', '-muxdelay', '0', '-muxpreload', '0'];
  const first = frameRun(job).from;
  const cuts: number[] = [];
  for (let index = job.from + 1; index < job.to; index += 1) {
    cuts.push(videoFrames(job.plan.grid, index).from - first);
  }
  if (cuts.length === 0) {
    return [
      ...timing,
      ...['-output_ts_offset', String(TIMESTAMP_OFFSET_SECONDS), '-mpegts_flags', '+initial_discontinuity'],
      ...['-f', 'mpegts', `${job.directory}/${rendition}/${String(job.from).padStart(5, '0')}.ts`],
    ];
  }
  return [
    ...timing,
    ...['-f', 'segment', '-segment_format', 'mpegts'],
    ...[
      '-segment_format_options',
      `mpegts_flags=+initial_discontinuity:output_ts_offset=${TIMESTAMP_OFFSET_SECONDS}`,
    ],
    ...['-segment_frames', cuts.join(','), '-segment_start_number', String(job.from)],
    `${job.directory}/${rendition}/%05d.ts`,
  ];
}

/** Up to 7.1 ffmpeg knows where each channel belongs; of more it is the first two that people mix for two ears. */
const MOST_KNOWN_CHANNELS = 8;

function audioGraph(job: EncodeJob, audio: AudioPlan): string {
  const { from, to } = audioRun(job, audio);
  const [firstSample, endSample] = [
    (from - AUDIO_CONTEXT_FRAMES) * AAC_FRAME_SAMPLES,
    (to + AUDIO_CONTEXT_FRAMES) * AAC_FRAME_SAMPLES,
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
    // Fills what is missing before the first sample and in gaps with silence; never stretches.
    `aresample=${audio.sampleRate}:ocl=${layout}:async=1:min_comp=0.000001:min_hard_comp=0.1:first_pts=${resampledStart}`,
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
    ...['-map', '[a]', '-c:a', 'aac', '-b:a', String(audio.bitrateBps)],
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
