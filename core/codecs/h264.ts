// H.264. Its RFC 6381 string is known before a frame is encoded, because profile and level are ours to choose.

import type { Size } from '../plan/ladder.ts';
import { fillAll } from '../recipes/recipe.ts';
import type { Codec } from './codec.ts';

/** ITU-T H.264 table A-1: macroblocks per second, macroblocks per frame, kbit/s for High profile (1.25 × Main). */
const H264_LEVELS = [
  { level: '1.0', macroblocksPerSecond: 1_485, macroblocks: 99, kbps: 80 },
  { level: '1.1', macroblocksPerSecond: 3_000, macroblocks: 396, kbps: 240 },
  { level: '1.2', macroblocksPerSecond: 6_000, macroblocks: 396, kbps: 480 },
  { level: '1.3', macroblocksPerSecond: 11_880, macroblocks: 396, kbps: 960 },
  { level: '2.0', macroblocksPerSecond: 11_880, macroblocks: 396, kbps: 2_500 },
  { level: '2.1', macroblocksPerSecond: 19_800, macroblocks: 792, kbps: 5_000 },
  { level: '2.2', macroblocksPerSecond: 20_250, macroblocks: 1_620, kbps: 5_000 },
  { level: '3.0', macroblocksPerSecond: 40_500, macroblocks: 1_620, kbps: 12_500 },
  { level: '3.1', macroblocksPerSecond: 108_000, macroblocks: 3_600, kbps: 17_500 },
  { level: '3.2', macroblocksPerSecond: 216_000, macroblocks: 5_120, kbps: 25_000 },
  { level: '4.0', macroblocksPerSecond: 245_760, macroblocks: 8_192, kbps: 25_000 },
  { level: '4.2', macroblocksPerSecond: 522_240, macroblocks: 8_704, kbps: 62_500 },
  { level: '5.0', macroblocksPerSecond: 589_824, macroblocks: 22_080, kbps: 168_750 },
  { level: '5.1', macroblocksPerSecond: 983_040, macroblocks: 36_864, kbps: 300_000 },
  { level: '5.2', macroblocksPerSecond: 2_073_600, macroblocks: 36_864, kbps: 300_000 },
] as const;

/** The lowest H.264 level that allows this size, rate and bit rate; `2.1` as ffmpeg's `-level` wants it. */
export function h264Level({ width, height }: Size, framesPerSecond: number, maxBitrateBps: number): string {
  const [across, down] = [Math.ceil(width / 16), Math.ceil(height / 16)];
  const macroblocks = across * down;
  const fits = H264_LEVELS.find(
    (level) =>
      level.macroblocks >= macroblocks &&
      level.macroblocksPerSecond >= macroblocks * framesPerSecond &&
      level.kbps * 1000 >= maxBitrateBps &&
      // A.3.1: no side longer than the root of eight times the frame size (a 4000×40 strip needs a high level).
      Math.max(across, down) ** 2 <= 8 * level.macroblocks,
  );
  return (fits ?? H264_LEVELS[H264_LEVELS.length - 1]!).level;
}

/** High profile (0x64), no constraint flags. */
export const h264Codecs = (level: string): string =>
  `avc1.6400${Math.round(Number(level) * 10)
    .toString(16)
    .padStart(2, '0')}`;

export const H264: Codec<'video'> = {
  name: 'h264',
  kind: 'video',
  /** A unit is a picture of the grid. */
  unitsPerSecond: (_, grid) => grid.frameRate,
  /** Over one segment the encoder can spend its rate cap and, once, its buffer (one second of the cap). */
  mostBits: ({ maxBitrateBps }, segmentSeconds) => maxBitrateBps * (segmentSeconds + 1),
  encoder(rendition, track, { grid, recipe }, effort) {
    const { level, maxBitrateBps, isCellular } = rendition;
    const { matrix, primaries, transfer } = track.processing.colour.output;
    const known = { level, maxBitrateBps, gopFrames: grid.gopFrames, matrix, primaries, transfer };
    const { encoder: quick, thoroughEncoder, cellularEncoder } = recipe.h264;
    const usual = effort === 'thorough' ? (thoroughEncoder ?? quick) : quick;
    const options = isCellular ? cellularEncoder! : usual;
    // Frames pass as the filters stamped them; none is dropped or doubled to please the muxer.
    return [...fillAll(options, known), '-vsync', '0'];
  },
  cpuSeconds(rendition, { grid, recipe, prewarmEffort }) {
    const isThorough = prewarmEffort === 'thorough' && recipe.h264.thoroughEncoder !== undefined;
    const usual = isThorough ? THOROUGH_SECONDS_PER_MEGAPIXEL : SECONDS_PER_MEGAPIXEL;
    const megapixels = (rendition.width * rendition.height * grid.frameCount) / 1e6;
    return megapixels * (rendition.isCellular ? CELLULAR_SECONDS_PER_MEGAPIXEL : usual);
  },
};

/** The medians of bench/cpu-per-rung on a 1080p30 source with camera-like noise; what is thorough took 1.47 times as much. */
const SECONDS_PER_MEGAPIXEL = 0.0088;
const THOROUGH_SECONDS_PER_MEGAPIXEL = 0.0129;
const CELLULAR_SECONDS_PER_MEGAPIXEL = 0.0162;
