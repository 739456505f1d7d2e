// Removes a video: what it is made from first, so that nothing can be made anew, then all that was made.

import {
  cardKey,
  delayKey,
  errorKey,
  firstMezzanineKey,
  firstPlanKey,
  firstReadyKey,
  firstWorkKey,
  mezzaninePrefix,
  revisionsPrefix,
  sourceKey,
  videoPrefix,
} from '../../core/artifacts/keys.ts';
import { OutageError, notFound } from '../../core/errors.ts';
import { DELAY } from '../../core/records/delay.ts';
import { logFailure } from '../observe.ts';
import { putJson } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

type Buckets = Pick<World, 'media' | 'uploads'>;

/**
 * Harmless for a video that is not there, or only half; no record has to be readable for it. What breaks off is brought
 * to its end later: until the last object is gone, a note of it is left among those of delayed videos.
 */
export async function deleteVideo(id: string, { media, uploads }: Buckets): Promise<void> {
  await noteDeletion(id, media);
  await media.delete([cardKey(id), firstPlanKey(id)]);
  await deleteBelow(revisionsPrefix(id), media);
  await uploads.delete([sourceKey(id)]);
  await media.delete([errorKey(id), firstWorkKey(id), firstReadyKey(id)]);
  await deleteMade(id, { media });
  await media.delete([delayKey(id)]);
}

/** How soon somebody else goes on with a deletion of which nothing has been heard. */
const PATIENCE_MS = 60_000;

/** A full disk, of all things, must not keep anybody from deleting. */
async function noteDeletion(id: string, media: Store): Promise<void> {
  const now = Date.now();
  const note = DELAY.stored({
    ...{ code: 'STORE_UNAVAILABLE', failures: 1, triedUntil: null, triedBy: null },
    ...{ since: new Date(now).toISOString(), retryAt: new Date(now + PATIENCE_MS).toISOString() },
  });
  await putJson(media, delayKey(id), note).catch((error: unknown) => {
    if (!(error instanceof OutageError)) throw error;
    logFailure(id, error);
  });
}

/** Removes what was made of a video's source. */
export async function deleteMade(id: string, { media }: Pick<World, 'media'>): Promise<void> {
  await media.delete([firstMezzanineKey(id)]);
  for (const prefix of [mezzaninePrefix(id), videoPrefix(id)]) await deleteBelow(prefix, media);
}

export async function deleteBelow(prefix: string, media: Store): Promise<void> {
  const found: string[] = [];
  for await (const { key } of media.list(prefix)) found.push(key);
  await media.delete(found);
}

/**
 * For whoever has just written a record of a video: removes it again where the video was deleted meanwhile. The card
 * goes first in a deletion, so either the deletion finds the record or this finds the card gone.
 * @throws RequestError NOT_FOUND
 */
export async function unlessDeleted(id: string, buckets: Buckets): Promise<void> {
  if (await buckets.media.head(cardKey(id))) return;
  await deleteVideo(id, buckets);
  throw notFound('such video');
}
