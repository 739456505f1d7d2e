// The sweep, from time to time, of revisions whose grace time is over. It also finds what nobody else would: a revision whose
// making was never begun, and a plan that functions of an older release have left.

import {
  VIDEO_RECORDS,
  firstPlanKey,
  parseRevisionRecord,
  revisionsPrefix,
  sourceKey,
} from '../core/keys.ts';
import type { Artifact } from '../core/keys.ts';
import type { Plan } from '../core/plan.ts';
import { PLAN } from '../core/records/plan.ts';
import { workForArtifacts } from '../core/work.ts';
import { beginGrace, revsOf, sweepRevision } from './grace.ts';
import { rewriteLasting } from './lasting.ts';
import { startWork } from './prewarm.ts';
import type { StartPrewarm } from './prewarm.ts';
import { resumeNext } from './replan.ts';
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
  /** Whether time was up before the last of them. What is swept is out of the way of the next call. */
  isComplete: boolean;
}

export interface SweepOptions {
  now: Date;
  graceSeconds: number;
  startPrewarm: StartPrewarm;
  isTimeUp(): boolean;
}

/** Looks at all videos with more than one revision: a listing of the records tells which those are. */
export async function sweepRevisions(world: World, options: SweepOptions): Promise<Sweep> {
  const sweep: Sweep = { swept: 0, kept: 0, failed: [], isComplete: true };
  for await (const id of videosWithSeveralRevisions(world.media)) {
    if (options.isTimeUp()) return { ...sweep, isComplete: false };
    try {
      const { swept, kept } = await sweepVideo(id, world, options);
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
  { now, graceSeconds, startPrewarm }: SweepOptions,
): Promise<{ swept: number; kept: number }> {
  const { media } = world;
  await listUnlisted(id, media, now);
  await beginGrace(id, media, now);
  const [revisions, current] = await Promise.all([revisionsOf(id, media), currentPlanOf(id, media)]);
  if (!revisions || !current) return { swept: 0, kept: 0 };
  // Starts nothing where its list has been started before.
  if (revisions.next) await resumeNext(id, revisions.next, world, startPrewarm);

  const isInGrace = (graceFrom: string | null) =>
    graceFrom !== null && now.getTime() < Date.parse(graceFrom) + graceSeconds * 1000;
  const missing: Artifact[] = [];
  let swept = 0;
  for (const former of revisions.former) {
    if (isInGrace(former.graceFrom)) continue;
    const plan = await planOf(id, former.rev, media);
    // Viewers may have had more of it made since its grace time began.
    const lacking = plan ? await missingOf(id, current, plan, media) : [];
    missing.push(...lacking);
    if (lacking.length > 0 || former.graceFrom === null) continue;
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

/**
 * Revisions that have records and are not listed. A plan under its first key was made by functions of before there were
 * revisions, which ran beside ours during a deployment or after a rollback, and may have pointed the multivariant playlist to
 * it. Others are left by functions of ours that were ended half-way.
 */
async function listUnlisted(id: string, media: Store, now: Date): Promise<void> {
  const recorded = await recordedRevisions(id, media);
  let isNews = false;
  await changeRevisions(id, media, (before) => {
    const listed = revsOf(before);
    const unlisted = [...recorded].filter(([rev]) => !listed.includes(rev));
    isNews = unlisted.length > 0;
    const former = unlisted.map(([rev, plan]) => ({
      ...{ rev, supersededAt: now.toISOString(), graceFrom: null },
      copy: plan?.source.key ?? null,
    }));
    return isNews ? { ...before, former: [...before.former, ...former] } : undefined;
  });
  if (isNews) await rewriteLasting(id, media);
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
