// What ffprobe says of a source, parsed once into the few facts the plan is made from.

import { SourceError } from '../errors.ts';
import { parseFraction, valueOf } from '../fraction.ts';
import type { Fraction } from '../fraction.ts';
import type { Notice } from '../notices.ts';
import { shownTitle } from '../title.ts';
import { isShowable } from './dolby-vision.ts';
import type { DolbyVisionRecord } from './dolby-vision.ts';
import { orientationOf } from './orientation.ts';
import type { DisplayMatrixRecord, Turn } from './orientation.ts';

export interface Probe {
  /** ffprobe's demuxer name, such as `mov,mp4,m4a,3gp,3g2,mj2`. */
  format: string;
  startSeconds: number;
  durationSeconds: number | undefined;
  video: VideoStream | undefined;
  audio: AudioStream | undefined;
  /** What the source holds besides, in its order. */
  furtherVideo: VideoStream[];
  furtherAudio: AudioStream[];
  text: TextStream[];
  /** What is in the source and not in this. */
  notices: Notice[];
  /** Whether a stream of it was found only by reading far, so that whoever reads it on its way has to do so, too. */
  beginsLate?: boolean;
}

/** What a source says about one of its streams, in its own words, where it says anything. */
export interface StreamDescription {
  language?: string | undefined;
  title?: string | undefined;
  isDefault?: boolean;
  isForced?: boolean;
}

export interface VideoStream extends StreamDescription {
  index: number;
  codec: string;
  /** Of ffmpeg's, where another than the one that it takes by itself is better. */
  decoder?: string | undefined;
  /** Whether it is transparent in parts, which nobody shows. */
  hasAlpha?: boolean;
  /** ffmpeg's name, such as `yuv420p10le`. */
  pixelFormat: string;
  /** As displayed: rotated upright, square pixels. */
  width: number;
  height: number;
  /** As decoded: before it is turned, and before its pixels are made square. */
  codedWidth: number;
  codedHeight: number;
  /** Degrees clockwise by which the coded picture has to be turned to stand upright, and whether it is mirrored then. */
  turn: Turn;
  mirror?: boolean;
  isInterlaced: boolean;
  /** What the source says of its colours, in ffmpeg's words; often nothing. */
  colour: Partial<ColourSpace>;
  timeBase: Fraction;
  /** First presentation time stamp, in units of `timeBase`. */
  startPts: number;
  durationSeconds: number | undefined;
  /** Number of coded pictures, where the container counts them. */
  frameCount: number | undefined;
  /** The lowest rate at which all time stamps can be shown exactly (ffprobe's guess). */
  baseFrameRate: Fraction | undefined;
  averageFrameRate: Fraction | undefined;
  /** What its pictures were counted to need, where the claims are not to be relied on. */
  countedFrameRate?: Fraction | undefined;
}

/** In ffmpeg's words (ITU-T H.273). */
export interface ColourTags {
  matrix: string;
  primaries: string;
  transfer: string;
}

export interface ColourSpace extends ColourTags {
  isFullRange: boolean;
}

export interface AudioStream extends StreamDescription {
  index: number;
  codec: string;
  /** Whether the decoder's setup stands once in the container, and not only in every frame. */
  hasSetup: boolean;
  /** Number of coded frames, where the container counts them. */
  frameCount: number | undefined;
  sampleRate: number;
  channels: number;
  /** What its time stamps count. */
  timeBase: Fraction;
  startSeconds: number;
  durationSeconds: number | undefined;
}

/** Subtitles that are text; those that are pictures are none. */
export interface TextStream extends StreamDescription {
  index: number;
  codec: string;
}

/**
 * Reads the JSON of `ffprobe -show_format -show_programs -show_streams`.
 * @throws SourceError NO_STREAMS where there is neither video nor audio; DAMAGED where what there is cannot be decoded;
 *   UNSUPPORTED_CODEC where the picture's colours are made by Dolby's decoders only.
 */
