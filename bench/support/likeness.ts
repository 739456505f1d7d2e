// How much two encodings of the same thing look and sound alike, in decibels; Infinity where nothing differs at all.

import { ffmpeg } from '../../test/support/media.ts';

const SIDE = 32;
/** Luma and both colours of a picture made small. */
const PICTURE_BYTES = 3 * SIDE * SIDE;

export interface Looks {
  /** One small picture after another. */
  bytes: Buffer;
  count: number;
  /** What ffmpeg said while it decoded. */
  complaints: string;
}

export async function looksOf(path: string): Promise<Looks> {
  const { stdout, stderr } = await ffmpeg(
    ...['-v', 'warning', '-copyts', '-i', path, '-map', '0:v:0', '-vsync', '0'],
    ...['-vf', `scale=${SIDE}:${SIDE}:flags=area,format=yuv444p`, '-f', 'rawvideo', '-'],
  );
  return { bytes: stdout, count: stdout.length / PICTURE_BYTES, complaints: stderr };
}

/** The peak signal-to-noise ratio of the pair of pictures that differs most. */
export function leastPictureRatio(a: Looks, b: Looks): number {
  let least = Infinity;
  const end = Math.min(a.bytes.length, b.bytes.length);
  for (let offset = 0; offset < end; offset += PICTURE_BYTES) {
    const picture = ({ bytes }: Looks) => bytes.subarray(offset, offset + PICTURE_BYTES);
    least = Math.min(least, peakRatio(picture(a), picture(b)));
  }
  return least;
}

/** The peak signal-to-noise ratio of bytes. */
export function peakRatio(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index]! - b[index]!) ** 2;
  return 10 * Math.log10((255 ** 2 * a.length) / sum);
}

export interface Still {
  width: number;
  height: number;
  /** Red, green and blue of each pixel. */
  pixels: Buffer;
}

export async function decodedStill(path: string): Promise<Still> {
  const { stdout } = await ffmpeg('-i', path, '-pix_fmt', 'rgb24', '-f', 'image2pipe', '-c:v', 'ppm', '-');
  const header = /^P6\n(\d+) (\d+)\n255\n/.exec(stdout.subarray(0, 32).toString('latin1'))!;
  const [width, height] = [Number(header[1]), Number(header[2])];
  return { width, height, pixels: stdout.subarray(header[0].length) };
}

export interface Heard {
  /** Of all channels in turn, full scale being 1. */
  samples: Float32Array;
  complaints: string;
}

export async function heardIn(path: string): Promise<Heard> {
  const { stdout, stderr } = await ffmpeg('-v', 'warning', '-f', 'aac', '-i', path, '-f', 'f32le', '-');
  const { buffer, byteOffset, length } = stdout;
  const samples = new Float32Array(buffer.slice(byteOffset, byteOffset + length));
  return { samples, complaints: stderr.replace(NO_LENGTH, '') };
}

/** Said of every ADTS stream: it does not tell how long it is. */
const NO_LENGTH = /^.*Estimating duration from bitrate.*\n?/m;

const WINDOW_SAMPLES = 8192;
/** Nobody hears what is 90 dB below full scale. */
const INAUDIBLE = 10 ** (-90 / 10);

/** The signal-to-noise ratio of the stretch of sound that differs most. */
export function leastSoundRatio({ samples: a }: Heard, { samples: b }: Heard): number {
  let least = Infinity;
  const end = Math.min(a.length, b.length);
  for (let from = 0; from < end; from += WINDOW_SAMPLES) {
    const to = Math.min(end, from + WINDOW_SAMPLES);
    let [signal, noise] = [0, 0];
    for (let index = from; index < to; index += 1) {
      signal += a[index]! ** 2;
      noise += (a[index]! - b[index]!) ** 2;
    }
    if (noise / (to - from) > INAUDIBLE) least = Math.min(least, 10 * Math.log10(signal / noise));
  }
  return least;
}
