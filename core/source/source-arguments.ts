// The command lines that ask what a source is, and copy it, as pure lists. Written for ffmpeg 4.1 (the static npm binary of
// 2018).

import type { SourceLimits } from '../limits.ts';
import { BARE_DEMUXERS, bareStreamInput } from './bare/bare-streams.ts';
import { mezzanineSound } from './mezzanine.ts';
import { mainTrack } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { AudioStream, Probe } from './probe.ts';
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
  // The kernel would take in several megabytes of which ffmpeg wants one second: a segment from the middle of a film
  // then reads twice as much. What waits on our side is measured in packets, which on a loopback are of 64 KB otherwise.
  ...['-recv_buffer_size', String(64 * 1024), '-tcp_mss', '1460'],
];

/** @param demuxer where it is known already */
export function probeArguments(
  sourceUrl: string,
  { maxStreams }: Pick<SourceLimits, 'maxStreams'>,
  demuxer?: string,
): string[] {
  return [
    ...['-v', 'error', ...GUARDED_INPUT, '-max_streams', String(maxStreams)],
    ...(demuxer === undefined ? [] : ['-f', demuxer]),
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
export function mezzanineArguments(sourceUrl: string, probe: Probe): string[] {
  const { video, audio } = probe;
  return [
    ...['-v', 'error', '-nostdin'],
    // Some containers only know in which order frames are decoded; when they are shown follows from that.
    ...['-fflags', '+genpts', ...GUARDED_INPUT, ...bareStreamInput(probe), '-i', sourceUrl],
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
export function firstFrameArguments(sourceUrl: string, plan: Plan, limits: DecodingLimits): string[] {
  const video = mainTrack(plan, 'video');
  const { streamIndex } = (video ?? mainTrack(plan, 'audio'))!;
  return [
    ...['-v', 'error', '-nostdin', '-max_error_rate', '1', ...decodingInput(limits), '-i', sourceUrl],
    ...['-map', `0:${streamIndex}`, video ? '-frames:v' : '-frames:a', '1', '-f', 'framecrc', 'pipe:1'],
  ];
}

export type DecodingLimits = Pick<SourceLimits, 'maxPicturePixels' | 'maxStreams'>;

/** A picture may be larger than the container says: decoders are told, too. */
export const decodingInput = ({ maxPicturePixels, maxStreams }: DecodingLimits): string[] => [
  ...GUARDED_INPUT,
  ...['-max_streams', String(maxStreams), '-max_pixels', String(maxPicturePixels)],
];
