// Makes visible that a prewarm has ended without everything. The video may still play: what a viewer asks for is made
// when asked for. Somebody comes back to the rest (pipeline/life/resume.ts).

import { OutageError } from '../../core/errors.ts';
import { errorKey, revisionErrorKey } from '../../core/artifacts/keys.ts';
import type { DelayCode } from '../../core/records/delay.ts';
import { ERROR } from '../../core/records/error.ts';
import { delayVideo, endDelay } from './delay.ts';
import { unlessDeleted } from './cleanup.ts';
import { finishIfWhole } from './finish.ts';
import { logFailure } from '../observe.ts';
import { isPlanned, readyMarkerOf, revisionsOf } from '../revisions/revisions.ts';
import { createRecord } from '../store.ts';
import type { World } from '../world.ts';

/**
 * @param code what it failed for: an outage says nothing of the video, which is only late
 * @throws RequestError NOT_FOUND where the video is no more; OutageError
 */
export async function failVideo(
  id: string,
  rev: string,
  code: DelayCode,
  world: Pick<World, 'media' | 'uploads' | 'observe'>,
  now: Date,
): Promise<void> {
  const { media } = world;
  const current = (await revisionsOf(id, media))?.current;
  if (await readyMarkerOf(id, rev, media)) return;
  // Viewers may have had made what the prewarm could not.
  if (await finishIfWhole(id, rev, world, now).catch(unlessOutage(id))) return;
  // A revision that could not be completed is for operators to know: viewers have the current one.
  const isVideos = rev === current;
  const isOutage = code !== 'ENCODING_FAILED';
  if (isVideos || isOutage) await delayVideo(id, code, world, now);
  else await endDelay(id, world);
  if (isOutage) {
    world.observe({ event: 'delayed', id, code });
    return;
  }
  const key = isVideos ? errorKey(id) : revisionErrorKey(id, rev);
  const outcome = await createRecord(media, ERROR, key, {
    code: 'ENCODING_FAILED',
    message: 'Not all of the video could be prepared. It will be tried again.',
  });
  await unlessDeleted(id, world);
  // Of one that was abandoned or swept meanwhile there is nothing to know.
  if (!(await isPlanned(id, rev, media))) return media.delete([key]);
  if (outcome === 'exists') return;
  world.observe(isVideos ? { event: 'failed', id } : { event: 'notSucceeded', id, rev });
}

/** Then the video has to wait like any other. */
const unlessOutage =
  (id: string) =>
  (error: unknown): undefined => {
    if (!(error instanceof OutageError)) throw error;
    return logFailure(id, error);
  };
