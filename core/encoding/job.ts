// What to encode in one process of ffmpeg, and the pieces that it falls into.

import { renditionNamed, trackOf } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { Rendition, RenditionOf } from '../plan/renditions.ts';
import type { Track, TrackKind, TrackOf } from '../plan/tracks.ts';

/** A run of segments of some renditions, into a folder. */
export interface EncodeJob {
  plan: Plan;
  /** Names of renditions of the plan. */
  renditions: readonly string[];
  /** Segments `from` up to, not including, `to`. */
  from: number;
  to: number;
  sourceUrl: string;
  /** Each rendition's files land in `{directory}/{rendition}/`. */
  directory: string;
  /** For what cannot be decoded: hold the picture before (or after) it, or, where there is none, show black and play silence. */
  rescue?: Rescue;
}

export type Rescue = 'held' | 'blank';

// How far back we look for a picture to hold where a source is damaged.
export const RESCUE_PREROLL_SECONDS = 30;

/** The renditions of a job that are made of one track. */
export interface TrackShare<Kind extends TrackKind = TrackKind> {
  track: TrackOf<Kind>;
  renditions: RenditionOf<Kind>[];
}

/** A filter graph, and its outputs: one for each rendition, in their order. */
export interface TrackGraph {
  graph: string;
  outputs: string[];
}

/** By track, in the plan's order. */
export function sharesOf({ plan, renditions }: Pick<EncodeJob, 'plan' | 'renditions'>): TrackShare[] {
  const shares = new Map<string, { track: Track; renditions: Rendition[] }>();
  for (const { name } of plan.renditions) {
    const rendition = renditions.includes(name) ? renditionNamed(plan, name) : undefined;
    if (!rendition) continue;
    const share = shares.get(rendition.track) ?? { track: trackOf(plan, rendition), renditions: [] };
    share.renditions.push(rendition);
    shares.set(rendition.track, share);
  }
  return [...shares.values()] as TrackShare[];
}
