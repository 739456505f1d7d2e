// The plan of a video, made when first needed: by the upload's event, or by a viewer who is faster than that.

import { withRangeServer } from '../adapters/range-server.ts';
import type { RangeSource } from '../adapters/range-server.ts';
import { FfmpegError, SourceError, notFound } from '../core/errors.ts';
import type { SourceErrorCode } from '../core/errors.ts';
import { cardKey, errorKey, mezzanineKey, planKey, sourceKey } from '../core/keys.ts';
import { planFor } from '../core/plan.ts';
import type { Plan, PlannedSource } from '../core/plan.ts';
import { durationSeconds } from '../core/segments.ts';
import { deleteMade, unlessDeleted } from './delete-video.ts';
import { secondsSince } from './observe.ts';
import { probeSource } from './probe-source.ts';
import { seekableSource } from './seekable-source.ts';
import { singleFlight } from './single-flight.ts';
import { getJson, putJson } from './store.ts';
import type { Store } from './store.ts';
import type { Card } from './video-status.ts';
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
    getJson<Card>(world.media, cardKey(id)),
    world.uploads.head(sourceKey(id)),
  ]);
  // What arrives after a deletion would otherwise lie there for ever.
  if (!card && source) await world.uploads.delete([sourceKey(id)]);
  if (!card || !source) throw notFound('such video');
  try {
    // Not every way to send parts is held to a size beforehand (pipeline/upload-file.ts).
    if (source.sizeBytes > card.maxBytes) {
      await world.uploads.delete([sourceKey(id)]);
      throw new SourceError('TOO_LARGE');
    }
    if (source.sizeBytes === 0) throw new SourceError('EMPTY_FILE');
    const { plan, sourceBytesRead } = await withRangeServer(
      rangesOf(world.uploads, sourceKey(id), source),
      async (served) => {
        const claimed = await probeSource(served.url, world.tools.binaries, world.settings);
        const { sizeBytes, etag } = source;
        const found = await seekableSource(id, served, { probe: claimed, sizeBytes, etag }, world);
        const plan = planFor(found.probe, found.source, world.settings);
        return { plan, sourceBytesRead: served.readBytes() };
      },
    );
    if ((await putJson(world.media, planKey(id), plan, { ifAbsent: true })) === 'exists') {
      const first = (await getJson<Plan>(world.media, planKey(id))) ?? plan;
      // The file has been replaced while it was planned: the copy of this one is nobody's.
      if (first.source.etag !== source.etag) await world.media.delete([mezzanineKey(id, source.etag)]);
      return first;
    }
    await unlessDeleted(id, world);
    const secondsSinceUpload = secondsSince(source.lastModified);
    world.observe({
      event: 'playable',
      id,
      secondsSinceUpload,
      durationSeconds: durationSeconds(plan),
      source: plan.source,
      sourceBytesRead,
    });
    return plan;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal) await refuse(id, refusal, world);
    throw refusal ?? error;
  }
}

/** What makes ffmpeg crash, or keeps it busy for longer than it may be, will do so again. */
function refusalOf(error: unknown): SourceError | undefined {
  if (error instanceof SourceError) return error;
  return error instanceof FfmpegError && (error.timedOut || error.hasCrashed)
    ? new SourceError('UNREADABLE')
    : undefined;
}

/** Stores why a source will never play. What was planned and made before that was known goes. */
export async function refuse(id: string, { code, message }: SourceError, world: World): Promise<void> {
  const { media } = world;
  const before = await getJson<StoredError>(media, errorKey(id));
  if (!before || before.code === 'ENCODING_FAILED') {
    await putJson(media, errorKey(id), { code, message } satisfies StoredError);
    world.observe({ event: 'refused', id, code });
  }
  await media.delete([planKey(id)]);
  await deleteMade(id, world);
  await unlessDeleted(id, world);
}

/** What segments are cut from, as the range server reads it. */
export const sourceOf = (id: string, source: PlannedSource, world: World): RangeSource =>
  source.kind === 'upload'
    ? rangesOf(world.uploads, sourceKey(id), source)
    : // Nobody but us writes it, and always the same.
      rangesOf(world.media, mezzanineKey(id, source.etag), { sizeBytes: source.sizeBytes, etag: undefined });

const rangesOf = (
  store: Store,
  key: string,
  { sizeBytes, etag }: { sizeBytes: number; etag: string | undefined },
): RangeSource => ({
  sizeBytes,
  read: (first, last, signal) => store.readRange(key, { first, last, etag }, signal),
});
