// What to encode in one process of ffmpeg, and the pieces that it falls into.

import { codecOf } from '../formats/formats.ts';
import { renditionNamed, trackOf } from '../plan/plan.ts';
import type { Effort, Plan } from '../plan/plan.ts';
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
  /** @default 'quick', as somebody waits for it */
  effort?: Effort;
  /** Each rendition's files land in `{directory}/{rendition}/`. */
  directory: string;
  /** For what cannot be decoded: hold the picture before (or after) it, or, where there is none, show black and play silence. */
  rescue?: Rescue;
  /** Of a job of one track of sound: the file that holds it at one rate and in one layout, where the source's change. */
  levelled?: string;
}

export type Rescue = 'held' | 'blank';

// Decoding starts this much early, so that whatever frame is on screen at the first cut has been decoded.
const PREROLL_SECONDS = 1;

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

/** What reading has to begin before its first unit. */
export const prerollSeconds = (job: Pick<EncodeJob, 'plan' | 'renditions'>): number =>
  Math.max(...sharesOf(job).flatMap(({ renditions }) => renditions.map(prerollOf)));

const prerollOf = (rendition: Rendition): number => codecOf(rendition).prerollSeconds ?? PREROLL_SECONDS;

/**
 * The job's processes: what begins to read earlier has one of its own, as all else would be decoded from there on. So has
 * text, since ffmpeg reads on until it has seen a line after the last one wanted.
 */
export function processesOf(job: EncodeJob): EncodeJob[] {
  const processes = new Map<string, string[]>();
  for (const { track, renditions } of sharesOf(job)) {
    for (const rendition of renditions) {
      const key = `${track.kind === 'text' ? 'text' : 'decoded'} ${prerollOf(rendition)}`;
      processes.set(key, [...(processes.get(key) ?? []), rendition.name]);
    }
  }
  return [...processes.values()].map((renditions) => ({ ...job, renditions }));
}
