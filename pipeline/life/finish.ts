// When all that is to be made ahead of time of a revision exists: it becomes the current one, if it is not; bit rates are
// measured into the multivariant playlist; and the ready marker is written.

import { isDeepStrictEqual } from 'node:util';
import { notFound } from '../../core/errors.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import { delayKey, errorKey, readyKey, revisionErrorKey, sourceKey } from '../../core/artifacts/keys.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { READY } from '../../core/records/ready.ts';
import type { ReadyMarker } from '../../core/records/ready.ts';
import type { Revisions } from '../../core/records/revisions.ts';
import { peakBps } from '../../core/plan/bandwidth.ts';
import { durationSeconds } from '../../core/plan/grid.ts';
import { segmentSeconds, segmentsOf } from '../../core/plan/segments.ts';
import { prewarmedArtifacts } from '../../core/work/work.ts';
import { unlessDeleted } from './cleanup.ts';
import { beginGrace, formerRevision } from '../revisions/grace.ts';
import { rewriteLasting } from '../derive/lasting.ts';
import { sumUpLost } from '../derive/lost.ts';
import { secondsSince } from '../observe.ts';
import {
  changeRevisions,
  isPlanned,
  planOf,
  readyMarkerOf,
  revisionsOf,
  storedArtifacts,
} from '../revisions/revisions.ts';
import { updateRecord } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

/** Something of a revision that should all be there is not, or is empty. */
export class IncompleteError extends Error {
  override name = 'IncompleteError';
  /** At least one. */
  readonly missing: readonly Artifact[];
  constructor(id: string, missing: readonly Artifact[]) {
    const first = artifactKey(id, missing[0]!);
    const others = missing.length > 1 ? `, and ${missing.length - 1} more` : '';
    super(`finish of ${id}: ${first} is missing${others}`);
    this.missing = missing;
  }
}

/**
 * Harmless to run twice.
 * @throws IncompleteError; RequestError NOT_FOUND where there is no plan (any more)
 */
export async function finish(
  id: string,
  rev: string,
  world: Pick<World, 'media' | 'uploads' | 'observe'>,
  now: Date,
): Promise<void> {
  const { media } = world;
  const before = await revisionsOf(id, media);
  const plan = before && (await planOf(id, rev, media));
  if (!plan) throw notFound('such video');
  let marker = await measured(id, plan, media, now);
  const wasReady = await readyMarkerOf(id, plan.rev, media);

  const mark = async () => {
    await updateRecord(media, READY, readyKey(id, plan.rev), (former) => ({
      ...marker,
      notices: former?.notices ?? [],
    }));
    await sumUpLost(id, plan, media);
  };
  // A next revision is ready before it becomes the current one, as the video is ready all the time.
  if (before.next?.rev === plan.rev) await mark();
  const last = await planOf(id, before.current, media);
  await changeRevisions(id, media, (revisions) => succeeded(revisions, plan.rev, last, now));
  const isCurrent = (await revisionsOf(id, media))?.current === plan.rev;
  if (isCurrent) await rewriteLasting(id, media, { rev: plan.rev, bitrates: marker.bitrates });
  // And a first one is when its playlist has been measured.
  if (before.next?.rev !== plan.rev) await mark();
  if (!(await isPlanned(id, plan.rev, media))) {
    await media.delete([readyKey(id, plan.rev)]);
    throw notFound('such revision');
  }
  const isAwaited = (await revisionsOf(id, media))?.next;
  await media.delete([
    revisionErrorKey(id, plan.rev),
    ...(isCurrent ? [errorKey(id)] : []),
    ...(isAwaited ? [] : [delayKey(id)]),
  ]);
  await beginGrace(id, media, now);
  await unlessDeleted(id, world);
  // Two pieces that were damaged may have been made again at the same time, and each been measured beside the other as it
  // was: so whoever writes looks once more.
  for (;;) {
    const latest = await measured(id, plan, media, now);
    if (isDeepStrictEqual(latest.bitrates, marker.bitrates)) break;
    marker = latest;
    if (isCurrent) await rewriteLasting(id, media, { rev: plan.rev, bitrates: marker.bitrates });
    await mark();
  }

  if (wasReady) return;
  const { storedBytes } = marker;
  if (before.next?.rev === plan.rev) {
    world.observe({ event: 'succeeded', id, rev: plan.rev, storedBytes });
    return;
  }
  const source = await world.uploads.head(sourceKey(id));
  const secondsSinceUpload = source ? secondsSince(source.lastModified, now) : 0;
  world.observe({
    event: 'ready',
    id,
    secondsSinceUpload,
    durationSeconds: durationSeconds(plan.grid),
    storedBytes,
  });
}

/** Whether those who make everything of a video ahead of time have given up for now: then any piece may be the last. */
export async function isLate(id: string, { media }: Pick<World, 'media'>): Promise<boolean> {
  const signs = await Promise.all([delayKey(id), errorKey(id)].map((key) => media.head(key)));
  return signs.some(Boolean);
}

/** @returns whether everything of it existed */
export async function finishIfWhole(
  id: string,
  rev: string,
  world: Pick<World, 'media' | 'uploads' | 'observe'>,
  now: Date,
): Promise<boolean> {
  const plan = await planOf(id, rev, world.media);
  if (!plan) return false;
  const stored = await storedArtifacts(id, rev, world.media);
  const keys = new Set(stored.filter(({ sizeBytes }) => sizeBytes > 0).map(({ key }) => key));
  if (!prewarmedArtifacts(plan).every((artifact) => keys.has(artifactKey(id, artifact)))) return false;
  await finish(id, rev, world, now);
  return true;
}

/** @throws IncompleteError */
async function measured(id: string, plan: Plan, media: Store, now: Date): Promise<Required<ReadyMarker>> {
  const stored = await storedArtifacts(id, plan.rev, media);
  const sizes = new Map(stored.map(({ key, sizeBytes }) => [key, sizeBytes]));
  const missing = prewarmedArtifacts(plan).filter((artifact) => !sizes.get(artifactKey(id, artifact)));
  if (missing.length > 0) throw new IncompleteError(id, missing);
  const bitrates: Required<ReadyMarker>['bitrates'] = {};
  for (const rendition of plan.renditions.filter(({ name }) => plan.prewarm.includes(name))) {
    const segments = segmentsOf(plan, [rendition.name]).map((artifact) => ({
      bits: sizes.get(artifactKey(id, artifact))! * 8,
      seconds: segmentSeconds(plan, rendition, artifact.index),
    }));
    const bits = segments.reduce((sum, segment) => sum + segment.bits, 0);
    bitrates[rendition.name] = {
      peakBps: peakBps(segments),
      averageBps: bits / durationSeconds(plan.grid),
    };
  }
  const storedBytes = stored.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  return { readyAt: now.toISOString(), storedBytes, bitrates, notices: [] };
}

/** Undefined where nothing changes: the revision is the current one already, or one that was. */
function succeeded(
  { current, next, former }: Revisions,
  rev: string,
  last: Plan | undefined,
  now: Date,
): Revisions | undefined {
  if (next?.rev !== rev) return undefined;
  return {
    ...{ current: rev, next: null },
    former: [...former.filter((other) => other.rev !== rev), formerRevision(current, last, now)],
  };
}
