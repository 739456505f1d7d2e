// Removes a video: what it is made from first, so that nothing can be made anew, then all that was made.

import {
  cardKey,
  errorKey,
  mezzaninePrefix,
  planKey,
  readyKey,
  sourceKey,
  videoPrefix,
  workKey,
} from '../core/keys.ts';
import { notFound } from '../core/errors.ts';
import type { World } from './world.ts';

type Buckets = Pick<World, 'media' | 'uploads'>;

/** Harmless for a video that is not there, or only half. */
export async function deleteVideo(id: string, world: Buckets): Promise<void> {
  await world.media.delete([cardKey(id), planKey(id)]);
  await world.uploads.delete([sourceKey(id)]);
  await world.media.delete([errorKey(id), workKey(id), readyKey(id)]);
  await deleteMade(id, world);
}

/** Removes what was made of a video's source. */
export async function deleteMade(id: string, { media }: Pick<World, 'media'>): Promise<void> {
  const made: string[] = [];
  for (const prefix of [mezzaninePrefix(id), videoPrefix(id)]) {
    for await (const { key } of media.list(prefix)) made.push(key);
  }
  await media.delete(made);
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
