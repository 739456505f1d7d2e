// Removes a video: what it is made from first, so that nothing can be made anew, then all that was made.

import { cardKey, errorKey, planKey, readyKey, sourceKey, videoPrefix, workKey } from '../core/keys.ts';
import type { World } from './world.ts';

/** Harmless for a video that is not there, or only half. */
export async function deleteVideo(id: string, world: Pick<World, 'media' | 'uploads'>): Promise<void> {
  await world.media.delete([cardKey(id), planKey(id)]);
  await world.uploads.delete([sourceKey(id)]);
  const stored: string[] = [errorKey(id), workKey(id), readyKey(id)];
  for await (const { key } of world.media.list(videoPrefix(id))) stored.push(key);
  await world.media.delete(stored);
}
