// HLS playlists (RFC 8216bis) of a plan: complete from the first moment, for a film of which no frame is encoded.

import { segmentName } from '../artifacts/keys.ts';
import { valueOf } from '../fraction.ts';
import type { AudioPlan, Plan, VideoRendition } from '../plan/plan.ts';
import { segmentCount, segmentSeconds } from '../plan/segments.ts';

/** Bit rates of a rendition as they were measured. */
export interface Bitrates {
  peakBps: number;
  averageBps: number;
}

/** Before anything is encoded there is only an upper bound. */
type KnownBitrates = Pick<Bitrates, 'peakBps'> & { averageBps: number | undefined };

// A 188-byte transport packet carries 184 of payload, and a picture's last one is padded.
const TRANSPORT_OVERHEAD = 1.08;

/**
 * The multivariant playlist. `measured` (by rendition name) replaces the upper bounds.
 * The lowest rung comes first: players begin with the first, and it is the quickest to make.
 */
export function multivariantPlaylist(plan: Plan, measured: Readonly<Record<string, Bitrates>> = {}): string {
  const { audio } = plan;
  const bitratesOf = (name: string, bound: number): KnownBitrates =>
    measured[name] ?? { peakBps: bound, averageBps: undefined };
  const sound = audio
    ? bitratesOf(audio.name, Math.ceil(audio.bitrateBps * 1.1))
    : { peakBps: 0, averageBps: 0 };
  const lines = ['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-INDEPENDENT-SEGMENTS'];
  if (!plan.video) {
    lines.push(streamInf([...bandwidth([sound]), ['CODECS', quoted(audio!.codecs)]]), uri(plan, audio!.name));
    return text(lines);
  }
  if (audio) lines.push(mediaTag(plan, audio));
  for (const rendition of [...plan.video.renditions].reverse()) {
    const picture = bitratesOf(rendition.name, peakBound(plan, rendition));
    lines.push(
      streamInf([
        ...bandwidth([picture, sound]),
        ['CODECS', quoted([rendition.codecs, ...(audio ? [audio.codecs] : [])].join(','))],
        ['RESOLUTION', `${rendition.width}x${rendition.height}`],
        ['FRAME-RATE', valueOf(plan.grid.frameRate).toFixed(3)],
        ...(audio ? ([['AUDIO', quoted('audio')]] as Attribute[]) : []),
      ]),
      uri(plan, rendition.name),
    );
  }
  return text(lines);
}

/** A rendition's media playlist: all segments, VOD, ended. */
export function mediaPlaylist(plan: Plan, rendition: string): string {
  const extension = plan.audio?.name === rendition ? 'aac' : 'ts';
  const durations = Array.from({ length: segmentCount(plan.grid) }, (_, index) =>
    segmentSeconds(plan, rendition, index),
  );
  return text([
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${Math.max(1, ...durations.map(Math.round))}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...durations.flatMap((seconds, index) => [
      `#EXTINF:${seconds.toFixed(6)},`,
      segmentName(index, extension),
    ]),
    '#EXT-X-ENDLIST',
  ]);
}

/** Over one segment the encoder can spend its rate cap and, once, its buffer (one second of the cap). */
function peakBound(plan: Plan, { maxBitrateBps }: VideoRendition): number {
  const seconds = plan.grid.segmentFrames / valueOf(plan.grid.frameRate);
  return Math.ceil(maxBitrateBps * (1 + 1 / seconds) * TRANSPORT_OVERHEAD);
}

type Attribute = [name: string, value: string];

function bandwidth(parts: KnownBitrates[]): Attribute[] {
  const peak = sum(parts.map(({ peakBps }) => peakBps));
  const averages = parts.map(({ averageBps }) => averageBps ?? NaN);
  const average = sum(averages);
  return [
    ['BANDWIDTH', String(Math.ceil(peak))],
    ...(Number.isNaN(average) ? [] : ([['AVERAGE-BANDWIDTH', String(Math.ceil(average))]] as Attribute[])),
  ];
}

function mediaTag(plan: Plan, audio: AudioPlan): string {
  return `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Default",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="${audio.channels}",URI="${uri(plan, audio.name)}"`;
}

const streamInf = (attributes: Attribute[]): string =>
  `#EXT-X-STREAM-INF:${attributes.map(([name, value]) => `${name}=${value}`).join(',')}`;

const uri = (plan: Plan, rendition: string): string => `${plan.rev}/${rendition}/index.m3u8`;
const quoted = (value: string): string => `"${value}"`;
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const text = (lines: string[]): string => lines.join('\n') + '\n';
