// The plan of a video, made when first needed: by the upload's event, or by a viewer who is faster than that.

import { RequestError, SourceError, notFound } from '../../core/errors.ts';
import {
  cardKey,
  delayKey,
  errorKey,
  firstPlanKey,
  planKey,
  revisionsKey,
  sourceKey,
} from '../../core/artifacts/keys.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { CARD } from '../../core/records/card.ts';
import { ERROR, isRefusal } from '../../core/records/error.ts';
import { PLAN } from '../../core/records/plan.ts';
import { REVISIONS } from '../../core/records/revisions.ts';
import { durationSeconds } from '../../core/plan/grid.ts';
import { keepOpening } from '../derive/foreseen.ts';
import { requestCleanup, unlessDeleted } from './cleanup.ts';
import { secondsSince } from '../observe.ts';
import {
  currentPlanOf,
  isPlanned,
  onlyRevision,
  readyMarkerOf,
  revisionsOf,
  revsOf,
} from '../revisions/revisions.ts';
import { planSource } from './plan-source.ts';
import type { PlannedUpload } from './plan-source.ts';
import { singleFlight } from '../derive/single-flight.ts';
import { createRecord, readRecord, updateRecord } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

const planning = singleFlight<Plan>();

/**
 * The current plan of a video: the stored one, or one made now and stored. The first writer wins; everyone uses its plan.
 * @throws RequestError NOT_FOUND where nothing was uploaded; SourceError where the source is refused; RecordError
 */
export function currentPlan(id: string, world: World): Promise<Plan> {
  return planning(id, async () => {
    return (await currentPlanOf(id, world.media)) ?? (await asFileStands(() => makePlan(id, world)));
  });
}

/** How often another file may take the place of one while something is done with it. */
const REPLACEMENTS = 3;

/** Does what is done with a file, and once more with the other where one has taken its place meanwhile. */
export async function asFileStands<T>(work: () => Promise<T>): Promise<T> {
  for (let left = REPLACEMENTS; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      const isReplaced = error instanceof RequestError && error.code === 'SOURCE_REPLACED';
      if (!isReplaced || left === 0) throw error;
    }
  }
}

async function makePlan(id: string, world: World): Promise<Plan> {
  const { media, uploads } = world;
  const [refused, card, source] = await Promise.all([
    readRecord(media, ERROR, errorKey(id)),
    readRecord(media, CARD, cardKey(id)),
    uploads.head(sourceKey(id)),
  ]);
  if (isRefusal(refused)) throw new SourceError(refused.code, refused.message);
  // Without a card the id is not ours, or the video was deleted while its upload was under way.
  // What arrives after a deletion would otherwise lie there for ever.
  if (!card && source) await requestCleanup(id, world);
  if (!card || !source) throw notFound('such video');
  let planned: PlannedUpload | undefined;
  try {
    // Not every way to send parts is held to a size beforehand (pipeline/uploads/upload-file.ts).
    if (source.sizeBytes > card.maxBytes) throw new SourceError('TOO_LARGE');
    planned = await planSource(id, source, world, { foresees: true });
    const { plan, sourceBytesRead } = planned;
    keepOpening(id, plan, planned.opening);
    const first = await storeFirst(id, plan, media);
    if (first.rev !== plan.rev) {
      planned.giveUp();
      return first;
    }
    await unlessDeleted(id, world);
    const secondsSinceUpload = secondsSince(source.lastModified);
    world.observe({
      event: 'playable',
      id,
      secondsSinceUpload,
      durationSeconds: durationSeconds(plan.grid),
      source: plan.source,
      sourceBytesRead,
    });
    return plan;
  } catch (error) {
    planned?.giveUp();
    if (error instanceof SourceError) await refuse(id, error, world);
    throw error;
  }
}

/**
 * The plan goes before the record that names it, so whoever finds the name finds the plan. Where the plan of the current
 * revision is lost all the same, this one takes its place. Returns the one that counts.
 */
async function storeFirst(id: string, plan: Plan, media: Store): Promise<Plan> {
  await createRecord(media, PLAN, planKey(id, plan.rev), plan);
  const created = await createRecord(media, REVISIONS, revisionsKey(id), onlyRevision(plan.rev));
  if (created === 'stored') return plan;
  const listed = (await revisionsOf(id, media))?.current;
  const isLost = listed !== undefined && !(await isPlanned(id, listed, media));
  const revisions = await updateRecord(media, REVISIONS, revisionsKey(id), (before) => {
    if (before && !(isLost && before.current === listed)) return undefined;
    return { ...onlyRevision(plan.rev), former: before?.former.filter(({ rev }) => rev !== plan.rev) ?? [] };
  });
  if (!revisions || revisions.current === plan.rev) return plan;
  // Another was faster, with other settings or another file: this plan is nobody's, and nor is its copy.
  if (!revsOf(revisions).includes(plan.rev)) {
    await media.delete([planKey(id, plan.rev)]);
    await requestCleanup(id, { media });
  }
  return (await currentPlanOf(id, media)) ?? plan;
}

/**
 * Stores why a source will never play. What was planned and made before that was known goes, and so does a file that is
 * larger than it may be.
 * @throws RecordError where a newer release has planned it: that knows better
 */
export async function refuse(id: string, { code, message }: SourceError, world: World): Promise<void> {
  const { media } = world;
  const plan = await currentPlanOf(id, media);
  if (plan) await readyMarkerOf(id, plan.rev, media);
  let isNews = false;
  await updateRecord(media, ERROR, errorKey(id), (before) => {
    isNews = !isRefusal(before);
    return isNews ? { code, message } : undefined;
  });
  if (isNews) world.observe({ event: 'refused', id, code });
  // The janitor does what follows as well, should this be cut off.
  await requestCleanup(id, world);
  await media.delete([firstPlanKey(id), revisionsKey(id), delayKey(id)]);
  await unlessDeleted(id, world);
}

/**
 * Makes the copy that a plan reads once more, where it is lost or not whole.
 * @throws SourceError; OutageError
 */
export async function restoreCopy(id: string, { source }: Plan, world: World): Promise<void> {
  if (source.key === undefined) return;
  if ((await world.media.head(source.key))?.sizeBytes === source.sizeBytes) return;
  const upload = await world.uploads.head(sourceKey(id));
  if (upload) await planSource(id, upload, world);
}
