// Removes a video: what it is made from first, so that nothing can be made anew, then all that was made.

import {
  cardKey,
  errorKey,
  mezzanineKey,
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
  const stored: string[] = [errorKey(id), workKey(id), readyKey(id), mezzanineKey(id)];
  for await (const { key } of world.media.list(videoPrefix(id))) stored.push(key);
  await world.media.delete(stored);
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
