// Makes a failed prewarm visible. The video may still play: what a viewer asks for is made when asked for.

import { errorKey, revisionErrorKey } from '../core/keys.ts';
import { ERROR } from '../core/records/outcomes.ts';
import { unlessDeleted } from './delete-video.ts';
import { isPlanned, readyMarkerOf, revisionsOf } from './revisions.ts';
import { createRecord } from './store.ts';
import type { World } from './world.ts';

/**
 * @param rev undefined where an engine that began before there were revisions ends
 */
export async function failVideo(
  id: string,
  rev: string | undefined,
  world: Pick<World, 'media' | 'uploads' | 'observe'>,
): Promise<void> {
  const { media } = world;
  const current = (await revisionsOf(id, media))?.current;
  const failed = rev ?? current;
  if (failed && (await readyMarkerOf(id, failed, media))) return;
  // A revision that could not be completed is for operators to know: viewers have the current one.
  const isVideos = failed === undefined || failed === current;
  const key = isVideos ? errorKey(id) : revisionErrorKey(id, failed);
  const outcome = await createRecord(media, ERROR, key, {
    code: 'ENCODING_FAILED',
    message: 'Not all of the video could be prepared. It will be tried again.',
  });
  await unlessDeleted(id, world);
  // Of one that was abandoned or swept meanwhile there is nothing to know.
  if (failed !== undefined && !(await isPlanned(id, failed, media))) return media.delete([key]);
  if (outcome === 'exists') return;
  world.observe(isVideos ? { event: 'failed', id } : { event: 'notSucceeded', id, rev: failed });
}
