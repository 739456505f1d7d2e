// The plan of a video, made when first needed: by the upload's event, or by a viewer who is faster than that.

import { withRangeServer } from '../adapters/range-server.ts';
import type { RangeSource } from '../adapters/range-server.ts';
import { SourceError, notFound } from '../core/errors.ts';
import type { SourceErrorCode } from '../core/errors.ts';
import { cardKey, errorKey, planKey, sourceKey } from '../core/keys.ts';
import { planFor } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { durationSeconds } from '../core/segments.ts';
import { unlessDeleted } from './delete-video.ts';
import { secondsSince } from './observe.ts';
import { probeSource } from './probe-source.ts';
import { singleFlight } from './single-flight.ts';
import { getJson, putJson } from './store.ts';
import type { Store } from './store.ts';
import type { World } from './world.ts';

/** Why a video failed, as stored. A refused source stays refused; what failed by itself may be tried again. */
export interface StoredError {
  code: SourceErrorCode | 'ENCODING_FAILED';
  message: string;
}

const planning = singleFlight<Plan>();

/**
 * The plan of a video: the stored one, or one made now and stored. Whoever stores first has made it.
 * @throws RequestError NOT_FOUND where nothing was uploaded; SourceError where the source is refused.
 */
export function planOf(id: string, world: World): Promise<Plan> {
  return planning(
    id,
    async () => (await getJson<Plan>(world.media, planKey(id))) ?? (await makePlan(id, world)),
  );
}

async function makePlan(id: string, world: World): Promise<Plan> {
  const refused = await getJson<StoredError>(world.media, errorKey(id));
  if (refused && refused.code !== 'ENCODING_FAILED') throw new SourceError(refused.code, refused.message);
  // Without a card the id is not ours, or the video was deleted while its upload was under way.
  const [card, source] = await Promise.all([
    world.media.head(cardKey(id)),
    world.uploads.head(sourceKey(id)),
  ]);
  if (!card || !source) throw notFound('such video');
  try {
    if (source.sizeBytes === 0) throw new SourceError('EMPTY_FILE');
    const { plan, sourceBytesRead } = await withRangeServer(
      sourceOf(id, source.sizeBytes, world.uploads),
      async ({ url, readBytes }) => {
        const probe = await probeSource(url, world.tools.binaries, world.tools.limits);
        const plan = planFor(probe, { sizeBytes: source.sizeBytes }, world.settings);
        return { plan, sourceBytesRead: readBytes() };
      },
    );
    if ((await putJson(world.media, planKey(id), plan, { ifAbsent: true })) === 'exists')
      return (await getJson<Plan>(world.media, planKey(id))) ?? plan;
    await unlessDeleted(id, world);
    const secondsSinceUpload = secondsSince(source.lastModified);
    world.observe({
      event: 'playable',
      id,
      secondsSinceUpload,
      durationSeconds: durationSeconds(plan),
      sourceBytesRead,
    });
    return plan;
  } catch (error) {
    if (error instanceof SourceError) {
      const stored: StoredError = { code: error.code, message: error.message };
      const outcome = await putJson(world.media, errorKey(id), stored, { ifAbsent: true });
      await unlessDeleted(id, world);
      if (outcome === 'stored') world.observe({ event: 'refused', id, code: error.code });
    }
    throw error;
  }
}

/** The source as the range server reads it. */
export const sourceOf = (id: string, sizeBytes: number, uploads: Store): RangeSource => ({
  sizeBytes,
  read: (first, last, signal) => uploads.readRange(sourceKey(id), first, last, signal),
});
