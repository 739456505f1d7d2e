// Tracks: what of the source is used, each with the map of its own clock onto the grid.

import type { Fraction } from '../fraction.ts';
import type { PictureProcessing } from '../source/picture.ts';
import type { Size } from './ladder.ts';

export type Track = VideoTrack | AudioTrack | TextTrack;
export type TrackKind = Track['kind'];
export type TrackOf<Kind extends TrackKind> = Extract<Track, { kind: Kind }>;

interface AnyTrack {
  /** Unique in its plan: `video-0`, `audio-1`. Counted by kind, the published one first, the others in the order of the source. */
  id: string;
  streamIndex: number;
  /** As the source says, in its own words; null where it says nothing. */
  language: string | null;
  title: string | null;
  isDefault: boolean;
  isForced: boolean;
}

export interface VideoTrack extends AnyTrack {
  kind: 'video';
  /** ffmpeg's decoder, where another than the one that it takes by itself is better. */
  decoder?: string | undefined;
  /** The source's picture as displayed. */
  width: number;
  height: number;
  /** Its size as decoded, before it is turned and its pixels are made square. Plans made before recipe 3 do not know it. */
  decoded?: Size | undefined;
  timeBase: Fraction;
  /** The grid's time zero in the source's own time stamps, in units of `timeBase`. */
  originPts: number;
  /** Frames of the grid before the source's first picture (which is shown from the start instead). */
  leadFrames: number;
  /** Frames of the grid up to the end of the source's last picture (which is held from there on). */
  sourceFrames: number;
  processing: PictureProcessing;
}

export interface AudioTrack extends AnyTrack {
  kind: 'audio';
  sourceRate: number;
  sourceChannels: number;
  /**
   * How exact its time stamps are. `within`: how far one may be from where its frame belongs, in source samples, where its
   * container counts in larger units; 0 where stamps count samples or frames. `unit`: what frames are long, or a multiple of,
   * in samples; null where each frame's own length serves. Plans made before recipe 3 do not know it.
   */
  stamps?: { within: number; unit: number | null } | undefined;
  /** The grid's time zero in source samples since the source's time stamp 0. */
  originSample: number;
  /** Where the source's sound begins and ends, in source samples from the grid's zero. Silence elsewhere. */
  startSample: number;
  endSample: number;
}

export interface TextTrack extends AnyTrack {
  kind: 'text';
  /** ffmpeg's name of how the text is written, such as `subrip`, `mov_text`. */
  codec: string;
  /** The grid's time zero, in seconds of the source's own time stamps. */
  originSeconds: number;
}
