// When all that is to be made ahead of time exists: measured bit rates into the multivariant playlist, and the ready marker.

import { notFound } from '../core/errors.ts';
import { artifactKey, errorKey, masterKey, planKey, readyKey, revPrefix, sourceKey } from '../core/keys.ts';
import { SETTLED, contentHeaders } from '../core/media-types.ts';
import { multivariantPlaylist } from '../core/playlists.ts';
import type { Bitrates } from '../core/playlists.ts';
import type { Plan } from '../core/plan.ts';
import { durationSeconds, segmentSeconds, segmentsOf } from '../core/segments.ts';
import { prewarmedArtifacts } from '../core/work.ts';
import { unlessDeleted } from './delete-video.ts';
import { secondsSince } from './observe.ts';
import { getJson, putJson } from './store.ts';
import type { World } from './world.ts';

export interface ReadyMarker {
  readyAt: string;
  storedBytes: number;
}

/**
 * Harmless to run twice.
 * @throws Error naming the first artifact that is missing; RequestError NOT_FOUND where there is no plan (any more).
 */
export async function finish(
  id: string,
  world: Pick<World, 'media' | 'uploads' | 'observe'>,
  now: Date,
): Promise<void> {
  const plan = await getJson<Plan>(world.media, planKey(id));
  if (!plan) throw notFound('such video');
  const sizes = new Map<string, number>();
  for await (const { key, sizeBytes } of world.media.list(revPrefix(id, plan.rev))) sizes.set(key, sizeBytes);

  for (const artifact of prewarmedArtifacts(plan)) {
    const key = artifactKey(id, artifact);
    if (!sizes.has(key)) throw new Error(`finish of ${id}: ${key} is missing`);
  }
  const measured = new Map<string, Bitrates>();
  for (const rendition of plan.prewarm) {
    let [bits, peakBps] = [0, 0];
    for (const artifact of segmentsOf(plan, [rendition])) {
      const sizeBytes = sizes.get(artifactKey(id, artifact))!;
      bits += sizeBytes * 8;
      peakBps = Math.max(peakBps, (sizeBytes * 8) / segmentSeconds(plan, rendition, artifact.index));
    }
    measured.set(rendition, { peakBps, averageBps: bits / durationSeconds(plan) });
  }

  const { contentType } = contentHeaders({ kind: 'multivariant' });
  await world.media.put(masterKey(id), multivariantPlaylist(plan, measured), {
    contentType,
    cacheControl: SETTLED,
  });
  const marker: ReadyMarker = {
    readyAt: now.toISOString(),
    storedBytes: [...sizes.values()].reduce((total, size) => total + size, 0),
  };
  await putJson(world.media, readyKey(id), marker);
  await world.media.delete([errorKey(id)]);
  await unlessDeleted(id, world);
  const source = await world.uploads.head(sourceKey(id));
  const secondsSinceUpload = source ? secondsSince(source.lastModified, now) : 0;
  const { storedBytes } = marker;
  world.observe({
    event: 'ready',
    id,
    secondsSinceUpload,
    durationSeconds: durationSeconds(plan),
    storedBytes,
  });
}
