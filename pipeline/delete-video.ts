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
} from '../core/keys.ts';
import { notFound } from '../core/errors.ts';
import type { Store } from './store.ts';
import type { World } from './world.ts';

type Buckets = Pick<World, 'media' | 'uploads'>;

/** Harmless for a video that is not there, or only half; no record has to be readable for it. */
export async function deleteVideo(id: string, { media, uploads }: Buckets): Promise<void> {
  await media.delete([cardKey(id), firstPlanKey(id)]);
  await deleteBelow(revisionsPrefix(id), media);
  await uploads.delete([sourceKey(id)]);
  await media.delete([errorKey(id), delayKey(id), firstWorkKey(id), firstReadyKey(id)]);
  await deleteMade(id, { media });
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
export async function unlessDeleted(id: string, world: Buckets): Promise<void> {
  if (await world.media.head(cardKey(id))) return;
  await deleteVideo(id, world);
  throw notFound('such video');
}
