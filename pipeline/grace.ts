// The grace time of revisions that are no longer current. It begins when the current one holds everything that they held;
// when it is over they may go.

import {
  firstPlanKey,
  firstReadyKey,
  firstWorkKey,
  keysOfMezzanine,
  planKey,
  readyKey,
  revPrefix,
  revisionErrorKey,
  workKey,
} from '../core/keys.ts';
import { PLAN } from '../core/records/plan.ts';
import type { FormerRevision, Revisions } from '../core/records/revisions.ts';
import { deleteBelow } from './delete-video.ts';
import { changeRevisions, currentPlanOf, missingOf, planOf, revisionsOf } from './revisions.ts';
import { putJson, readRecord } from './store.ts';
import type { Store } from './store.ts';

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
  await changeRevisions(id, media, (before) =>
    before.current === current.rev
      ? {
          ...before,
          former: before.former.map((former) =>
            held.has(former.rev) && former.graceFrom === null
              ? { ...former, graceFrom: now.toISOString() }
              : former,
          ),
        }
      : undefined,
  );
}

export const revsOf = ({ current, next, former }: Revisions): string[] => [
  current,
  ...(next ? [next] : []),
  ...former.map(({ rev }) => rev),
];

/**
 * Removes a revision: its plan first, so that nothing can be made anew. Until nothing else is left, an empty list of work has
 * its name, so the next sweep finds one that was cut off.
 */
export async function sweepRevision(
  id: string,
  { rev, copy }: Pick<FormerRevision, 'rev' | 'copy'>,
  media: Store,
): Promise<void> {
  const first = await readRecord(media, PLAN, firstPlanKey(id));
  const firstRecords = [firstPlanKey(id), firstWorkKey(id), firstReadyKey(id)];
  await putJson(media, workKey(id, rev), []);
  await media.delete([planKey(id, rev), ...(first?.rev === rev ? firstRecords : [])]);
  await deleteBelow(revPrefix(id, rev), media);
  if (copy && !(await isUsed(copy, id, rev, media))) await media.delete(keysOfMezzanine(copy));
  await changeRevisions(id, media, (before) => ({
    ...before,
    next: before.next === rev ? null : before.next,
    former: before.former.filter((former) => former.rev !== rev),
  }));
  await media.delete([workKey(id, rev), readyKey(id, rev), revisionErrorKey(id, rev)]);
}

async function isUsed(copy: string, id: string, exceptRev: string, media: Store): Promise<boolean> {
  const revisions = await revisionsOf(id, media);
  for (const rev of revisions ? revsOf(revisions) : []) {
    if (rev !== exceptRev && (await planOf(id, rev, media))?.source.key === copy) return true;
  }
  return false;
}