export function parseProbe(json: FfprobeOutput & { notices?: Notice[] }): Probe {
  const streams = json.streams ?? [];
  const all = streams.filter(isVideo);
  const pictures = all.filter(isShowable);
  const video = chosen(pictures);
  if (all.length > 0 && !video) throw new SourceError('UNSUPPORTED_CODEC', DOLBY_VISION_ONLY);
  const sounds = streams.filter((stream) => stream.codec_type === 'audio' && Number(stream.sample_rate) > 0);
  const audio = chosen(soundsWith(video, sounds, json));
  if (!video && !audio) {
    if (streams.some(isUndescribed)) throw new SourceError('DAMAGED', UNDESCRIBED);
    const kinds = streams.map((stream) => stream.codec_type ?? 'unknown');
    throw new SourceError(
      'NO_STREAMS',
      kinds.length > 0 ? `The file holds no video and no audio (found ${kinds.join(', ')}).` : NOTHING_FOUND,
    );
  }
  return {
    format: json.format?.format_name ?? '',
    startSeconds: seconds(json.format?.start_time) ?? 0,
    durationSeconds: seconds(json.format?.duration),
    video: video && videoStream(video),
    audio: audio && audioStream(audio),
    furtherVideo: pictures.filter((stream) => stream !== video).map(videoStream),
    furtherAudio: sounds.filter((stream) => stream !== audio).map(audioStream),
    text: streams.filter(isText).map((stream) => ({
      ...description(stream),
      index: stream.index,
      codec: stream.codec_name ?? '',
    })),
    notices: json.notices ?? [],
  };
}

/** Pictures without a size, or sound without a rate: what says so comes first in a stream, and is missing. */
const isUndescribed = ({ codec_type, disposition }: FfprobeStream): boolean =>
  codec_type === 'audio' || (codec_type === 'video' && !disposition?.attached_pic);
const NOTHING_FOUND =
  'No video and no audio can be found in the file: it holds none, or its index is damaged.';
const UNDESCRIBED =
  'The file is damaged: it says neither what size its pictures have nor at what rate its sound is to be played.';

const DOLBY_VISION_ONLY =
  'The picture is in Dolby Vision without a layer in usual colours (such as profile 5): other decoders than Dolby’s show it in wrong ones.';

/** A broadcast holds several programmes: the sound is that of the picture's own, where it has any. */
function soundsWith(
  video: FfprobeStream | undefined,
  sounds: FfprobeStream[],
  { programs = [] }: FfprobeOutput,
): FfprobeStream[] {
  const holds = (program: FfprobeProgram, { index }: FfprobeStream) =>
    (program.streams ?? []).some((stream) => stream.index === index);
  const own = programs.filter((program) => video && holds(program, video));
  const beside = sounds.filter((sound) => own.some((program) => holds(program, sound)));
  return beside.length > 0 ? beside : sounds;
}

const isText = ({ codec_type, codec_name }: FfprobeStream): boolean =>
  codec_type === 'subtitle' && TEXT_CODECS.includes(codec_name ?? '');
const TEXT_CODECS = ['subrip', 'srt', 'ass', 'ssa', 'webvtt', 'mov_text', 'text', 'microdvd', 'ttml'];

// A source may say anything at any length, and what it says goes into its plan.
const MOST_CHARACTERS = 200;

function description({ tags, disposition }: FfprobeStream): StreamDescription {
  const [language, title] = ['language', 'title'].map((name) =>
    shownTitle((tags?.[name] ?? '').slice(0, MOST_CHARACTERS)),
  );
  return {
    ...(language && language !== 'und' ? { language } : {}),
    ...(title ? { title } : {}),
    isDefault: Boolean(disposition?.default),
    isForced: Boolean(disposition?.forced),
  };
}

/** A picture attached to a song is listed as a video stream; it is not one. */
const isVideo = (stream: FfprobeStream): boolean =>
  stream.codec_type === 'video' &&
  !stream.disposition?.attached_pic &&
  Boolean(stream.width && stream.height);

const chosen = (streams: FfprobeStream[]): FfprobeStream | undefined =>
  streams.find((stream) => stream.disposition?.default) ?? streams[0];

function videoStream(stream: FfprobeStream): VideoStream {
  const [codedWidth, height] = [stream.width ?? 0, stream.height ?? 0];
  const width = Math.round(codedWidth * pixelAspect(stream));
  const { turn, mirror } = orientationOf(stream);
  const sideways = turn % 180 === 90;
  return {
    ...description(stream),
    index: stream.index,
    codec: stream.codec_name ?? '',
    hasAlpha: Object.entries(stream.tags ?? {}).some(
      ([name, value]) => name.toLowerCase() === 'alpha_mode' && value === '1',
    ),
    pixelFormat: stream.pix_fmt ?? '',
    width: sideways ? height : width,
    height: sideways ? width : height,
    codedWidth,
    codedHeight: height,
    turn,
    mirror,
    isInterlaced: INTERLACED.includes(stream.field_order ?? ''),
    colour: {
      matrix: stream.color_space,
      primaries: stream.color_primaries,
      transfer: stream.color_transfer,
      isFullRange: stream.color_range === undefined ? undefined : stream.color_range === 'pc',
    },
    timeBase: parseFraction(stream.time_base) ?? { num: 1, den: 90_000 },
    startPts: stream.start_pts ?? 0,
    durationSeconds: streamDuration(stream),
    frameCount: Number(stream.nb_frames) || undefined,
    baseFrameRate: parseFraction(stream.r_frame_rate),
    averageFrameRate: parseFraction(stream.avg_frame_rate),
  };
}

