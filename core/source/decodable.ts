// Which tracks of a source can be used, and which sources cannot: what ffprobe found, held against what our decoders
// know and what one source may ask of us.

import { SourceError } from '../errors.ts';
import type { SourceLimits } from '../limits.ts';
import type { FfprobeOutput, FfprobeStream } from './probe.ts';

/**
 * Without the tracks that nobody here can decode, where others of their kind are left: a phone's clip may carry its
 * sound twice, once in a format that only that phone knows.
 * @throws SourceError TOO_MANY_STREAMS, PICTURE_TOO_LARGE, ENCRYPTED, UNSUPPORTED_CODEC
 */
export function usableStreams(
  output: FfprobeOutput,
  decoders: ReadonlySet<string>,
  limits: Pick<SourceLimits, 'maxStreams' | 'maxPicturePixels'>,
): FfprobeOutput {
  const streams = output.streams ?? [];
  if (streams.length > limits.maxStreams) throw tooManyStreams(limits);
  for (const stream of streams.filter((stream) => !isCover(stream))) refuse(stream, limits);
  const unknown = streams.filter((stream) => isPicturesOrSound(stream) && !isDecodable(stream, decoders));
  for (const stream of unknown) {
    const others = streams.filter((other) => other.codec_type === stream.codec_type && !isCover(other));
    if (isCover(stream) || others.some((other) => isDecodable(other, decoders))) continue;
    throw new SourceError(
      'UNSUPPORTED_CODEC',
      `The ${stream.codec_type === 'video' ? 'picture' : 'sound'} is in a format that this service cannot decode: ${codecName(stream)}.`,
    );
  }
  return { ...output, streams: streams.filter((stream) => !unknown.includes(stream)) };
}

export const tooManyStreams = ({ maxStreams }: Pick<SourceLimits, 'maxStreams'>): SourceError =>
  new SourceError('TOO_MANY_STREAMS', `The file has more than ${maxStreams} tracks; no more are accepted.`);

function refuse(stream: FfprobeStream, { maxPicturePixels }: Pick<SourceLimits, 'maxPicturePixels'>): void {
  // Matroska names the key of an encrypted track.
  if (stream.tags?.['enc_key_id'] !== undefined) throw new SourceError('ENCRYPTED');
  const { width = 0, height = 0, coded_width = 0, coded_height = 0 } = stream;
  const [across, down] = [Math.max(width, coded_width), Math.max(height, coded_height)];
  if (across * down <= maxPicturePixels) return;
  throw new SourceError(
    'PICTURE_TOO_LARGE',
    `The picture has ${across} × ${down} pixels; at most ${maxPicturePixels} in all are accepted.`,
  );
}

/** A picture attached to a song. */
const isCover = ({ disposition }: FfprobeStream): boolean => Boolean(disposition?.attached_pic);

const isPicturesOrSound = ({ codec_type }: FfprobeStream): boolean =>
  codec_type === 'video' || codec_type === 'audio';

const isDecodable = ({ codec_name }: FfprobeStream, decoders: ReadonlySet<string>): boolean =>
  codec_name !== undefined && decoders.has(codec_name);

/** ffprobe's own name, or else the four letters that the file has for it. */
function codecName({ codec_name, codec_tag_string, codec_tag }: FfprobeStream): string {
  if (codec_name && codec_name !== 'unknown' && codec_name !== 'none') return codec_name;
  const tag = codec_tag_string && !codec_tag_string.startsWith('[0]') ? codec_tag_string : codec_tag;
  // From the file, so perhaps anything.
  return (tag ?? 'unknown').replace(/[^\w.[\]-]/g, '?').slice(0, 32);
}

/** The codecs that `ffmpeg -codecs` says it can decode: ` DEV.LS h264   H.264 / AVC …`. */
export const decodersOf = (listing: string): Set<string> =>
  new Set([...listing.matchAll(/^ D[.E][VA]\S* (\S+)/gm)].map(([, name]) => name!));
