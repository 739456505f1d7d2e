// Which revisions a video has, and the plan of each. A video that commit 8e3bc33 planned has one, under keys of its
// own; it is read from there for as long as it lives.

import { artifactKey, parseArtifactKey, revPrefix } from '../../core/artifacts/artifacts.ts';
import { firstPlanKey, firstReadyKey, planKey, readyKey, revisionsKey } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { READY } from '../../core/records/ready.ts';
import type { ReadyMarker } from '../../core/records/ready.ts';
import { PLAN } from '../../core/records/plan.ts';
import { REVISIONS } from '../../core/records/revisions.ts';
import type { Revisions } from '../../core/records/revisions.ts';
import { successorsOf } from '../../core/plan/succession.ts';
import { readRecord, updateRecord } from '../store.ts';
import type { Store } from '../store.ts';

/** Undefined for a video that is not planned. @throws RecordError */
export async function revisionsOf(id: string, media: Store): Promise<Revisions | undefined> {
  const revisions = await readRecord(media, REVISIONS, revisionsKey(id));
  if (revisions) return revisions;
  const first = await firstPlanOf(id, media);
  return first && onlyRevision(first.rev);
}

export const revsOf = ({ current, next, former }: Revisions): string[] => [
  current,
  ...(next ? [next.rev] : []),
  ...former.map((revision) => revision.rev),
];

export const onlyRevision = (rev: string): Revisions => ({ current: rev, next: null, former: [] });

/**
 * Changes the record as it stands, or as a video's first plan implies it. A record that is gone is that of a deleted
 * video, and is not written again.
 * @throws RecordError
 */
export async function changeRevisions(
  id: string,
  media: Store,
  change: (before: Revisions) => Revisions | undefined,
): Promise<void> {
  const first = await firstPlanOf(id, media);
  await updateRecord(media, REVISIONS, revisionsKey(id), (record) => {
    const before = record ?? (first && onlyRevision(first.rev));
    return before && change(before);
  });
}

/** The plan of a revision; undefined where there is none, or it was swept. @throws RecordError */
export async function planOf(id: string, rev: string, media: Store): Promise<Plan | undefined> {
  const plan = await readRecord(media, PLAN, planKey(id, rev));
  if (plan) return plan;
  const first = await firstPlanOf(id, media);
  return first?.rev === rev ? first : undefined;
}

/** Asked after each artifact is stored: usually without reading the plan. */
export const isPlanned = async (id: string, rev: string, media: Store): Promise<boolean> =>
  Boolean((await media.head(planKey(id, rev))) ?? (await planOf(id, rev, media)));

const firstPlanOf = (id: string, media: Store): Promise<Plan | undefined> =>
  readRecord(media, PLAN, firstPlanKey(id));

/** The plan that viewers who come now are given; undefined for a video that is not planned. @throws RecordError */
export async function currentPlanOf(id: string, media: Store): Promise<Plan | undefined> {
  const revisions = await revisionsOf(id, media);
  return revisions && planOf(id, revisions.current, media);
}

/** Undefined until everything of a revision that is to be made ahead of time exists. @throws RecordError */
export async function readyMarkerOf(id: string, rev: string, media: Store): Promise<ReadyMarker | undefined> {
  const marker = await readRecord(media, READY, readyKey(id, rev));
  if (marker) return marker;
  const first = await readRecord(media, READY, firstReadyKey(id));
  return first && (await firstPlanOf(id, media))?.rev === rev ? first : undefined;
}

/** The artifacts of a revision that are stored, with their sizes in bytes. */
export async function storedArtifacts(
  id: string,
  rev: string,
  media: Store,
): Promise<{ artifact: Artifact; key: string; sizeBytes: number }[]> {
  const found = [];
  for await (const { key, sizeBytes } of media.list(revPrefix(id, rev))) {
    const artifact = parseArtifactKey(key)?.artifact;
    if (artifact) found.push({ artifact, key, sizeBytes });
  }
  return found;
}

/** What `plan` lacks of all that another revision holds. */
export async function missingOf(id: string, plan: Plan, former: Plan, media: Store): Promise<Artifact[]> {
  const [held, own] = await Promise.all([
    storedArtifacts(id, former.rev, media),
    storedArtifacts(id, plan.rev, media),
  ]);
  const keys = new Set(own.map(({ key }) => key));
  const wanted = successorsOf(
    held.map(({ artifact }) => artifact),
    former,
    plan,
  );
  return wanted.filter((artifact) => !keys.has(artifactKey(id, artifact)));
}