/** No format has pixels that are longer, or narrower, than this. */
const MOST_PIXEL_ASPECT = 8;

/** Width by height of a pixel: 1 where nothing is said, and where what is said is damaged. */
function pixelAspect({ sample_aspect_ratio }: FfprobeStream): number {
  const fraction = parseFraction(sample_aspect_ratio);
  const aspect = fraction ? valueOf(fraction) : 1;
  return aspect >= 1 / MOST_PIXEL_ASPECT && aspect <= MOST_PIXEL_ASPECT ? aspect : 1;
}

function audioStream(stream: FfprobeStream): AudioStream {
  return {
    ...description(stream),
    index: stream.index,
    codec: stream.codec_name ?? '',
    hasSetup: Boolean(stream.extradata_size),
    frameCount: Number(stream.nb_frames) || undefined,
    sampleRate: Number(stream.sample_rate),
    channels: stream.channels ?? 2,
    timeBase: parseFraction(stream.time_base) ?? { num: 1, den: Number(stream.sample_rate) },
    startSeconds: seconds(stream.start_time) ?? 0,
    durationSeconds: streamDuration(stream),
  };
}

/** Top field first or bottom field first, as coded and as shown. */
const INTERLACED = ['tt', 'bb', 'tb', 'bt'];

/**
 * Whether nothing says how the fields of a stream's pictures are shown, though its codec knows fields: one has to look
 * at its pictures.
 */
export const hasUnknownFields = ({ field_order, codec_name = '' }: FfprobeStream): boolean =>
  (field_order === undefined || field_order === 'unknown') && !WITHOUT_FIELDS.includes(codec_name);

/** HEVC codes fields as pictures of their own, which no filter here would join. */
const WITHOUT_FIELDS = ['vp8', 'vp9', 'av1', 'hevc', 'theora', 'gif', 'flv1', 'h263', 'vp6f', 'vp6'];

/** Matroska keeps a track's length in a DURATION tag (`00:01:02.5`), most others in the stream itself. */
function streamDuration(stream: FfprobeStream): number | undefined {
  const timeBase = parseFraction(stream.time_base);
  if (stream.duration_ts && timeBase) return (stream.duration_ts * timeBase.num) / timeBase.den;
  const tag = /^(\d+):(\d+):([\d.]+)$/.exec(stream.tags?.['DURATION'] ?? stream.tags?.['DURATION-eng'] ?? '');
  if (!tag) return undefined;
  // The tag is the time at which the track ends, not how long it lasts.
  const end = Number(tag[1]) * 3600 + Number(tag[2]) * 60 + Number(tag[3]);
  return end - (seconds(stream.start_time) ?? 0);
}

function seconds(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) ? value : undefined;
}

/** The part of ffprobe's JSON that is read here. */
export interface FfprobeOutput {
  format?: { format_name?: string; start_time?: string; duration?: string; size?: string };
  programs?: FfprobeProgram[];
  streams?: FfprobeStream[];
}

export interface FfprobeProgram {
  streams?: { index: number }[];
}

export interface FfprobeStream {
  index: number;
  codec_type?: string;
  codec_name?: string;
  codec_tag_string?: string;
  codec_tag?: string;
  width?: number;
  height?: number;
  coded_width?: number;
  coded_height?: number;
  pix_fmt?: string;
  field_order?: string;
  color_space?: string;
  color_primaries?: string;
  color_transfer?: string;
  color_range?: string;
  sample_aspect_ratio?: string;
  time_base?: string;
  start_pts?: number;
  start_time?: string;
  duration_ts?: number;
  nb_frames?: string;
  r_frame_rate?: string;
  avg_frame_rate?: string;
  extradata_size?: number;
  sample_rate?: string;
  channels?: number;
  disposition?: { default?: number; forced?: number; attached_pic?: number };
  side_data_list?: FfprobeSideData[];
  tags?: Record<string, string>;
}

export type FfprobeSideData = DolbyVisionRecord & DisplayMatrixRecord;
