// The still pictures of a film: a poster, thumbnails, and a storyboard of sprite sheets that players show over the seek
// bar. Which there are follows from the picture's size and the film's length alone.

import type { Size } from './ladder.ts';
import { durationSeconds } from './grid.ts';
import type { Grid } from './grid.ts';

export interface StillsPlan {
  /** A thumbnail and a tile for every so many seconds, beginning with second 0. */
  intervalSeconds: number;
  count: number;
  /** Whether only the source's keyframes are looked at. */
  keyframesOnly: boolean;
  poster: Size;
  thumb: Size;
  tile: Size;
  /** Tiles of a full sheet. */
  columns: number;
  rows: number;
}

/** Tiles `from` up to, not including, `to`, on so many rows. */
export interface Sheet {
  from: number;
  to: number;
  columns: number;
  rows: number;
}

const POSTER_LONG_SIDE = 1280;
const THUMB_LONG_SIDE = 640;
const TILE_LONG_SIDE = 160;
const SHEET_SIDE = 5;
const MOST_STILLS = 200; // eight sheets; on a seek bar, a tile for every few pixels

const INTERVALS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600] as const;
/**
 * Up to here a storyboard is made from every picture: encoders may set keyframes ten seconds apart, of which a film of a
 * minute has seven. A longer one has enough of them, and would cost too much.
 */
const LONGEST_DENSE_INTERVAL = 2;

export function stillsPlan(picture: Size, durationSeconds: number): StillsPlan {
  const intervalSeconds =
    INTERVALS.find((interval) => durationSeconds / interval <= MOST_STILLS) ??
    Math.ceil(durationSeconds / MOST_STILLS);
  return {
    intervalSeconds,
    count: Math.max(1, Math.ceil(durationSeconds / intervalSeconds)),
    keyframesOnly: intervalSeconds > LONGEST_DENSE_INTERVAL,
    poster: fitted(picture, POSTER_LONG_SIDE),
    thumb: fitted(picture, THUMB_LONG_SIDE),
    tile: fitted(picture, TILE_LONG_SIDE),
    columns: SHEET_SIDE,
    rows: SHEET_SIDE,
  };
}

/** Never larger than the picture itself, and a strip is not made of nothing. */
function fitted({ width, height }: Size, longSide: number): Size {
  const scale = Math.min(1, longSide / Math.max(width, height));
  const side = (length: number) => Math.max(2, 2 * Math.round((length * scale) / 2));
  return { width: side(width), height: side(height) };
}

export const sheetCount = ({ count, columns, rows }: StillsPlan): number =>
  Math.ceil(count / (columns * rows));

/** The last sheet is no larger than its tiles need. */
export function sheetAt({ count, columns, rows }: StillsPlan, index: number): Sheet {
  const from = index * columns * rows;
  const to = Math.min(count, from + columns * rows);
  return { from, to, columns: Math.min(columns, to - from), rows: Math.ceil((to - from) / columns) };
}

/**
 * WebVTT, each cue a part of a sheet (Media Fragments, section 4.2.2).
 * @param prefix from the track's own address to the revision's, whose sheets it names
 */
export function storyboardTrack(grid: Grid, stills: StillsPlan, prefix: string): string {
  const end = durationSeconds(grid);
  const { width, height } = stills.tile;
  const cues = Array.from({ length: stills.count }, (_, tile) => {
    const index = Math.floor(tile / (stills.columns * stills.rows));
    const { from, columns } = sheetAt(stills, index);
    const [column, row] = [(tile - from) % columns, Math.floor((tile - from) / columns)];
    const [start, stop] = [tile, tile + 1].map((at) => clock(Math.min(end, at * stills.intervalSeconds)));
    return `${start} --> ${stop}\n${prefix}storyboard/${index}.jpg#xywh=${column * width},${row * height},${width},${height}\n`;
  });
  return ['WEBVTT\n', ...cues].join('\n');
}

function clock(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const whole = Math.floor(milliseconds / 1000);
  const rest = String(milliseconds % 1000).padStart(3, '0');
  return `${two(whole / 3600)}:${two((whole / 60) % 60)}:${two(whole % 60)}.${rest}`;
}
