// Plans a video anew, under the present recipe and settings. The revision that viewers have stays the current one until
// everything of the new one exists; then `finish` makes that the current one.

import { RequestError, notFound, sourceGone, sourceReplaced } from '../core/errors.ts';
import { planKey, revisionErrorKey, sourceKey, workKey } from '../core/keys.ts';
import type { Artifact } from '../core/keys.ts';
import type { Plan } from '../core/plan.ts';
import { PLAN } from '../core/records/plan.ts';
import type { Revisions } from '../core/records/revisions.ts';
import { workFor, workForArtifacts } from '../core/work.ts';
import { unlessDeleted } from './delete-video.ts';
import { finish } from './finish.ts';
import { formerRevision, sweepRevision } from './grace.ts';
import { planSource } from './planning.ts';
import { startWork } from './prewarm.ts';
import type { PrewarmRequest, StartPrewarm } from './prewarm.ts';
import {
  changeRevisions,
  currentPlanOf,
  missingOf,
  planOf,
  readyMarkerOf,
  revisionsOf,
} from './revisions.ts';
import { createRecord } from './store.ts';
import type { Store } from './store.ts';
import type { World } from './world.ts';

export interface Replanned {
  id: string;
  /** `unchanged` where the present recipe makes the very same. */
  outcome: 'planned' | 'unchanged';
  rev: string;
  recipe: string;
}

/**
 * Harmless to run twice: what a revision has already is not made again.
 * @throws RequestError NOT_FOUND, SOURCE_GONE, SOURCE_REPLACED; SourceError where the source would be refused now, in which
 *   case the video stays as it is; RecordError
 */
export async function replan(
  id: string,
  world: World,
  startPrewarm: StartPrewarm,
  now: Date,
): Promise<Replanned> {
  const { media, uploads } = world;
  const [revisions, source] = await Promise.all([revisionsOf(id, media), uploads.head(sourceKey(id))]);
  const former = revisions && (await planOf(id, revisions.current, media));
  if (!former) throw notFound('such planned video');
  if (!source) throw sourceGone();
  if (former.source.etag !== undefined && former.source.etag !== source.etag) throw sourceReplaced();

  const { plan } = await planSource(id, source, world);
  const answer = { id, rev: plan.rev, recipe: plan.recipe.name };
  const next = plan.rev === former.rev ? null : plan.rev;
  if (next && (await createRecord(media, PLAN, planKey(id, next), plan)) === 'exists') {
    // Throws where a newer release stored it, whose lists of work this one could not do.
    await planOf(id, next, media);
  }
  const abandoned = revisions.next === next ? null : revisions.next;
  const abandonedPlan = abandoned === null ? undefined : await planOf(id, abandoned, media);
  await changeRevisions(id, media, (before) => {
    // Somebody else has been at it meanwhile.
    if (before.current !== former.rev || ![null, next, revisions.next].includes(before.next)) {
      throw replannedMeanwhile();
    }
    if (before.former.some(({ rev, isSwept }) => rev === next && isSwept)) throw replannedMeanwhile();
    return before.next === next ? undefined : { ...withoutNext(before, abandonedPlan, now), next };
  });
  await unlessDeleted(id, world);
  // It was never shown to anybody; but one that was to come back may have been, and has its grace time.
  const wasShown = revisions.former.some(({ rev }) => rev === abandoned);
  if (abandoned !== null && !wasShown) await sweepRevision(id, abandoned, media);
  if (!next) return { ...answer, outcome: 'unchanged' };

  await complete(id, plan, world, startPrewarm, {
    again: await startedBefore(id, plan, revisions, media, now),
  });
  return { ...answer, outcome: 'planned' };
}

/** How long an engine may be at a list before somebody who asks for it again is to have it begun again. */
const LONGEST_RUN_MS = 24 * 3600 * 1000;

/**
 * When a list has to be started although one of this revision was started before: it failed, it began long ago, or the
 * revision has been the current one in its time.
 */
async function startedBefore(
  id: string,
  { rev }: Plan,
  before: Revisions,
  media: Store,
  now: Date,
): Promise<Date | undefined> {
  if (before.former.some((former) => former.rev === rev)) return now;
  if (await media.head(revisionErrorKey(id, rev))) return now;
  const list = await media.head(workKey(id, rev));
  return list && now.getTime() - list.lastModified.getTime() > LONGEST_RUN_MS ? now : undefined;
}

/** Without a next revision: that is a former one, until it is swept. */
export function withoutNext(before: Revisions, plan: Plan | undefined, now: Date): Revisions {
  const { next, former } = before;
  const isListed = next === null || former.some(({ rev }) => rev === next);
  return { ...before, next: null, former: isListed ? former : [...former, formerRevision(next, plan, now)] };
}

/**
 * Goes on with a revision that was planned anew and is not complete, after whoever made it was ended. What failed waits for
 * somebody to ask for it again; what an engine is at is not begun a second time.
 */
export async function resumeNext(
  id: string,
  next: string,
  world: World,
  startPrewarm: StartPrewarm,
  now: Date,
): Promise<void> {
  const { media } = world;
  const plan = await planOf(id, next, media);
  if (!plan || (await media.head(revisionErrorKey(id, next)))) return;
  if (await readyMarkerOf(id, next, media)) return finish(id, next, world, now);
  await complete(id, plan, world, startPrewarm, {});
}

/** Has everything made that the plan lists and that the revision before holds. */
async function complete(
  id: string,
  plan: Plan,
  world: World,
  startPrewarm: StartPrewarm,
  { again }: Pick<PrewarmRequest, 'again'>,
): Promise<void> {
  const former = await currentPlanOf(id, world.media);
  const held = former ? await missingOf(id, plan, former, world.media) : [];
  const work = [...workFor(id, plan), ...workForArtifacts(id, plan, held.filter(isBeyond))];
  if (work.length > 0) await startWork(id, plan, work, world, startPrewarm, { again });
  else await finish(id, plan.rev, world, again ?? new Date());

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
