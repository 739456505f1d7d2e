// What happens when a source has arrived: plan, the opening that a player asks for first, then the prewarm. Where nothing
// is to be made ahead of time, the video is ready with its opening.

import { RequestError, SourceError } from '../core/errors.ts';
import { readyKey, workKey } from '../core/keys.ts';
import type { Artifact } from '../core/keys.ts';
import type { Plan } from '../core/plan.ts';
import { segmentsOf } from '../core/segments.ts';
import { workFor } from '../core/work.ts';
import { unlessDeleted } from './delete-video.ts';
import { derive, refuseSoundless } from './derive.ts';
import { finish } from './finish.ts';
import { planOf } from './planning.ts';
import { putJson } from './store.ts';
import type { World } from './world.ts';

/** Asks an engine to run the work list at `workKey`. Asking again for a list that is running starts nothing. */
export type StartPrewarm = (video: { id: string; rev: string; workKey: string }) => Promise<void>;

/** Harmless to run twice, late, or after a viewer has done the same. A refused source is stored as such, not thrown. */
export async function ingest(id: string, world: World, startPrewarm: StartPrewarm): Promise<void> {
  try {
    const plan = await planOf(id, world);
    await allOf([
      ...openingOf(plan).map((artifact) => derive(id, artifact, world)),
      refuseSoundless(id, plan, world),
    ]).catch(leftToPrewarm);
    if (await world.media.head(readyKey(id))) return;
    const work = workFor(id, plan);
    if (work.length === 0) return await finish(id, world, new Date());
    await putJson(world.media, workKey(id), work);
    await unlessDeleted(id, world);
    await startPrewarm({ id, rev: plan.rev, workKey: workKey(id) });
    // Last, as it wants the same processor as what plays.
    if (plan.stills) await derive(id, { kind: 'poster', rev: plan.rev }, world).catch(leftToPrewarm);
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
