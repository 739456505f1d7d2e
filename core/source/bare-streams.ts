// Bare streams: coded pictures one after the other, without a container, so without times. The names are ffmpeg's, of
// its demuxers (4.1 and later).

import type { Probe } from './probe.ts';

const BARE_VIDEO = ['h264', 'hevc', 'm4v', 'mpegvideo', 'mjpeg', 'vc1'];

/** Those that ffmpeg may take an uploaded file for. */
export const BARE_DEMUXERS: readonly string[] = BARE_VIDEO;

export const isBareVideo = (format: string): boolean => BARE_VIDEO.includes(format);

/** Options before `-i`: ffmpeg is not to guess anew what has been found out, as it guesses wrong for Motion JPEG. */
export const bareStreamInput = ({ format }: Pick<Probe, 'format'>): string[] =>
  isBareVideo(format) ? ['-f', format] : [];
