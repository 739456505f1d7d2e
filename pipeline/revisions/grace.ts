// The grace time of revisions that are no longer current. It begins when the current one holds everything that they held;
// when it is over they may go.

import {
  firstPlanKey,
  firstReadyKey,
  firstWorkKey,
  keysOfMezzanine,
  lostPrefix,
  planKey,
  readyKey,
  revisionErrorKey,
  workKey,
} from '../../core/artifacts/keys.ts';
import { revPrefix } from '../../core/artifacts/artifacts.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { PLAN } from '../../core/records/plan.ts';
import type { FormerRevision, Revisions } from '../../core/records/revisions.ts';
import { changeRevisions, currentPlanOf, missingOf, planOf, revisionsOf, revsOf } from './revisions.ts';
import { deleteBelow, putJson, readRecord } from '../store.ts';
import type { Store } from '../store.ts';

/** Begins the grace time of each former revision of which the current one holds everything. */
export async function beginGrace(id: string, media: Store, now: Date): Promise<void> {
  const revisions = await revisionsOf(id, media);
  const waiting = revisions?.former.filter(({ graceFrom }) => graceFrom === null) ?? [];
  const current = waiting.length > 0 ? await currentPlanOf(id, media) : undefined;
  if (!current) return;
  const held = new Set<string>();
  for (const { rev } of waiting) {
    const plan = await planOf(id, rev, media);
    if (!plan || (await missingOf(id, current, plan, media)).length === 0) held.add(rev);
  }
  if (held.size === 0) return;
  const graceFrom = now.toISOString();
  await changeRevisions(id, media, (before) => {
    if (before.current !== current.rev) return undefined;
    const begun = before.former.filter((former) => held.has(former.rev) && former.graceFrom === null);
    return begun.reduce((after, { rev }) => withFormer(after, rev, { graceFrom }), before);
  });
}

/** How a revision that has been the current or the next one is listed from then on. */
export const formerRevision = (rev: string, plan: Plan | undefined, now: Date): FormerRevision => ({
  ...{ rev, supersededAt: now.toISOString(), graceFrom: null },
  ...{ copy: plan?.source.key ?? null, isSwept: false },
});

/**
 * Removes a former revision: its plan first, so that nothing can be made anew. From the first write to the last the record
 * says so, so whoever is cut off is followed by another, and nobody plans back to it meanwhile. Until nothing else is left, an
 * empty list of work has its name: the sweep finds videos by what is recorded of them.
 * @returns whether it was removed: not where it is the current or the next one by now
 */
export async function sweepRevision(id: string, rev: string, media: Store): Promise<boolean> {
  let swept: FormerRevision | undefined;
  await changeRevisions(id, media, (before) => {
    const isFormer = before.current !== rev && before.next?.rev !== rev;
    swept = isFormer ? before.former.find((former) => former.rev === rev) : undefined;
    return swept && withFormer(before, rev, { isSwept: true });
  });
  if (!swept) return false;
  const { copy } = swept;
  const first = await readRecord(media, PLAN, firstPlanKey(id));
  const firstRecords = [firstPlanKey(id), firstWorkKey(id), firstReadyKey(id)];
  await putJson(media, workKey(id, rev), []);
  await media.delete([planKey(id, rev), ...(first?.rev === rev ? firstRecords : [])]);
  await deleteBelow(revPrefix(id, rev), media);
  await deleteBelow(lostPrefix(id, rev), media);
  if (copy && !(await isUsed(copy, id, rev, media))) await media.delete(keysOfMezzanine(copy));
  await changeRevisions(id, media, (before) => ({
    ...before,
    former: before.former.filter((former) => former.rev !== rev),
  }));
  await media.delete([workKey(id, rev), readyKey(id, rev), revisionErrorKey(id, rev)]);
  return true;
}

const withFormer = (before: Revisions, rev: string, change: Partial<FormerRevision>): Revisions => ({
  ...before,
  former: before.former.map((former) => (former.rev === rev ? { ...former, ...change } : former)),
});

async function isUsed(copy: string, id: string, exceptRev: string, media: Store): Promise<boolean> {
  const revisions = await revisionsOf(id, media);
  for (const rev of revisions ? revsOf(revisions) : []) {
    if (rev !== exceptRev && (await planOf(id, rev, media))?.source.key === copy) return true;
  }
  return false;
}
