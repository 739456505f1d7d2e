// The grace time of revisions that are no longer current. It begins when the current one holds everything that they held;
// when it is over they are swept.

import {
  VIDEO_RECORDS,
  firstPlanKey,
  firstReadyKey,
  firstWorkKey,
  keysOfMezzanine,
  parseRevisionRecord,
  planKey,
  readyKey,
  revPrefix,
  revisionErrorKey,
  sourceKey,
  workKey,
} from '../core/keys.ts';
import type { Artifact } from '../core/keys.ts';
import { PLAN } from '../core/records/plan.ts';
import type { FormerRevision, Revisions } from '../core/records/revisions.ts';
import { workForArtifacts } from '../core/work.ts';
import { deleteBelow } from './delete-video.ts';
import { rewriteLasting } from './lasting.ts';
import type { StartPrewarm } from './prewarm.ts';
import { startWork } from './prewarm.ts';
import { changeRevisions, currentPlanOf, missingOf, planOf, revisionsOf } from './revisions.ts';
import { readRecord } from './store.ts';
import type { Store } from './store.ts';
import type { World } from './world.ts';

export interface Sweep {
  /** Revisions that are gone now, and those that stay for a while. */
  swept: number;
  kept: number;
  /** Videos of which something could not be read or done; the others are not kept waiting by them. */
  failed: { id: string; message: string }[];
}

type SweepWorld = Pick<World, 'media' | 'uploads'>;

/** Looks at all videos with more than one plan: a listing of the records tells which those are. */
export async function sweepRevisions(
  world: SweepWorld,
  { now, graceSeconds, startPrewarm }: { now: Date; graceSeconds: number; startPrewarm: StartPrewarm },
): Promise<Sweep> {
  const sweep: Sweep = { swept: 0, kept: 0, failed: [] };
  for await (const id of videosWithSeveralPlans(world.media)) {
    try {
      const { swept, kept } = await sweepVideo(id, world, { now, graceSeconds, startPrewarm });
      sweep.swept += swept;
      sweep.kept += kept;
    } catch (error) {
      console.error(`sweep of ${id}:`, error);
      sweep.failed.push({ id, message: (error as Error).message });
    }
  }
  return sweep;
}

/** Keys of one video follow each other in a listing. */
async function* videosWithSeveralPlans(media: Store): AsyncGenerator<string> {
  let [last, plans] = ['', 0];
  for await (const { key } of media.list(VIDEO_RECORDS)) {
    const record = parseRevisionRecord(key);
    if (record?.kind !== 'plan') continue;
    plans = record.id === last ? plans + 1 : 1;
    last = record.id;
    if (plans === 2) yield last;
  }
}

async function sweepVideo(
  id: string,
  world: SweepWorld,
  { now, graceSeconds, startPrewarm }: { now: Date; graceSeconds: number; startPrewarm: StartPrewarm },
): Promise<{ swept: number; kept: number }> {
  const { media } = world;
  await listUnlisted(id, media, now);
  await beginGrace(id, media, now);
  const [revisions, current] = await Promise.all([revisionsOf(id, media), currentPlanOf(id, media)]);
  if (!revisions || !current) return { swept: 0, kept: 0 };
  const missing: Artifact[] = [];
  let swept = 0;
  for (const former of revisions.former) {
    const plan = await planOf(id, former.rev, media);
    // Viewers may have had more of it made since its grace time began.
    const lacking = plan ? await missingOf(id, current, plan, media) : [];
    missing.push(...lacking);
    const endsAt = former.graceFrom ? Date.parse(former.graceFrom) + graceSeconds * 1000 : Infinity;
    if (lacking.length > 0 || now.getTime() < endsAt) continue;
    await sweepRevision(id, former, media);
    swept += 1;
  }
  // Where the source is gone nothing can be made any more, so the former revision stays for good.
  const canMake = current.source.key !== undefined || (await world.uploads.head(sourceKey(id)));
  if (missing.length > 0 && canMake) {
    await startWork(id, current, workForArtifacts(id, current, missing), world, startPrewarm, { again: now });
  }
  return { swept, kept: revisions.former.length - swept };
}

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

/**
 * A plan under its first key, beside a record that does not list it, was made by functions of before there were revisions,
 * which ran beside ours during a deployment or after a rollback. They may have pointed the multivariant playlist to it.
 */
async function listUnlisted(id: string, media: Store, now: Date): Promise<void> {
  const first = await readRecord(media, PLAN, firstPlanKey(id));
  if (!first) return;
  let isNews = false;
  await changeRevisions(id, media, (before) => {
    isNews = !revsOf(before).includes(first.rev);
    const former = {
      ...{ rev: first.rev, supersededAt: now.toISOString(), graceFrom: null },
      copy: first.source.key ?? null,
    };
    return isNews ? { ...before, former: [...before.former, former] } : undefined;
  });
  if (isNews) await rewriteLasting(id, media);
}

const revsOf = ({ current, next, former }: Revisions): string[] => [
  current,
  ...(next ? [next] : []),
  ...former.map(({ rev }) => rev),
];

/** Removes a revision: its plan first, so that nothing can be made anew, and last the word of it. */
export async function sweepRevision(
  id: string,
  { rev, copy }: Pick<FormerRevision, 'rev' | 'copy'>,
  media: Store,
): Promise<void> {
  const first = await readRecord(media, PLAN, firstPlanKey(id));
  await media.delete([planKey(id, rev), ...(first?.rev === rev ? [firstPlanKey(id)] : [])]);
  await deleteBelow(revPrefix(id, rev), media);
  await media.delete([workKey(id, rev), readyKey(id, rev), revisionErrorKey(id, rev)]);
  if (first?.rev === rev) await media.delete([firstWorkKey(id), firstReadyKey(id)]);
  if (copy && !(await isUsed(copy, id, rev, media))) {
    await media.delete(keysOfMezzanine(copy));
  }
  await changeRevisions(id, media, (before) => ({
    ...before,
    next: before.next === rev ? null : before.next,
    former: before.former.filter((former) => former.rev !== rev),
  }));
}

async function isUsed(copy: string, id: string, exceptRev: string, media: Store): Promise<boolean> {
  const revisions = await revisionsOf(id, media);
  for (const rev of revisions ? revsOf(revisions) : []) {
    if (rev !== exceptRev && (await planOf(id, rev, media))?.source.key === copy) return true;
  }
  return false;
}
