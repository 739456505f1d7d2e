// What happens when a source has arrived: plan, the opening that a player asks for first, then the prewarm. Where nothing
// is to be made ahead of time, the video is ready with its opening.

import { RequestError, SourceError } from '../core/errors.ts';
import { CURRENT } from '../core/keys.ts';
import type { Artifact } from '../core/keys.ts';
import type { Plan } from '../core/plan.ts';
import { segmentsOf } from '../core/segments.ts';
import { workFor } from '../core/work.ts';
import { derive, refuseSoundless } from './derive.ts';
import { finish } from './finish.ts';
import { currentPlan } from './planning.ts';
import { startWork } from './prewarm.ts';
import type { StartPrewarm } from './prewarm.ts';
import { resumeNext } from './replan.ts';
import { readyMarkerOf, revisionsOf } from './revisions.ts';
import type { World } from './world.ts';

/** Harmless to run twice, late, or after a viewer has done the same. A refused source is stored as such, not thrown. */
export async function ingest(id: string, world: World, startPrewarm: StartPrewarm): Promise<void> {
  try {
    const plan = await currentPlan(id, world);
    const next = (await revisionsOf(id, world.media))?.next;
    if (next) await resumeNext(id, next, world, startPrewarm, new Date());
    await allOf([
      ...openingOf(plan).map((artifact) => derive(id, artifact, world)),
      refuseSoundless(id, plan, world),
    ]).catch(leftToPrewarm);
    if (await readyMarkerOf(id, plan.rev, world.media)) return;
    const work = workFor(id, plan);
    if (work.length === 0) return await finish(id, plan.rev, world, new Date());
    await startWork(id, plan, work, world, startPrewarm);
    // Last, as it wants the same processor as what plays.
    if (plan.stills) await derive(id, { kind: 'poster', rev: CURRENT }, world).catch(leftToPrewarm);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
  }
}

/** The prewarm tries it again, and makes it visible if it cannot be done. */
function leftToPrewarm(error: unknown): void {
  if (error instanceof SourceError || error instanceof RequestError) throw error;
  console.error(error);
}

/** The multivariant playlist, and of the first variant and the sound the playlist and the first segment. */
function openingOf(plan: Plan): Artifact[] {
  const first = plan.video?.renditions.at(-1)?.name;
  const names = [first, plan.audio?.name].filter((name) => name !== undefined);
  return [
    { kind: 'multivariant' },
    ...names.map((rendition) => ({ kind: 'playlist' as const, rev: plan.rev, rendition })),
    ...segmentsOf(plan, names, { from: 0, to: 1 }),
  ];
}

/** Where one finds that the source is to be refused, the others find the video gone: the refusal is what counts. */
async function allOf(parts: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(parts)).filter((part) => part.status === 'rejected');
  const refusal = failed.find(({ reason }) => reason instanceof SourceError) ?? failed[0];
  if (refusal) throw refusal.reason;
}
