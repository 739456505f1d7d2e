// The command lines that ask what a source is, and copy it, as pure lists. Written for ffmpeg 4.1 (the static npm binary of
// 2018).

import type { SourceLimits } from '../limits.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { firstWay } from './copy-ways.ts';
import type { CopyWay, SoundEncoding } from './copy-ways.ts';
import { COVER_DECODERS, DECODERS, SUBTITLE_DECODERS } from './decoders.ts';
import { BARE_DEMUXERS, bareStreamInput } from './bare/bare-streams.ts';
import { mainTrack } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { VideoTrack } from '../plan/tracks.ts';
import type { Probe } from './probe.ts';
import type { LookRange } from './seekability.ts';

/**
 * Demuxers an uploaded file may use. A playlist, a concat script, an SDP or an image sequence posing as a video
 * could make ffmpeg open other files and hosts, so none of those is here.
 */
const DEMUXERS = [
  'mov,mp4,m4a,3gp,3g2,mj2',
  'matroska,webm',
  'mpegts',
  'mpeg',
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
  ...BARE_DEMUXERS,
].join(',');

/** The source is read from our own loopback server, and from nowhere else. */
export const GUARDED_INPUT = [
  ...['-protocol_whitelist', 'http,tcp', '-format_whitelist', DEMUXERS],
  // Of demuxers that decode a packet to know what it is, and of decoders.
  ...['-codec_whitelist', DECODERS.join(',')],
  // The kernel would take in several megabytes of which ffmpeg wants one second: a segment from the middle of a film
  // then reads twice as much. What waits on our side is measured in packets, which on a loopback are of 64 KB otherwise.
  ...['-recv_buffer_size', String(64 * 1024), '-tcp_mss', '1460'],
];

/**
 * The same for ffprobe, which needs to open decoders that it is not to use. With the name of a kind of streams the option is
 * none of demuxers: these go on with the shorter list.
 */
const PROBED_INPUT = [
  ...GUARDED_INPUT,
  ...['-codec_whitelist:v', [...DECODERS, ...COVER_DECODERS].join(',')],
  ...['-codec_whitelist:s', SUBTITLE_DECODERS.join(',')],
];

/**
 * How far ffmpeg reads for streams of which nothing is in the first seconds: as sound that begins late. Bytes that a
 * store delivers in a second or two, and of a broadcast a minute or more.
 */
export const FAR_ANALYSIS_BYTES = 64 * 1024 * 1024;
export const FAR_ANALYSIS_SECONDS = 600;
const FAR_ANALYSIS = [
  ...['-probesize', String(FAR_ANALYSIS_BYTES)],
  ...['-analyzeduration', String(FAR_ANALYSIS_SECONDS * 1e6)],
];

export interface ProbeOptions {
  /** Where it is known already. */
  demuxer?: string | undefined;
  /** Whether to look for streams of which nothing is in the first seconds. */
  isFar?: boolean;
}

export function probeArguments(
  sourceUrl: string,
  { maxStreams }: Pick<SourceLimits, 'maxStreams'>,
  options: ProbeOptions = {},
): string[] {
  return [
    // Among its warnings it names the stream that it cannot open.
    ...['-v', 'warning', ...PROBED_INPUT, '-max_streams', String(maxStreams), ...analysis(options)],
    ...['-show_format', '-show_programs', '-show_streams', '-of', 'json', sourceUrl],
  ];
}

const analysis = ({ demuxer, isFar = false }: ProbeOptions): string[] => [
  ...(isFar ? FAR_ANALYSIS : []),
  ...(demuxer === undefined ? [] : ['-f', demuxer]),
];

/** Tells of a stream's first pictures whether they are two interleaved fields. */
export function fieldArguments(sourceUrl: string, streamIndex: number): string[] {
  return [
    ...['-v', 'error', ...PROBED_INPUT, '-select_streams', String(streamIndex)],
    ...['-read_intervals', '%+#10', '-show_entries', 'frame=interlaced_frame', '-of', 'json', sourceUrl],
  ];
}

