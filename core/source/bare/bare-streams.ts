// Bare streams: coded pictures one after the other, without a container, so without times. The names are ffmpeg's, of
// its demuxers (4.1 and later).

import type { Fraction } from '../../fraction.ts';
import type { Probe } from '../probe.ts';

const BARE_VIDEO = ['h264', 'hevc', 'm4v', 'mpegvideo', 'mjpeg', 'vc1'];

/** Those that ffmpeg may take an uploaded file for. */
export const BARE_DEMUXERS: readonly string[] = BARE_VIDEO;

export const isBareVideo = (format: string): boolean => BARE_VIDEO.includes(format);

/** Options before `-i`: ffmpeg is not to guess anew what has been found out, as it guesses wrong for Motion JPEG. */
export const bareStreamInput = ({ format }: Pick<Probe, 'format'>): string[] =>
  isBareVideo(format) ? ['-f', format] : [];

/** What a constant rate can be told apart by when times are rounded to milliseconds. */
const ROUNDING_SECONDS = 0.0015;
const SAME_RATE = 1e-4;

/** The rate at which so many pictures take so long: a whole number, or one of NTSC's, where it can be that. */
export function constantRate(frameCount: number, seconds: number): Fraction | undefined {
  const measured = frameCount / seconds;
  if (!Number.isFinite(measured) || measured <= 0) return undefined;
  const off = ({ num, den }: Fraction) => Math.abs(num / den / measured - 1);
  const [nearest] = [
    { num: Math.round(measured), den: 1 },
    { num: Math.round(measured * 1.001) * 1000, den: 1001 },
  ].sort((a, b) => off(a) - off(b));
  return off(nearest!) <= SAME_RATE + ROUNDING_SECONDS / seconds
    ? nearest
    : { num: Math.round(measured * 1000), den: 1000 };
}
