// The first recipe: what commit 8e3bc33 made, before plans carried recipes. A plan without one means this. Frozen for
// ever, with its faults: a change here would mix two encoders under one revision that caches keep for a year.

import type { Recipe } from './recipe.ts';

// Diffuse white of high dynamic range (ITU-R BT.2408), and the peak that most of it is graded for: 203 and 1,000 nits.
// The peak is fixed, as a segment must not look different from its neighbours because its own pictures are darker. Mobius
// leaves skin and shadows as they are and bends only what is bright: diffuse white comes out at about 82 %.
const WHITE_NITS = 203;
const PEAK_BY_WHITE = '4.926';

const TO_BT709 = 't=bt709:m=bt709:r=limited';

export const FIRST_RECIPE: Recipe = {
  name: '1',
  timestampOffsetSeconds: 10,
  picture: {
    // One picture per pair of fields, at the time of the first; what is not flagged as fields passes as it is.
    deinterlace: 'bwdif=mode=send_frame:deint=interlaced',
    // In one step: zscale finds no way from BT.709's curve to linear light and back in two.
    gamut: ['scale={width}:{height}', `zscale={source}:${TO_BT709}:p=bt709`, 'format=yuv420p'],
    toneMap: [
      'scale={width}:{height}',
      `zscale={source}:t=linear:npl=${WHITE_NITS}`,
      'format=gbrpf32le',
      'zscale=p=bt709',
      `tonemap=mobius:peak=${PEAK_BY_WHITE}`,
      `zscale=${TO_BT709}`,
      'format=yuv420p',
    ],
    scale: 'scale={width}:{height}{range}',
    pixelFormat: 'yuv420p',
  },
  h264: {
    encoder: [
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-level', '{level}'],
      // Constant quality, capped: easy pictures cost less than the cap.
      ...['-crf', '23', '-maxrate', '{maxBitrateBps}', '-bufsize', '{maxBitrateBps}'],
      // Keyframes on the grid and nowhere else. x264 counts -g from the last keyframe, so one extra at a scene cut
      // shifts all that follow, and the renditions stop lining up.
      ...['-g', '{gopFrames}', '-keyint_min', '{gopFrames}', '-sc_threshold', '0'],
      ...['-colorspace', '{matrix}', '-color_primaries', '{primaries}', '-color_trc', '{transfer}'],
      ...['-color_range', 'tv'],
    ],
    framesAhead: 2,
  },
  transportStream: {
    timing: ['-avoid_negative_ts', 'disabled', '-muxdelay', '0', '-muxpreload', '0'],
    // Separate processes write one stream: the flag says that continuity counters start anew.
    options: { output_ts_offset: '{offsetSeconds}', mpegts_flags: '+initial_discontinuity' },
    packing: { kind: 'as-muxed' },
  },
  aac: {
    encoder: ['-c:a', 'aac', '-b:a', '{bitrateBps}'],
    // Fills what is missing before the first sample and in gaps with silence; never stretches.
    gaps: 'async=1:min_comp=0.000001:min_hard_comp=0.1',
    contextFrames: 2,
    primingFrames: 1,
  },
  stills: {
    encoder: ['-c:v', 'mjpeg'],
    quality: { poster: '3', thumb: '4', sheet: '6' },
    // JPEG's colours: full range, and the matrix that every viewer takes for given.
    scale: 'scale={width}:{height}{source}:out_color_matrix=bt601:out_range=pc',
    pixelFormat: 'yuvj420p',
    poster: {
      // Films begin in black, with a logo, or with a hand before the lens; a tenth in they have begun. Not further in,
      // as the source may have a single keyframe, from which all up to there has to be decoded.
      at: 0.1,
      atMostSeconds: 30,
      // Of so many pictures the one is taken that is most like all of them: not the flash, not the fade.
      candidates: 8,
      candidatesRate: { num: 2, den: 1 },
      choice: 'thumbnail={candidates}',
    },
  },
};
