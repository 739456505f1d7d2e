// Which tracks of a source can be used, and which sources cannot: what ffprobe found, held against what our decoders
// know and what one source may ask of us.

import { SourceError } from '../errors.ts';
import type { SourceLimits } from '../limits.ts';
import { notice } from '../notices.ts';
import type { Notice } from '../notices.ts';
import { DECODERS } from './decoders.ts';
import type { FfprobeOutput, FfprobeStream, VideoStream } from './probe.ts';

/** What ffmpeg, which is older than ffprobe, makes of a file's streams, by their index. */
export type SeenStreams = ReadonlyMap<number, SeenStream>;

export interface SeenStream {
  kind: string;
  codec: string;
}

/**
 * Without the tracks that nobody here can decode: a phone's clip may carry its sound twice, once in a format that only
 * that phone knows. Where no other sound is left the picture plays alone, with a notice.
 * @param seen undefined where ffmpeg says nothing of the file: what it can decode in others counts
 * @throws SourceError TOO_MANY_STREAMS, PICTURE_TOO_LARGE, ENCRYPTED, UNSUPPORTED_CODEC
 */
export function usableStreams(
  output: FfprobeOutput,
  decoders: ReadonlySet<string>,
  limits: Pick<SourceLimits, 'maxStreams' | 'maxPicturePixels'>,
  seen?: SeenStreams,
): FfprobeOutput & { notices: Notice[] } {
  const streams = output.streams ?? [];
  if (streams.length > limits.maxStreams) throw tooManyStreams(limits);
  for (const stream of streams.filter((stream) => !isCover(stream))) refuse(stream, limits);
  const isUsable = (stream: FfprobeStream) => isDecodable(stream, decoders, seen) && !isTooFast(stream);
  const unknown = streams.filter((stream) => isPicturesOrSound(stream) && !isUsable(stream));
  const usable = streams.filter((stream) => !unknown.includes(stream));
  const has = (kind: string) => usable.some((stream) => stream.codec_type === kind && !isCover(stream));
  const missed = (['video', 'audio'] as const).flatMap((kind) =>
    has(kind) ? [] : unknown.filter((stream) => stream.codec_type === kind && !isCover(stream)).slice(0, 1),
  );
  const refused = missed.find(({ codec_type }) => codec_type === 'video' || !has('video'));
  if (refused) throw unsupported(refused.codec_type!, codecName(refused));
  return { ...output, streams: usable, notices: missed.map((stream) => leftOut(codecName(stream))) };
}

export const unsupported = (kind: string, codec: string): SourceError =>
  new SourceError(
    'UNSUPPORTED_CODEC',
    `The ${kind === 'video' ? 'picture' : 'sound'} is in a format that this service cannot decode: ${codec}.`,
  );

const leftOut = (codec: string): Notice =>
  notice(
    'TRACK_LEFT_OUT',
    null,
    `The sound is in a format (codec) that this service cannot decode, so it was left out: ${codec}.`,
  );

export const tooManyStreams = ({ maxStreams }: Pick<SourceLimits, 'maxStreams'>): SourceError =>
  new SourceError('TOO_MANY_STREAMS', `The file has more than ${maxStreams} tracks; no more are accepted.`);

function refuse(stream: FfprobeStream, { maxPicturePixels }: Pick<SourceLimits, 'maxPicturePixels'>): void {
  // Matroska names the key of an encrypted track.
  if (stream.tags?.['enc_key_id'] !== undefined) throw new SourceError('ENCRYPTED');
  const { width = 0, height = 0, coded_width = 0, coded_height = 0 } = stream;
  const [across, down] = [Math.max(width, coded_width), Math.max(height, coded_height)];
  if (across * down <= maxPicturePixels) return;
  throw pictureTooLarge(across, down, { maxPicturePixels });
}

export const pictureTooLarge = (
  across: number,
  down: number,
  { maxPicturePixels }: Pick<SourceLimits, 'maxPicturePixels'>,
): SourceError =>
  new SourceError(
    'PICTURE_TOO_LARGE',
    `The picture has ${across} × ${down} pixels; at most ${maxPicturePixels} in all are accepted.`,
  );