/** Lists the source's streams as ffmpeg sees them, and reads no packet. */
export function streamArguments(
  sourceUrl: string,
  { maxStreams }: Pick<SourceLimits, 'maxStreams'>,
  options: ProbeOptions = {},
): string[] {
  return [
    ...['-v', 'error', '-nostdin', ...GUARDED_INPUT, '-max_streams', String(maxStreams)],
    ...[...analysis(options), '-i', sourceUrl],
    ...['-map', '0', '-c', 'copy', '-copy_unknown', '-fs', '1', '-f', 'framecrc', 'pipe:1'],
  ];
}

/** Prints a line for each packet of sound, with its stream. */
export const soundPacketArguments = (sourceUrl: string): string[] => [
  ...['-v', 'error', ...PROBED_INPUT, '-select_streams', 'a'],
  ...['-show_entries', 'packet=stream_index', '-of', 'csv=p=0', sourceUrl],
];

/** Lists the packets of a stretch of the source, of all its streams or of one. */
export function lookArguments(
  sourceUrl: string,
  { fromSeconds, toSeconds }: LookRange,
  streamIndex?: number,
): string[] {
  return [
    ...['-v', 'error', ...PROBED_INPUT],
    ...(streamIndex === undefined ? [] : ['-select_streams', String(streamIndex)]),
    ...['-read_intervals', `${fromSeconds.toFixed(3)}%${toSeconds.toFixed(3)}`],
    ...['-show_entries', 'packet=stream_index,pts_time,duration_time,flags,pos,size'],
    ...['-of', 'json', sourceUrl],
  ];
}

/** Lists when the pictures of some stretches are shown. */
export function timesArguments(
  sourceUrl: string,
  streamIndex: number,
  stretches: readonly LookRange[],
): string[] {
  const intervals = stretches.map(
    ({ fromSeconds, toSeconds }) => `${fromSeconds.toFixed(3)}%${toSeconds.toFixed(3)}`,
  );
  return [
    ...['-v', 'error', ...PROBED_INPUT, '-select_streams', String(streamIndex)],
    ...['-read_intervals', intervals.join(',')],
    ...['-show_entries', 'packet=pts_time,flags', '-of', 'json', sourceUrl],
  ];
}

/** Lists all packets of the source, a line each; `core/source/packet-listing.ts` reads them. */
export function packetArguments(
  sourceUrl: string,
  probe: Pick<Probe, 'format'>,
  { maxStreams }: Pick<SourceLimits, 'maxStreams'> = DEFAULT_LIMITS,
): string[] {
  return [
    ...['-v', 'error', ...PROBED_INPUT, '-max_streams', String(maxStreams), ...bareStreamInput(probe)],
    ...['-show_entries', 'packet=stream_index,pts_time,dts_time,flags', '-of', 'csv=p=0', sourceUrl],
  ];
}

/** Copies picture and sound into a Matroska stream. */
export function mezzanineArguments(
  sourceUrl: string,
  probe: Probe,
  { picture, sound }: CopyWay = firstWay(probe),
  limits: DecodingLimits = DEFAULT_LIMITS,
): string[] {
  const { video, audio } = probe;
  const isDecoded = picture !== 'copy' || sound !== 'copy';
  return [
    ...['-v', 'error', '-nostdin', ...(isDecoded ? ['-max_error_rate', '1'] : [])],
    // Some containers only know in which order frames are decoded; when they are shown follows from that.
    ...(picture === 'retimed' ? [] : ['-fflags', '+genpts']),
    ...(isDecoded ? decodingInput(limits) : GUARDED_INPUT),
    ...(probe.beginsLate ? FAR_ANALYSIS : []),
    ...bareStreamInput(probe),
    // What is turned is turned when segments are made, as the probe says.
    ...(picture === 'copy' ? [] : ['-noautorotate']),
    ...['-i', sourceUrl],
    ...(video ? ['-map', `0:${video.index}`, ...PICTURE_ARGUMENTS[picture]] : []),
    ...(audio ? ['-map', `0:${audio.index}`, ...soundArguments(sound)] : []),
    // What waits for the first packet of a stream that begins late.
    ...(probe.beginsLate ? ['-max_muxing_queue_size', String(MOST_WAITING_PACKETS)] : []),
    // The same source gives the same bytes, whoever copies it.
    ...['-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact'],
    ...['-f', 'matroska', 'pipe:1'],
  ];
}

