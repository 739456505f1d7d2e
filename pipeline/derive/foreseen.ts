// First segments that were made while their video was being planned, kept for whoever asks for them next.

import type { SegmentArtifact } from '../../core/artifacts/artifact.ts';
import { openingRenditions } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { LostPart } from '../../core/records/lost.ts';

export interface ForeseenSegment {
  bytes: Uint8Array;
  rescue?: LostPart['rescue'] | undefined;
}

/** By name of a rendition. A promise is kept with undefined where nothing comes of it. */
export type Opening = ReadonlyMap<string, Promise<ForeseenSegment | undefined>>;

/** For so long what nobody has asked for is kept. */
const KEPT_MS = 60_000;

/** A function that was frozen meanwhile may wait for a connection that is dead. */
const PATIENCE_MS = 30_000;

const inVain = (): Promise<undefined> =>
  new Promise((resolve) => void setTimeout(() => resolve(undefined), PATIENCE_MS).unref());

const foreseen = new Map<string, Promise<ForeseenSegment | undefined>>();
const nameOf = (id: string, { rev, rendition, index }: Omit<SegmentArtifact, 'kind' | 'extension'>): string =>
  `${id} ${rev} ${rendition} ${index}`;

export function keepOpening(id: string, plan: Plan, opening: Opening): void {
  for (const { name: rendition } of openingRenditions(plan)) {
    const made = opening.get(rendition);
    if (!made) continue;
    const name = nameOf(id, { rev: plan.rev, rendition, index: 0 });
    foreseen.set(name, made);
    setTimeout(() => foreseen.delete(name), KEPT_MS).unref();
  }
}

/** A segment that was begun in time; undefined where there is none, or nothing came of it. Each is given away once. */
export async function foreseenSegment(
  id: string,
  segment: SegmentArtifact,
): Promise<ForeseenSegment | undefined> {
  const name = nameOf(id, segment);
  const made = foreseen.get(name);
  foreseen.delete(name);
  return made && Promise.race([made, inVain()]);
}
