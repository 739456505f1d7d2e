// What a format is to the rest: how segments are named and labelled, which codecs they hold, how ffmpeg is told to write
// them, how what it wrote is cut, counted and packed, and how a stored one is opened again.

import type { AnyCodec } from '../codecs/codec.ts';
import type { UnitRange } from '../plan/grid.ts';
import type { Plan } from '../plan/plan.ts';
import type { Rendition } from '../plan/renditions.ts';
import type { Recipe } from '../recipes/recipe.ts';
import type { AccessUnit } from './access-unit.ts';
import type { SegmentContent } from './segment-content.ts';

export interface Format {
  /** As plans name it. */
  name: string;
  /** Of its segments; no two formats have the same. */
  extension: string;
  contentType: string;
  /** The lowest EXT-X-VERSION whose players know it. */
  playlistVersion: number;
  /** The most bits that a segment takes. */
  mostBits(content: SegmentContent, recipe: Recipe): number;
  codecs: readonly AnyCodec[];
  /** ffmpeg's options for writing a run into its folder, the output file last. */
  muxer(run: Run): string[];
  /**
   * What ffmpeg wrote, segment by segment and not packed yet.
   * @throws Error where one is missing, holds another number of units than planned, or may be half of one in a run that
   *   was cut off
   */
  cut(run: Run, read: ReadFile): AsyncGenerator<CutSegment>;
  /** A segment as it is stored. After it was counted, for what cannot be packed is a fault of ours and not the source's. */
  pack(run: Run, segment: CutSegment): Uint8Array;
  /** What players read before the first segment, where there is such a thing, out of what ffmpeg wrote for any run. */
  init?: { name: `init.${string}`; read(run: Run, read: ReadFile): Promise<Uint8Array> };
  /** How many units a stored segment holds; undefined where it is not whole. */
  count(segment: Uint8Array): number | undefined;
  /**
   * The access units of a stored segment with their times, so that another format can be packed of them.
   * @param init the rendition's init segment, where the format has one: clock and parameter sets may be told there only
   * @throws Error where it is not whole
   */
  open(segment: Uint8Array, init?: Uint8Array): AccessUnit[];
}

/** One rendition of a run of segments that one process of ffmpeg writes. */
export interface Run {
  plan: Plan;
  rendition: Rendition;
  /** Segments `from` up to, not including, `to`. */
  from: number;
  to: number;
  /** The rendition's own, empty at first. */
  directory: string;
  /** ffmpeg was ended before it was done: what it wrote last may be half of what it was to be. */
  isCutOff?: boolean | undefined;
  /** The rendition's units of one of the segments. */
  unitsOf(index: number): UnitRange;
}

export interface CutSegment {
  index: number;
  /** What belongs to it of what ffmpeg wrote. */
  parts: readonly Uint8Array[];
}

/** Reads a file of the run's directory. */
export type ReadFile = (name: string) => Promise<Uint8Array>;

export const lengthOf = ({ from, to }: UnitRange): number => to - from;

/** @throws Error where a segment holds another number of units than planned */
export function expectCount(segment: string, what: string, found: number | undefined, planned: number): void {
  if (found !== planned) {
    throw new Error(`segment ${segment}: ${found ?? 'no whole'} ${what}, planned ${planned}`);
  }
}
