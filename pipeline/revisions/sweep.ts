// The sweep, from time to time, of revisions whose grace time is over. It also finds what nobody else would: a revision
// whose making was never begun, and a plan that functions of an older release have left.

import {
  CARDS,
  VIDEO_RECORDS,
  cardKey,
  firstPlanKey,
  parseCardKey,
  parseRevisionRecord,
  revisionsPrefix,
  sourceKey,
} from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { PLAN } from '../../core/records/plan.ts';
import type { Revisions } from '../../core/records/revisions.ts';
import { workForArtifacts } from '../../core/work/work.ts';
import { requestCleanup } from '../life/cleanup.ts';
import { beginGrace, formerRevision, sweepRevision } from './grace.ts';
import { rewriteLasting } from '../derive/lasting.ts';
import { queueWork } from '../prewarm/queue-work.ts';
import type { Enqueue } from '../prewarm/queue-work.ts';
import { logFailure } from '../observe.ts';
import { resumeNext, withoutNext } from './replan.ts';
import {
  changeRevisions,
  currentPlanOf,
  missingOf,
  planOf,
  readyMarkerOf,
  revisionsOf,
  revsOf,
} from './revisions.ts';
import { readRecord } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

export interface Sweep {
  /** Revisions that are gone now, and those that stay for a while. */
  swept: number;
  kept: number;
  /** Videos of which something could not be read or done; the others are not kept waiting by them. */
  failed: { id: string; message: string }[];
  /** Whether time was up before the last of them. What is swept is out of the way of the next call. */
  isComplete: boolean;
}

export interface SweepOptions {
  now: Date;
  graceSeconds: number;
  enqueue: Enqueue;
  isTimeUp(): boolean;
}

/** Looks at all videos with more than one revision: a listing of the records tells which those are. */
export async function sweepRevisions(world: World, options: SweepOptions): Promise<Sweep> {
  const sweep: Sweep = { swept: 0, kept: 0, failed: [], isComplete: true };
  const visitEach = async (ids: AsyncIterable<string>, visit: (id: string) => Promise<void>) => {
    for await (const id of ids) {
      sweep.isComplete &&= !options.isTimeUp();
      if (!sweep.isComplete) return;
      try {
        await visit(id);
      } catch (error) {
        logFailure(id, error, 'sweep');
        sweep.failed.push({ id, message: (error as Error).message });
      }
    }
  };
  await visitEach(videosWithoutCard(world.media), (id) => requestCleanup(id, world));
  await visitEach(videosWithSeveralRevisions(world.media), async (id) => {
    if (!(await world.media.head(cardKey(id)))) return; // deleted, and may be had back as it was
    const { swept, kept } = await sweepVideo(id, world, options);
    sweep.swept += swept;
    sweep.kept += kept;
  });
  return sweep;
}

/**
 * Records without a card are what is left of a deleted video for which the janitor could not be asked, or by functions of an
 * older release. Both listings are in the
 * order of ids.
 */
export async function* videosWithoutCard(media: Store): AsyncGenerator<string> {
  const cards = media.list(CARDS)[Symbol.asyncIterator]();
  const nextCard = async () => parseCardKey((await cards.next()).value?.key ?? '') ?? END;
  let [card, last] = [await nextCard(), ''];
  for await (const { key } of media.list(VIDEO_RECORDS)) {
    const id = parseRevisionRecord(key)?.id;
    if (!id || id === last) continue;
    last = id;
    while (card < id) card = await nextCard();
    // It may have been written since the listing began.
    if (card !== id && !(await media.head(cardKey(id)))) yield id;
  }
}

/** After every id. */
const END = '~';

/** Keys of one video follow each other in a listing. */
async function* videosWithSeveralRevisions(media: Store): AsyncGenerator<string> {
  let [last, plans, named] = ['', new Set<string>(), new Set<string>()];
  for await (const { key } of media.list(VIDEO_RECORDS)) {
    const record = parseRevisionRecord(key);
    if (!record) continue;
    const { id, rev = '', kind } = record;
    if (id !== last) {
      if (plans.size > 1 || named.size > 1) yield last;
      [last, plans, named] = [id, new Set(), new Set()];
    }
    if (kind === 'plan') plans.add(rev);
    // A sweep that was cut off has removed the plan, and left another record.
    if (rev) named.add(rev);
  }
  if (plans.size > 1 || named.size > 1) yield last;
}

