// Plans a video anew, under the present recipe and settings. The revision that viewers have stays the current one until
// everything of the new one exists; then `finish` makes that the current one.

import { RequestError, notFound, sourceGone, sourceReplaced } from '../core/errors.ts';
import { planKey, sourceKey } from '../core/keys.ts';
import type { Artifact } from '../core/keys.ts';
import type { Plan } from '../core/plan.ts';
import { PLAN } from '../core/records/plan.ts';
import type { FormerRevision, Revisions } from '../core/records/revisions.ts';
import { workFor, workForArtifacts } from '../core/work.ts';
import { unlessDeleted } from './delete-video.ts';
import { finish } from './finish.ts';
import { sweepRevision } from './grace.ts';
import { planSource } from './planning.ts';
import { startWork } from './prewarm.ts';
import type { PrewarmRequest, StartPrewarm } from './prewarm.ts';
import { changeRevisions, missingOf, planOf, readyMarkerOf, revisionsOf } from './revisions.ts';
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
  const abandoned = await abandonedBy(id, next, revisions, media, now);
  await changeRevisions(id, media, (before) => {
    // Somebody else has been at it meanwhile.
    if (before.current !== former.rev || ![null, next, revisions.next].includes(before.next)) {
      throw replannedMeanwhile();
    }
    return before.next === next ? undefined : withNext(before, next, abandoned);
  });
  await unlessDeleted(id, world);
  if (abandoned) await sweepRevision(id, abandoned, media);
  if (!next) return { ...answer, outcome: 'unchanged' };

  await complete(id, plan, former, world, startPrewarm, { again: now });
  return { ...answer, outcome: 'planned' };
}

/** Goes on with a revision that was planned anew and is not complete, after whoever made it was ended. */
export async function resumeNext(
  id: string,
  next: string,
  world: World,
  startPrewarm: StartPrewarm,
): Promise<void> {
  const plan = await planOf(id, next, world.media);
  if (!plan || (await readyMarkerOf(id, next, world.media))) return;
  const revisions = await revisionsOf(id, world.media);
  const former = revisions && (await planOf(id, revisions.current, world.media));
  await complete(id, plan, former, world, startPrewarm, {});
}

/** Has everything made that the plan lists and that the revision before holds. */
async function complete(
  id: string,
  plan: Plan,
  former: Plan | undefined,
  world: World,
  startPrewarm: StartPrewarm,
  { again }: Pick<PrewarmRequest, 'again'>,
): Promise<void> {
  const held = former ? await missingOf(id, plan, former, world.media) : [];
  const work = [...workFor(id, plan), ...workForArtifacts(id, plan, held.filter(isBeyond))];
  if (work.length > 0) await startWork(id, plan, work, world, startPrewarm, { again });
  else await finish(id, plan.rev, world, again ?? new Date());

  function isBeyond(artifact: Artifact): boolean {
    if (artifact.kind === 'segment') return !plan.prewarm.includes(artifact.rendition);
    return artifact.kind === 'thumb' || plan.prewarm.length === 0;
  }
}

/** The next revision so far, where another takes its place, or none. */
async function abandonedBy(
  id: string,
  next: string | null,
  revisions: Revisions,
  media: Store,
  now: Date,
): Promise<FormerRevision | undefined> {
  const rev = revisions.next;
  if (rev === null || rev === next) return undefined;
  const copy = (await planOf(id, rev, media))?.source.key ?? null;
  return { rev, supersededAt: now.toISOString(), graceFrom: null, copy };
}

/**
 * A revision that was a former one comes back where the recipe was changed back. One that is abandoned is a former one until
 * it is swept.
 */
const withNext = (
  { current, former }: Revisions,
  next: string | null,
  abandoned: FormerRevision | undefined,
): Revisions => ({
  ...{ current, next },
  former: [
    ...former.filter(({ rev }) => rev !== next && rev !== abandoned?.rev),
    ...(abandoned ? [abandoned] : []),
  ],
});

const replannedMeanwhile = (): RequestError =>
  new RequestError(
    409,
    'REPLANNED_MEANWHILE',
    'Another revision became the current one meanwhile. Try again.',
  );
