// What a codec is to the rest: how long its units are, how it is named, asked for and paid.

import type { Fraction } from '../fraction.ts';
import type { Grid } from '../plan/grid.ts';
import type { Effort, Plan } from '../plan/plan.ts';
import type { Rendition, RenditionOf } from '../plan/renditions.ts';
import type { TrackOf } from '../plan/tracks.ts';
import type { Recipe } from '../recipes/recipe.ts';

export interface Codec<Kind extends Rendition['kind'] = Rendition['kind']> {
  name: string;
  kind: Kind;
  /** Of what segments are cut between and counted in: pictures, or frames of sound. */
  unitsPerSecond(rendition: RenditionOf<Kind>, grid: Grid): Fraction;
  /** Units to encode besides those of a run: on both its sides, and what the encoder puts before the first of all. */
  context?(recipe: Recipe): { around: number; priming: number };
  /** How long before its first unit a source is read, where that is longer than usual: what began then may last. */
  prerollSeconds?: number;
  /** The most that a segment of this length can be, in bits, before it is packed. */
  mostBits(rendition: RenditionOf<Kind>, segmentSeconds: number): number;
  /** ffmpeg's output options, without those of the muxer. */
  encoder(
    rendition: RenditionOf<Kind>,
    track: TrackOf<Kind>,
    plan: Pick<Plan, 'grid' | 'recipe'>,
    effort: Effort,
  ): string[];
  /** What making all of it ahead of time takes of one CPU. */
  cpuSeconds(rendition: RenditionOf<Kind>, plan: Pick<Plan, 'grid' | 'recipe' | 'prewarmEffort'>): number;
}

/** Of any kind; methods may be given what is of their own kind only. */
export type AnyCodec = Codec<'video'> | Codec<'audio'> | Codec<'text'>;
