// What a source's picture needs before it can be encoded, decided once and as data: the filters only obey.

import type { Turn } from './orientation.ts';
import type { ColourSpace, ColourTags, VideoStream } from './probe.ts';

export interface PictureProcessing {
  /** Degrees clockwise by which the decoded picture has to be turned to stand upright. */
  turn: Turn;
  /** Whether it is mirrored left to right after that, as front cameras record. */
  mirror: boolean;
  /** Pictures that are flagged as two interleaved fields become one of one moment. */
  deinterlace: boolean;
  colour: Colour;
}

export interface Colour {
  source: ColourSpace;
  /**
   * `range`: numbers stay as they are, but for full range and RGB, which become limited-range YUV. `gamut`: wide-gamut
   * colours come into BT.709. `tone-map`: high dynamic range comes into BT.709.
   */
  conversion: 'range' | 'gamut' | 'tone-map';
  /** Written into every rendition, as players guess by the picture's height where nothing is said. Always limited range. */
  output: ColourTags;
}

const BT709: ColourTags = { matrix: 'bt709', primaries: 'bt709', transfer: 'bt709' };
const HIGH_DYNAMIC_RANGE = ['smpte2084', 'arib-std-b67'];
/** What every player knows: a source in one of these is not converted. */
const KEPT = {
  matrix: ['bt709', 'smpte170m', 'bt470bg'],
  primaries: ['bt709', 'smpte170m', 'bt470bg'],
  transfer: ['bt709', 'smpte170m'],
};
// Players take untagged pictures of this height and above for BT.709, lower ones for BT.601.
const HD_HEIGHT = 720;

export function processingOf(video: VideoStream): PictureProcessing {
  const { turn, mirror = false, isInterlaced } = video;
  return { turn, mirror, deinterlace: isInterlaced, colour: colourOf(video) };
}

function colourOf({ colour, pixelFormat, codedHeight }: VideoStream): Colour {
  const isFullRange = colour.isFullRange ?? pixelFormat.startsWith('yuvj');
  if (isRgb(pixelFormat)) {
    return { source: { ...BT709, matrix: 'gbr', isFullRange: true }, conversion: 'range', output: BT709 };
  }
  const { matrix, primaries, transfer } = colour;
  if (transfer && HIGH_DYNAMIC_RANGE.includes(transfer)) {
    const source = { ...wideGamut(colour), transfer, isFullRange };
    return { source, conversion: 'tone-map', output: BT709 };
  }
  if (matrix?.startsWith('bt2020') || primaries === 'bt2020') {
    return {
      source: { ...wideGamut(colour), transfer: 'bt709', isFullRange },
      conversion: 'gamut',
      output: BT709,
    };
  }
  const usual = codedHeight >= HD_HEIGHT ? 'bt709' : 'smpte170m';
  const known = (kind: keyof ColourTags, value: string | undefined): value is string =>
    value !== undefined && KEPT[kind].includes(value);
  const ownMatrix = known('matrix', matrix) ? matrix : usual;
  const output = {
    matrix: ownMatrix,
    primaries: known('primaries', primaries) ? primaries : ownMatrix,
    transfer: known('transfer', transfer) ? transfer : 'bt709',
  };
  return { source: { ...output, isFullRange }, conversion: 'range', output };
}

const wideGamut = ({ matrix, primaries }: VideoStream['colour']) => ({
  matrix: matrix === 'bt2020c' || matrix === 'bt709' ? matrix : 'bt2020nc',
  primaries: primaries === 'bt709' ? primaries : 'bt2020',
});

/** RGB in any order or depth, and palettes, which are RGB too. */
const isRgb = (pixelFormat: string): boolean =>
  /^(rgb|bgr|gbr|argb|abgr|0rgb|0bgr|pal8|xyz)/.test(pixelFormat);
