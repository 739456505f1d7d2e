// The plan: everything decided about a video before anything is encoded. Every playlist, every segment and every time
// stamp follows from it by integer arithmetic.

import { valueOf } from '../fraction.ts';
import type { Notice } from '../notices.ts';
import type { Recipe } from '../recipes/recipe.ts';
import type { MezzanineReason } from '../source/seekability.ts';
import type { Grid } from './grid.ts';
import type { Rendition, RenditionOf, VideoRendition } from './renditions.ts';
import type { StillsPlan } from './stills.ts';
import type { Track, TrackKind, TrackOf } from './tracks.ts';

export interface Plan {
  /**
   * Short hash of decisions and recipe: part of every key, so that segments of two plans never mix. Stored, and never
   * computed anew: a plan that is migrated when it is read keeps its URLs.
   */
  rev: string;
  /** How all that is decided below is made. */
  recipe: Recipe;
  source: PlannedSource;
  grid: Grid;
  /** Of the source, what is shown and what could be. */
  tracks: Track[];
  /** What players are offered: the highest rung first, then sound, then text; of each what is for cellular lines last. */
  renditions: Rendition[];
  /** Null where there is only sound. */
  stills: StillsPlan | null;
  /** What the renditions lack of the source, as far as that is known before anything is encoded. */
  notices: Notice[];
  /** Names of the renditions to make ahead of time. The others are made when first watched. */
  prewarm: string[];
  /** How what is made ahead of time is encoded. What somebody waits for is always made quickly. */
  prewarmEffort: Effort;
}

/** For the same picture, `thorough` takes more CPU time than `quick` and fewer bits. Either makes a segment that is right. */
export const EFFORTS = ['thorough', 'quick'] as const;
export type Effort = (typeof EFFORTS)[number];

/** What segments are cut from. */
export interface PlannedSource {
  /** The file as it was sent, or the copy of it that has an index. */
  kind: 'upload' | 'mezzanine';
  /** Of a copy: where it is stored, and why there is one. */
  key?: string;
  reason?: MezzanineReason;
  sizeBytes: number;
  /** Of the file as it was sent: only what has it is read. Copies made before commit 2661e34 do not know it. */
  etag?: string;
  /** How far apart its keyframes are, as far as that is known. */
  keyframeSeconds: number;
}

/** The track of a rendition. */
export function trackOf<Kind extends TrackKind>(
  { tracks }: Pick<Plan, 'tracks'>,
  { name, track }: Pick<RenditionOf<Kind>, 'name' | 'track'>,
): TrackOf<Kind> {
  const found = tracks.find(({ id }) => id === track);
  if (!found) throw new Error(`${name} is of a track that is not in the plan: ${track}`);
  return found as TrackOf<Kind>;
}

/** In the plan's order. */
export const renditionsOf = <Kind extends TrackKind>(
  { renditions }: Pick<Plan, 'renditions'>,
  kind: Kind,
): RenditionOf<Kind>[] =>
  renditions.filter((rendition): rendition is RenditionOf<Kind> => rendition.kind === kind);

/** The track that is shown of a kind, and first where there are several; undefined where there is none. */
export function mainTrack<Kind extends TrackKind>(
  plan: Pick<Plan, 'tracks' | 'renditions'>,
  kind: Kind,
): TrackOf<Kind> | undefined {
  const [first] = renditionsOf(plan, kind);
  return first && trackOf<Kind>(plan, first);
}

/** What players begin with: the lowest rung that is not for cellular lines, as it is the quickest to make, and the sound. */
export const openingRenditions = (plan: Pick<Plan, 'renditions'>): Rendition[] =>
  [usualRungs(plan).at(-1), renditionsOf(plan, 'audio')[0]].filter((rendition) => rendition !== undefined);

/** The rungs of the ladder, without the one for cellular lines. */
export const usualRungs = (plan: Pick<Plan, 'renditions'>): VideoRendition[] =>
  renditionsOf(plan, 'video').filter(isUsual);

export const isUsual = ({ isCellular }: Rendition): boolean => !isCellular;

export const renditionNames = ({ renditions }: Pick<Plan, 'renditions'>): string[] =>
  renditions.map(({ name }) => name);

export const renditionNamed = (
  { renditions }: Pick<Plan, 'renditions'>,
  name: string,
): Rendition | undefined => renditions.find((rendition) => rendition.name === name);

/** The grid's time zero, in seconds of the source's own time stamps, as its picture (or else its sound) counts them. */
export function originSeconds(plan: Pick<Plan, 'tracks' | 'renditions'>): number {
  const [video, audio] = [mainTrack(plan, 'video'), mainTrack(plan, 'audio')];
  return video ? video.originPts * valueOf(video.timeBase) : audio!.originSample / audio!.sourceRate;
}