const MOST_WAITING_PACKETS = 1_000_000;

const LOSSLESS = [
  // FFV1 holds every pixel format that our decoders give, tells fields apart, and each of its pictures is a key.
  ...['-c:v', 'ffv1', '-level', '3', '-g', '1', '-slices', '4', '-slicecrc', '0'],
  // Pictures keep their times: none is doubled, none dropped.
  ...['-vsync', 'passthrough', '-enc_time_base', '-1'],
  ...['-flags:v', '+bitexact'],
];

const PICTURE_ARGUMENTS: Readonly<Record<CopyWay['picture'], readonly string[]>> = {
  copy: ['-c:v', 'copy'],
  lossless: LOSSLESS,
  retimed: LOSSLESS,
};

const soundArguments = (sound: 'copy' | SoundEncoding): string[] =>
  sound === 'copy'
    ? ['-c:a', 'copy']
    : [
        ...['-c:a', sound, ...(sound === 'flac' ? ['-compression_level', '1'] : [])],
        ...['-af', `asetpts='${PLACE_OF_FRAME.join(';')}',aresample=${FILLED_GAPS}`],
      ];

/**
 * An expression of asetpts, which knows the rate as SR. A decoded frame follows the one before it without a seam, unless there
 * is a gap (its stamp is more than 2 ms after the end of that one), or stamps and samples have drifted apart by a tenth of a
 * second. Stamps that go to and fro by less are jitter: nothing is filled or cut off for them.
 */
const PLACE_OF_FRAME = [
  // 0: where the frame before ended, by its stamp; 1: by where it was put; 2: where this one is put.
  'st(2,if(gt(N,0)*lte(abs(PTS-ld(1)),0.1*SR)*gt(lte(PTS-ld(0),0.002*SR)+lte(PTS,ld(1)),0),ld(1),PTS))',
  'st(0,PTS+NB_SAMPLES)',
  'st(1,ld(2)+NB_SAMPLES)',
  'ld(2)',
];

/** Frames of an encoder follow each other without gaps, so gaps are filled: all that are left. */
const FILLED_GAPS = 'async=1:min_comp=0.000001:min_hard_comp=0.0015';

/** Prints a line for the first picture (or, without pictures, the first sound) that can be decoded. */
export function firstFrameArguments(sourceUrl: string, plan: Plan, limits: DecodingLimits): string[] {
  const video = mainTrack(plan, 'video');
  const { streamIndex } = (video ?? mainTrack(plan, 'audio'))!;
  return [
    ...['-v', 'error', '-nostdin', '-max_error_rate', '1', ...decodingInput(limits), '-i', sourceUrl],
    ...['-map', `0:${streamIndex}`, video ? '-frames:v' : '-frames:a', '1', '-f', 'framecrc', 'pipe:1'],
  ];
}

/** Options of an input that tell how its picture is decoded. */
export const decoderArguments = ({
  streamIndex,
  decoder,
}: Pick<VideoTrack, 'streamIndex' | 'decoder'>): string[] =>
  decoder === undefined ? [] : [`-c:${streamIndex}`, decoder];

export type DecodingLimits = Pick<SourceLimits, 'maxPicturePixels' | 'maxStreams'>;

/** A picture may be larger than the container says: decoders are told, too. */
export const decodingInput = ({ maxPicturePixels, maxStreams }: DecodingLimits): string[] => [
  ...GUARDED_INPUT,
  ...['-max_streams', String(maxStreams), '-max_pixels', String(maxPicturePixels)],
];
