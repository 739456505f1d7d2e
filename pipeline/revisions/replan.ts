// Plans a video anew, under the present recipe and settings. The revision that viewers have stays the current one until
// everything of the new one exists; then `finish` makes that the current one.

import { isDeepStrictEqual } from 'node:util';
import { RequestError, notFound, sourceGone, sourceReplaced } from '../../core/errors.ts';
import { planKey, revisionErrorKey, sourceKey } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { essenceOf } from '../../core/plan/succession.ts';
import { PLAN } from '../../core/records/plan.ts';
import type { NextRevision, Revisions } from '../../core/records/revisions.ts';
import { workFor, workForArtifacts } from '../../core/work/work.ts';
import { unlessDeleted } from '../life/cleanup.ts';
import { finish } from '../life/finish.ts';
import { formerRevision, sweepRevision } from './grace.ts';
import { derivePlaylists } from '../derive/opening.ts';
import { plannedVideo } from '../derive/planned-video.ts';
import { planSource } from '../life/plan-source.ts';
import { roomIn } from '../prewarm/queue.ts';
import { queueWork } from '../prewarm/queue-work.ts';
import type { Enqueue } from '../prewarm/queue-work.ts';
import {
  changeRevisions,
  currentPlanOf,
  missingOf,
  planOf,
  readyMarkerOf,
  revisionsOf,
} from './revisions.ts';
import { createRecord } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

export interface Replanned {
  id: string;
  /** `unchanged` where the video would be made as it is. */
  outcome: 'planned' | 'unchanged';
  rev: string;
  recipe: string;
}

/**
 * Harmless to run twice: what a revision has already is not made again.
 * @throws RequestError NOT_FOUND, SOURCE_GONE, SOURCE_REPLACED; SourceError where the source would be refused now, in
 *   which case the video stays as it is; RecordError
 */
export async function replan(id: string, world: World, enqueue: Enqueue, now: Date): Promise<Replanned> {
  const { media, uploads } = world;
  const [revisions, source] = await Promise.all([revisionsOf(id, media), uploads.head(sourceKey(id))]);
  const former = revisions && (await planOf(id, revisions.current, media));
  if (!former) throw notFound('such planned video');
  if (!source) throw sourceGone();
  if (former.source.etag !== undefined && former.source.etag !== source.etag) throw sourceReplaced();

  const { plan: made } = await planSource(id, source, world);
  const begun = revisions.next && (await planOf(id, revisions.next.rev, media));
  // What makes the very same keeps the name that it has, by which players know it and pieces of it are stored.
  const known = [former, begun].find(
    (other) => other && isDeepStrictEqual(essenceOf(other), essenceOf(made)),
  );
  const plan = known ?? (await storedPlan(id, made, media));
  const answer = { id, rev: plan.rev, recipe: plan.recipe.name };
  const next = plan === former ? null : plan.rev;
  await setNext(id, next, revisions, media, now);
  await unlessDeleted(id, world);
  const abandoned = revisions.next?.rev;
  // It was never shown to anybody; but one that was to come back may have been, and has its grace time.
  const wasShown = revisions.former.some(({ rev }) => rev === abandoned);
  if (abandoned !== undefined && abandoned !== next && !wasShown) await sweepRevision(id, abandoned, media);
  if (next === null) return { ...answer, outcome: 'unchanged' };

  await complete(id, plan, world, enqueue, now);
  return { ...answer, outcome: 'planned' };
}

/** @throws RecordError where a newer release has stored it, whose lists of work this one could not do */
async function storedPlan(id: string, plan: Plan, media: Store): Promise<Plan> {
  await createRecord(media, PLAN, planKey(id, plan.rev), plan);
  return (await planOf(id, plan.rev, media)) ?? plan;
}

/**
 * Writes which revision is the next one, or that none is. The one so far becomes a former one.
 * @throws RequestError REPLANNED_MEANWHILE
 */
async function setNext(
  id: string,
  rev: string | null,
  seen: Revisions,
  media: Store,
  now: Date,
): Promise<void> {
  if (rev !== null) await media.delete([revisionErrorKey(id, rev)]);
  const abandoned = seen.next && seen.next.rev !== rev ? await planOf(id, seen.next.rev, media) : undefined;
  await changeRevisions(id, media, (before) => {
    const isAsSeen = before.next === null || [rev, seen.next?.rev].includes(before.next.rev);
    const isBeingSwept = before.former.some((former) => former.rev === rev && former.isSwept);
    if (before.current !== seen.current || !isAsSeen || isBeingSwept) throw replannedMeanwhile();
    if ((before.next?.rev ?? null) === rev) return undefined;
    const next = rev === null ? null : { rev, askedAt: now.toISOString() };
    return { ...withoutNext(before, abandoned, now), next };
  });
}

/** Without a next revision: that is a former one, until it is swept. */
export function withoutNext(before: Revisions, plan: Plan | undefined, now: Date): Revisions {
  const { next, former } = before;
  const isListed = next === null || former.some(({ rev }) => rev === next.rev);
  return {
    ...before,
    next: null,
    former: isListed ? former : [...former, formerRevision(next.rev, plan, now)],
  };
}

/**
 * Goes on with a revision that was planned anew and is not complete, after whoever made it was ended. What failed waits
 * for somebody to ask for it again; what is queued is not queued a second time.
 */
export async function resumeNext(
  id: string,
  next: NextRevision,
  world: World,
  enqueue: Enqueue,
  now: Date,
): Promise<void> {
  const { media } = world;
  const plan = await planOf(id, next.rev, media);
  if (!plan || (await media.head(revisionErrorKey(id, next.rev)))) return;
  if (await readyMarkerOf(id, next.rev, media)) return finish(id, next.rev, world, now);
  await complete(id, plan, world, enqueue, now);
}

/**
 * Has everything made that the plan lists and that the revision before holds. Its playlists are stored right away: nobody is to
 * wait for them once it is the current one.
 */
async function complete(id: string, plan: Plan, world: World, enqueue: Enqueue, now: Date): Promise<void> {
  const former = await currentPlanOf(id, world.media);
  const held = former ? await missingOf(id, plan, former, world.media) : [];
  const work = [
    ...workFor(id, plan, await roomIn(world)),
    ...workForArtifacts(id, plan, held.filter(isBeyond)),
  ];
  const unlisted = await derivePlaylists(plannedVideo(id, plan, world));
  if (work.length > 0) return queueWork(id, plan, work, world, enqueue);
  if (unlisted) throw unlisted; // there is no prewarm to leave it to
  await finish(id, plan.rev, world, now);

  function isBeyond(artifact: Artifact): boolean {
    if (artifact.kind === 'segment') return !plan.prewarm.includes(artifact.rendition);
    return artifact.kind === 'thumb' || plan.prewarm.length === 0;
  }
}

const replannedMeanwhile = (): RequestError =>
  new RequestError(
    409,
    'REPLANNED_MEANWHILE',
    'The revisions of this video have changed meanwhile. Try again.',
  );
