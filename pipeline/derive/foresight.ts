// The first segments of a video, begun before its plan is decided. What a source claims of itself mostly turns out to be
// true, and whoever wants to watch it waits for just these; so they are encoded while its end is still being looked at. Where
// the plan that is decided makes the same of the source, what was begun is what it asks for; else it is given up.

import { isDeepStrictEqual } from 'node:util';
import type { SegmentArtifact } from '../../core/artifacts/artifact.ts';
import { openingRenditions } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { essenceOf } from '../../core/plan/succession.ts';
import { withRangeServer } from '../../machine/range-server.ts';
import { sourceOf } from '../source/ranges.ts';
import type { World } from '../world.ts';
import { encode } from './encode.ts';
import type { EncodedSegment } from './encode.ts';

export interface ForeseenSegment extends Pick<EncodedSegment, 'bytes' | 'rescue'> {
  sourceBytesRead: number;
}

export interface Foresight {
  /** @param decided undefined where there will be no plan */
  settle(decided: Plan | undefined): void;
}

/** For so long what nobody has asked for is kept. */
const KEPT_MS = 60_000;

const foreseen = new Map<string, Promise<ForeseenSegment | undefined>>();
const nameOf = (id: string, { rev, rendition, index }: Omit<SegmentArtifact, 'kind' | 'extension'>): string =>
  `${id} ${rev} ${rendition} ${index}`;

/** Begins the first segments of a plan that may become that of a video. */
export function foresee(id: string, claimed: Plan, world: World): Foresight {
  const givenUp = new AbortController();
  const segments = openingRenditions(claimed).map(({ name }) => ({
    rendition: name,
    made: firstSegment(id, claimed, name, world, givenUp.signal),
  }));
  return {
    settle(decided) {
      if (!decided || !makesTheSame(claimed, decided)) return givenUp.abort();
      for (const { rendition, made } of segments) {
        const name = nameOf(id, { rev: decided.rev, rendition, index: 0 });
        foreseen.set(name, made);
        setTimeout(() => foreseen.delete(name), KEPT_MS).unref();
      }
    },
  };
}

/** A segment that was begun in time; undefined where there is none, or nothing came of it. Each is given away once. */
export async function foreseenSegment(
  id: string,
  segment: SegmentArtifact,
): Promise<ForeseenSegment | undefined> {
  const name = nameOf(id, segment);
  const made = foreseen.get(name);
  foreseen.delete(name);
  return made;
}

/** Where keyframes lie changes how work is divided, and no segment. */
const makesTheSame = (claimed: Plan, decided: Plan): boolean =>
  decided.source.kind === claimed.source.kind &&
  isDeepStrictEqual(essenceOf({ ...claimed, source: decided.source }), essenceOf(decided));

/** Never rejects: whatever goes wrong is met again, and told, by whoever makes the segment when it is asked for. */
async function firstSegment(
  id: string,
  plan: Plan,
  rendition: string,
  world: World,
  leave: AbortSignal,
): Promise<ForeseenSegment | undefined> {
  try {
    return await withRangeServer(sourceOf(id, plan.source, world), async ({ url, readBytes, failure }) => {
      const job = { plan, renditions: [rendition], from: 0, to: 1, sourceUrl: url };
      for await (const { bytes, rescue } of encode(job, world.tools, { leave, sourceFailure: failure })) {
        return { bytes, rescue, sourceBytesRead: readBytes() };
      }
      return undefined;
    });
  } catch {
    return undefined;
  }
}
