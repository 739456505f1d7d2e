// Makes a failed prewarm visible. The video may still play: what a viewer asks for is made when asked for.

import { errorKey, readyKey } from '../core/keys.ts';
import { unlessDeleted } from './delete-video.ts';
import type { StoredError } from './planning.ts';
import { putJson } from './store.ts';
import type { World } from './world.ts';

export async function failVideo(
  id: string,
  world: Pick<World, 'media' | 'uploads' | 'observe'>,
): Promise<void> {
  if (await world.media.head(readyKey(id))) return;
  const error: StoredError = {
    code: 'ENCODING_FAILED',
    message: 'Not all of the video could be prepared. It will be tried again.',
  };
  const outcome = await putJson(world.media, errorKey(id), error, { ifAbsent: true });
  await unlessDeleted(id, world);
  if (outcome === 'stored') world.observe({ event: 'failed', id });
}