async function sweepVideo(
  id: string,
  world: World,
  { now, graceSeconds, enqueue }: SweepOptions,
): Promise<{ swept: number; kept: number }> {
  const { media } = world;
  await listUnlisted(id, media, now);
  await beginGrace(id, media, now);
  const [revisions, current] = await Promise.all([revisionsOf(id, media), currentPlanOf(id, media)]);
  if (!revisions || !current) return { swept: 0, kept: 0 };
  await lookAfterNext(id, revisions, world, { now, enqueue });

  const isInGrace = (graceFrom: string | null) =>
    graceFrom !== null && now.getTime() < Date.parse(graceFrom) + graceSeconds * 1000;
  const missing: Artifact[] = [];
  const over: string[] = [];
  for (const { rev, graceFrom, isSwept } of revisions.former) {
    if (isInGrace(graceFrom) && !isSwept) continue;
    const plan = isSwept ? undefined : await planOf(id, rev, media);
    // Viewers may have had more of it made since its grace time began.
    const lacking = plan ? await missingOf(id, current, plan, media) : [];
    missing.push(...lacking);
    if (isSwept || (lacking.length === 0 && graceFrom !== null)) over.push(rev);
  }
  // Whoever last changed the current revision may have been ended before the multivariant playlist said so.
  if (over.length > 0) await rewriteLasting(id, media);
  let swept = 0;
  for (const rev of over) if (await sweepRevision(id, rev, media)) swept += 1;
  // Where the source is gone the former revision stays for good.
  if (missing.length > 0 && (await canRead(id, current, world))) {
    await queueWork(id, current, workForArtifacts(id, current, missing), world, enqueue);
  }
  return { swept, kept: revisions.former.length - swept };
}

/** A next revision goes on where nobody has begun it, and is given up where nothing can be made of the source any more. */
async function lookAfterNext(
  id: string,
  { next, former }: Revisions,
  world: World,
  { now, enqueue }: Pick<SweepOptions, 'now' | 'enqueue'>,
): Promise<void> {
  if (!next) return;
  const plan = await planOf(id, next.rev, world.media);
  if (plan && (await canRead(id, plan, world))) return resumeNext(id, next, world, enqueue, now);
  await changeRevisions(id, world.media, (before) =>
    before.next?.rev === next.rev ? withoutNext(before, plan, now) : undefined,
  );
  // One that was to come back has been shown, and may hold what nothing can be made of any more: it has its grace time.
  if (!former.some(({ rev }) => rev === next.rev)) await sweepRevision(id, next.rev, world.media);
}

const canRead = async (id: string, { source }: Plan, { uploads }: World): Promise<boolean> =>
  source.key !== undefined || (await uploads.head(sourceKey(id))) !== undefined;

/**
 * Revisions that have records and are not listed. A plan under its first key was made by functions of before there were
 * revisions, which ran beside ours during a deployment or after a rollback, and may have pointed the multivariant
 * playlist to it. Others are left by functions of ours that were ended half-way.
 */
async function listUnlisted(id: string, media: Store, now: Date): Promise<void> {
  const complete = await completeInstead(id, media);
  const recorded = await recordedRevisions(id, media);
  let isNews = false;
  await changeRevisions(id, media, (before) => {
    const unlisted = [...recorded].filter(([rev]) => !revsOf(before).includes(rev));
    isNews = unlisted.length > 0;
    if (!isNews) return undefined;
    const former = (except?: string) =>
      unlisted.filter(([rev]) => rev !== except).map(([rev, plan]) => formerRevision(rev, plan, now));
    // Where that plan has been completed and ours has not, it is what viewers have, and ours is to follow.
    return complete?.instead === before.current && before.next === null
      ? {
          current: complete.rev,
          next: { rev: before.current, askedAt: now.toISOString() },
          former: [...before.former, ...former(complete.rev)],
        }
      : { ...before, former: [...before.former, ...former()] };
  });
  if (isNews) await rewriteLasting(id, media);
}

/** A plan under its first key that is complete and not listed, where the current one is not complete. */
async function completeInstead(
  id: string,
  media: Store,
): Promise<{ rev: string; instead: string } | undefined> {
  const [first, revisions] = await Promise.all([
    readRecord(media, PLAN, firstPlanKey(id)),
    revisionsOf(id, media),
  ]);
  if (!first || !revisions || revsOf(revisions).includes(first.rev)) return undefined;
  if (!(await readyMarkerOf(id, first.rev, media))) return undefined;
  const { rev } = first;
  const instead = revisions.current;
  return (await readyMarkerOf(id, instead, media)) ? undefined : { rev, instead };
}

/** With their plans, as far as they have one. @throws RecordError */
async function recordedRevisions(id: string, media: Store): Promise<Map<string, Plan | undefined>> {
  const revs = new Set<string>();
  for await (const { key } of media.list(revisionsPrefix(id))) {
    const rev = parseRevisionRecord(key)?.rev;
    if (rev) revs.add(rev);
  }
  const first = await readRecord(media, PLAN, firstPlanKey(id));
  if (first) revs.add(first.rev);
  const found = new Map<string, Plan | undefined>();
  for (const rev of revs) found.set(rev, await planOf(id, rev, media));
  return found;
}