/** A picture attached to a song. */
const isCover = ({ disposition }: FfprobeStream): boolean => Boolean(disposition?.attached_pic);

const isPicturesOrSound = ({ codec_type }: FfprobeStream): boolean =>
  codec_type === 'video' || codec_type === 'audio';

/** Eight times what any recorder of samples knows, and more than DSD. What says more is damaged, and no resampler has room for it. */
const MOST_SAMPLE_RATE = 6_144_000;

const isTooFast = ({ codec_type, sample_rate }: FfprobeStream): boolean =>
  codec_type === 'audio' && Number(sample_rate) > MOST_SAMPLE_RATE;

/** ffprobe may know by name what ffmpeg does not find in this file, such as PCM in MP4. */
function isDecodable(
  { index, codec_type, codec_name }: FfprobeStream,
  decoders: ReadonlySet<string>,
  seen: SeenStreams | undefined,
): boolean {
  if (codec_name === undefined || !decoders.has(codec_name)) return false;
  const own = seen?.get(index);
  return !seen || (own?.kind === codec_type && decoders.has(own!.codec));
}

/** ffprobe's own name, with the four letters that the file has for it, or these alone; and a rate that no sound has. */
function codecName(stream: FfprobeStream): string {
  const { codec_name, codec_tag_string, codec_tag, sample_rate } = stream;
  const tag = codec_tag_string && !codec_tag_string.startsWith('[0]') ? codec_tag_string : undefined;
  const hasName = codec_name && codec_name !== 'unknown' && codec_name !== 'none';
  const letters = tag && /^\w{4}$/.test(tag) && tag !== codec_name ? ` (${tag})` : '';
  // From the file, so perhaps anything.
  const name = (hasName ? codec_name + letters : (tag ?? codec_tag ?? 'unknown'))
    .replace(/[^\w.[\]() -]/g, '?')
    .slice(0, 32);
  return isTooFast(stream) ? `${name} at ${sample_rate} Hz` : name;
}

/** The streams that the head of `-f framecrc` lists: `#media_type 1: audio`, `#codec_id 1: aac`. */
export function seenStreamsOf(listing: string): SeenStreams {
  const valuesOf = (name: string) =>
    [...listing.matchAll(new RegExp(`^#${name} (\\d+): (\\S+)$`, 'gm'))].map(
      ([, index, value]) => [Number(index), value!] as const,
    );
  const codecs = new Map(valuesOf('codec_id'));
  return new Map(
    valuesOf('media_type').map(([index, kind]) => [index, { kind, codec: codecs.get(index) ?? 'none' }]),
  );
}

/**
 * What sources may be in: the codecs for which `ffmpeg -codecs` says that it takes a decoder of our list, and the decoders of
 * the list where it has several. It takes the first: ` DEV.L. vp8   On2 VP8 (decoders: vp8 libvpx ) (encoders: libvpx )`.
 */
export const decodersOf = (listing: string): Set<string> =>
  new Set(
    [...listing.matchAll(/^ D[.E][VA]\S* (\S+)(?:.*\(decoders: ([^)]*)\))?/gm)].flatMap(
      ([, codec, names = codec!]) => {
        const decoders = names.split(' ').filter(Boolean);
        if (!DECODERS.includes(decoders[0]!)) return [];
        return [codec!, ...decoders.filter((name) => DECODERS.includes(name))];
      },
    ),
  );

/**
 * A decoder that is better than the one that ffmpeg 4.1 takes by itself. Where the bits of a part of a picture end early, and
 * zeros are to be read on (RFC 6386, section 7.3), its VP8 leaves the rest of that part green, and says nothing. Not for
 * transparent pictures: libvpx wants to decode what is transparent as well, and gives up the picture where it cannot.
 * @param decoders those that there are
 */
export function betterDecoder(
  { codec, hasAlpha }: Pick<VideoStream, 'codec' | 'hasAlpha'>,
  decoders: ReadonlySet<string>,
): string | undefined {
  return codec === 'vp8' && !hasAlpha && decoders.has('libvpx') ? 'libvpx' : undefined;
}
