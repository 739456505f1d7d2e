// Renditions: one media playlist's worth each, of a track, in a codec, in a format.

export type Rendition = VideoRendition | AudioRendition | TextRendition;
export type RenditionOf<Kind extends Rendition['kind']> = Extract<Rendition, { kind: Kind }>;

interface AnyRendition {
  /** Unique in its plan, and part of every key: `720p`, `audio-0`. */
  name: string;
  /** The id of its track, which is of its kind. */
  track: string;
  /** Of core/formats/formats.ts, as is the codec: one that the format holds. */
  format: string;
  codec: string;
  /** RFC 6381, known before anything is encoded. */
  codecs: string;
  /** Of the variant for cellular lines, whose renditions go with each other only. Nobody starts with it. */
  isCellular?: true;
}

export interface VideoRendition extends AnyRendition {
  kind: 'video';
  width: number;
  height: number;
  /** The most the encoder may spend, averaged over one second of buffer. */
  maxBitrateBps: number;
  level: string;
}

export interface AudioRendition extends AnyRendition {
  kind: 'audio';
  sampleRate: number;
  channels: number;
  bitrateBps: number;
}

export interface TextRendition extends AnyRendition {
  kind: 'text';
}
