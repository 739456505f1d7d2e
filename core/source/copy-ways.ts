// The ways in which a source's picture and sound get into its mezzanine: as they are, or, where the muxer of 2018 has no
// place for them or loses some of them, read another way, and at last decoded and stored losslessly.

import type { AudioStream, Probe } from './probe.ts';
import { reasonByProbe } from './seekability.ts';

/** `runs apart`: a fragmented MP4, read once from start to end, with its runs of samples told apart (`fragment-runs.ts`). */
export const READINGS = ['as it is', 'runs apart'] as const;
/** `lossless`: decoded, at the times that the demuxer makes up; `retimed`: at those that the decoder finds. */
export const PICTURE_WAYS = ['copy', 'lossless', 'retimed'] as const;
/** FLAC holds integers of up to 24 bits, in up to 8 channels; Matroska holds other sound as samples. */
const SOUND_ENCODINGS = ['flac', 'pcm_s32le', 'pcm_f32le', 'pcm_f64le'] as const;
export const SOUND_WAYS = ['copy', ...SOUND_ENCODINGS] as const;

export type SoundEncoding = (typeof SOUND_ENCODINGS)[number];

export interface CopyWay {
  reading: (typeof READINGS)[number];
  picture: (typeof PICTURE_WAYS)[number];
  sound: (typeof SOUND_WAYS)[number];
}

/**
 * Sound that the muxer of ffmpeg 4.1 has a place for, and that its demuxer finds there again. It has one for a few others
 * (RealAudio, QDesign), and leaves out their setup.
 */
const HELD_SOUND: ReadonlySet<string> = new Set([
  ...['aac', 'ac3', 'eac3', 'dts', 'truehd', 'mlp', 'mp1', 'mp2', 'mp3', 'opus', 'vorbis'],
  ...['flac', 'alac', 'tta', 'wavpack'],
  ...['pcm_u8', 'pcm_s16le', 'pcm_s24le', 'pcm_s32le', 'pcm_s16be', 'pcm_s24be', 'pcm_s32be'],
  ...['pcm_f32le', 'pcm_f64le', 'pcm_alaw', 'pcm_mulaw'],
  ...['wmav1', 'wmav2', 'wmapro', 'wmalossless', 'adpcm_ms', 'adpcm_ima_wav', 'gsm_ms'],
  ...['amr_nb', 'amr_wb'],
]);

/** The way that is tried first: no more is decoded than has to be. */
export const firstWay = ({ audio }: Pick<Probe, 'audio'>): CopyWay => ({
  reading: 'as it is',
  picture: 'copy',
  sound: audio && !isCopied(audio) ? soundEncoding(audio) : 'copy',
});

/** What did not come over. */
export interface Lacks {
  picture: boolean;
  sound: boolean;
  /** Whether that is the sound's end, or all of it. A decoder would fill any other gap with silence, and hide it. */
  soundEnd: boolean;
}

/** A way that was tried, and what did not come over by it. */
export interface TriedWay {
  way: CopyWay;
  lacks: Lacks;
}

/**
 * The way to try next; undefined where none is left.
 * @param best of the ways that were tried, the one by which the most came over
 * @param tried all of them
 */
export function nextWay(
  { way, lacks }: TriedWay,
  tried: readonly CopyWay[],
  probe: Probe,
): CopyWay | undefined {
  if (!lacks.picture && !lacks.sound) return undefined;
  const isApartTried = tried.some(({ reading }) => reading === 'runs apart');
  if (reasonByProbe(probe) === 'FRAGMENTED' && !isApartTried) return { ...way, reading: 'runs apart' };
  const next: CopyWay = {
    reading: way.reading,
    picture: lacks.picture ? decodedWay(probe) : way.picture,
    sound: lacks.soundEnd && way.sound === 'copy' && probe.audio ? soundEncoding(probe.audio) : way.sound,
  };
  return tried.some((other) => isSame(other, next)) ? undefined : next;
}

/**
 * Of these, players show pictures that follow a lost first one, on grey or black. Of all others, nobody shows anything
 * before the first key.
 */
const SHOWN_WITHOUT_KEY: ReadonlySet<string> = new Set([
  ...['mpeg4', 'msmpeg4v1', 'msmpeg4v2', 'msmpeg4v3', 'wmv1', 'wmv2'],
  ...['h263', 'h263i', 'h263p', 'flv1', 'rv10', 'rv20'],
]);

export const isShownWithoutKey = (codec: string): boolean => SHOWN_WITHOUT_KEY.has(codec);

/** Without a first key, ffmpeg 4.1 makes up one and the same time for all pictures of an AVI. */
const decodedWay = ({ video }: Probe): CopyWay['picture'] =>
  video && isShownWithoutKey(video.codec) ? 'retimed' : 'lossless';

const isSame = (one: CopyWay, other: CopyWay): boolean =>
  one.reading === other.reading && one.picture === other.picture && one.sound === other.sound;

/**
 * AAC whose setup is repeated in every frame (from broadcasts and raw files) is decoded: the muxer wants that setup before
 * the first.
 */
const isCopied = ({ codec, hasSetup }: AudioStream): boolean =>
  HELD_SOUND.has(codec) && (hasSetup || codec !== 'aac');

const MOST_FLAC_CHANNELS = 8;

function soundEncoding({ codec, channels }: AudioStream): SoundEncoding {
  if (codec.startsWith('pcm_f64')) return 'pcm_f64le';
  if (codec.startsWith('pcm_f')) return 'pcm_f32le';
  if (channels <= MOST_FLAC_CHANNELS) return 'flac';
  return codec.startsWith('pcm_') ? 'pcm_s32le' : 'pcm_f32le';
}
