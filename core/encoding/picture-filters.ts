// Filters that make of a decoded picture what is shown: upright, in colours that every player knows, at its size.

import type { Size } from '../plan/ladder.ts';
import type { Colour, PictureProcessing } from '../source/picture.ts';
import type { ColourSpace, Turn } from '../source/probe.ts';
import { fill, fillAll } from '../recipes/recipe.ts';
import type { Recipe } from '../recipes/recipe.ts';

/** Before frames are counted. */
export const deinterlacing = ({ deinterlace }: PictureProcessing, { picture }: Recipe): string[] =>
  deinterlace ? [picture.deinterlace] : [];

/** For pictures of which several sizes are made: done once, at the `largest`. */
export const sharedFilters = (
  { turn, mirror, colour }: PictureProcessing,
  largest: Size,
  recipe: Recipe,
): string[] => [...upright(turn, mirror), ...intoBt709(colour, largest, recipe)];

/** A segment's picture at its size, after `sharedFilters`. */
export function sizeFilters({ colour }: PictureProcessing, size: Size, { picture }: Recipe): string[] {
  const range = colour.conversion === 'range' ? rangeOptions(colour.source) : '';
  return [
    fill(picture.scale, { ...only(size), range }),
    'setsar=1', // sizes are of square pixels
    `format=${picture.pixelFormat}`,
  ];
}

/** A still of the source's picture as shown, in JPEG's colours. */
export function jpegFilters(processing: PictureProcessing, size: Size, recipe: Recipe): string[] {
  const { turn, mirror, colour } = processing;
  const isConverted = colour.conversion !== 'range';
  const matrix = isConverted || colour.output.matrix === 'bt709' ? 'bt709' : 'bt601';
  const range = !isConverted && colour.source.isFullRange ? 'pc' : 'tv';
  const source = colour.source.matrix === 'gbr' ? '' : `:in_color_matrix=${matrix}:in_range=${range}`;
  const { stills } = recipe;
  return [
    ...upright(turn, mirror),
    ...intoBt709(colour, size, recipe),
    fill(stills.scale, { ...only(size), source }),
    'setsar=1',
    `format=${stills.pixelFormat}`,
  ];
}

const upright = (turn: Turn, mirror: boolean): string[] => [...TURNS[turn], ...(mirror ? ['hflip'] : [])];

// ffmpeg would turn pictures by itself, but only for some containers, and not the same ones in all its versions.
const TURNS: Record<Turn, string[]> = {
  0: [],
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
};

/** At the largest size that is made: in linear light every pixel costs four bytes per colour. */
function intoBt709({ source, conversion }: Colour, size: Size, { picture }: Recipe): string[] {
  if (conversion === 'range') return [];
  const { matrix, primaries, transfer, isFullRange } = source;
  const known = `min=${matrix}:pin=${primaries}:tin=${transfer}:rin=${isFullRange ? 'full' : 'limited'}`;
  return fillAll(conversion === 'gamut' ? picture.gamut : picture.toneMap, { ...only(size), source: known });
}

/** Full range and RGB to limited range; a matrix is only chosen where there is none yet. */
const rangeOptions = ({ matrix, isFullRange }: ColourSpace): string =>
  matrix === 'gbr'
    ? ':out_color_matrix=bt709:out_range=tv'
    : `:in_range=${isFullRange ? 'pc' : 'tv'}:out_range=tv`;

const only = ({ width, height }: Size): { width: number; height: number } => ({ width, height });
