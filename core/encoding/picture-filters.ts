// Filters that make of a decoded picture what is shown: upright, in colours that every player knows, at its size.

import type { Size } from '../plan/ladder.ts';
import type { VideoTrack } from '../plan/tracks.ts';
import type { PictureProcessing } from '../source/picture.ts';
import type { Turn } from '../source/orientation.ts';
import type { ColourSpace } from '../source/probe.ts';
import { fill, fillAll } from '../recipes/recipe.ts';
import type { Recipe } from '../recipes/recipe.ts';

/** Before frames are counted. */
export const deinterlacing = (track: VideoTrack, { picture }: Recipe): string[] => [
  ...(fitting(track, picture) === 'same' ? [fill(picture.changes!.same, only(track.decoded!))] : []),
  ...(track.processing.deinterlace ? [picture.deinterlace] : []),
];

/** For filters that look at several pictures: all of them are of one size then. */
export const ofOneSize = (track: VideoTrack, { picture }: Recipe): string[] =>
  fitting(track, picture) === 'fitted' ? fitted(track, track.decoded!, picture, '') : [];

/** For pictures of which several sizes are made: done once, at the `largest`. */
export const sharedFilters = (track: VideoTrack, largest: Size, recipe: Recipe): string[] => [
  ...upright(track.processing),
  ...intoBt709(track, largest, recipe),
];

/** A segment's picture at its size, after `sharedFilters`. */
export function sizeFilters(track: VideoTrack, size: Size, { picture }: Recipe): string[] {
  const { conversion, source } = track.processing.colour;
  const range = conversion === 'range' ? rangeOptions(source) : '';
  return [
    ...(conversion === 'range' && fitting(track, picture) === 'fitted'
      ? fitted(track, size, picture, range)
      : [fill(picture.scale, { ...only(size), range })]),
    'setsar=1', // sizes are of square pixels
    `format=${picture.pixelFormat}`,
  ];
}

/** A still of the source's picture as shown, in JPEG's colours. */
export function jpegFilters(track: VideoTrack, size: Size, recipe: Recipe): string[] {
  const { colour } = track.processing;
  const isConverted = colour.conversion !== 'range';
  const matrix = isConverted || colour.output.matrix === 'bt709' ? 'bt709' : 'bt601';
  const range = !isConverted && colour.source.isFullRange ? 'pc' : 'tv';
  const source = colour.source.matrix === 'gbr' ? '' : `:in_color_matrix=${matrix}:in_range=${range}`;
  const { stills, picture } = recipe;
  return [
    ...upright(track.processing),
    ...(!isConverted && fitting(track, picture) === 'fitted' ? fitted(track, size, picture, '') : []),
    ...intoBt709(track, size, recipe),
    fill(stills.scale, { ...only(size), source }),
    'setsar=1',
    `format=${stills.pixelFormat}`,
  ];
}

const upright = ({ turn, mirror }: PictureProcessing): string[] => [
  ...TURNS[turn],
  ...(mirror ? ['hflip'] : []),
];

// ffmpeg would turn pictures by itself, but only for some containers, and not the same ones in all its versions.
const TURNS: Record<Turn, string[]> = {
  0: [],
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
};

/** At the largest size that is made: in linear light every pixel costs four bytes per colour. */
function intoBt709(track: VideoTrack, size: Size, { picture }: Recipe): string[] {
  const { source, conversion } = track.processing.colour;
  if (conversion === 'range') return [];
  const { matrix, primaries, transfer, isFullRange } = source;
  const known = `min=${matrix}:pin=${primaries}:tin=${transfer}:rin=${isFullRange ? 'full' : 'limited'}`;
  return [
    ...(fitting(track, picture) === 'fitted' ? fitted(track, size, picture, '') : []),
    ...fillAll(conversion === 'gamut' ? picture.gamut : picture.toneMap, { ...only(size), source: known }),
  ];
}

/**
 * How pictures that change their size come into the frame. `fitted`, with bars, where nothing before their scaling needs one
 * size; `same`, before all else, where they are put together, turned, or not of square pixels.
 */
function fitting(
  { decoded, width, height, processing: { turn, mirror, deinterlace } }: VideoTrack,
  { changes }: Recipe['picture'],
): 'same' | 'fitted' | undefined {
  if (!changes || !decoded) return undefined;
  const isAsDecoded = decoded.width === width && decoded.height === height;
  const isUsual = turn === 0 && !mirror && !deinterlace && isAsDecoded;
  return isUsual ? 'fitted' : 'same';
}

const fitted = (
  { decoded }: VideoTrack,
  size: Size,
  { changes }: Recipe['picture'],
  options: string,
): string[] =>
  fillAll(changes!.fitted, {
    ...only(size),
    ...{ decodedWidth: decoded!.width, decodedHeight: decoded!.height, options },
  });

/** Full range and RGB to limited range; a matrix is only chosen where there is none yet. */
const rangeOptions = ({ matrix, isFullRange }: ColourSpace): string =>
  matrix === 'gbr'
    ? ':out_color_matrix=bt709:out_range=tv'
    : `:in_range=${isFullRange ? 'pc' : 'tv'}:out_range=tv`;

const only = ({ width, height }: Size): { width: number; height: number } => ({ width, height });
