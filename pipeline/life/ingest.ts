// What happens when a source has arrived: plan, the opening that a player asks for first, all playlists, then the prewarm.
// Where nothing is to be made ahead of time, the video is ready with its opening and its playlists.

import { FfmpegError, OutageError, SourceError } from '../../core/errors.ts';
import { CURRENT } from '../../core/artifacts/artifact.ts';
import { workFor } from '../../core/work/work.ts';
import { delayCodeOf, delayVideo, endDelay } from './delay.ts';
import { deriveOf } from '../derive/derive.ts';
import { deriveOpening, derivePlaylists, leftToPrewarm } from '../derive/opening.ts';
import { plannedVideo } from '../derive/planned-video.ts';
import { finish } from './finish.ts';
import { asFileStands, currentPlan, restoreCopy } from './planning.ts';
import { roomIn } from '../prewarm/queue.ts';
import { queueWork } from '../prewarm/queue-work.ts';
import type { Enqueue } from '../prewarm/queue-work.ts';
import { logFailure } from '../observe.ts';
import { planReplacedSource } from '../source/replaced-source.ts';
import { resumeNext } from '../revisions/replan.ts';
import { readyMarkerOf, revisionsOf } from '../revisions/revisions.ts';
import type { World } from '../world.ts';

/**
 * Harmless to run twice, late, or after a viewer has done the same. A refused source is stored as such, not thrown; and
 * where the store or the machine is to blame it is noted when the video is tried again.
 * @throws OutageError where not even that can be noted; RequestError NOT_FOUND for a video that is no more;
 *   RecordError; whatever nobody has foreseen
 */
export async function ingest(id: string, world: World, enqueue: Enqueue): Promise<void> {
  try {
    // The event of another file may come and go before the plan of the one before is stored.
    await asFileStands(() => planAndStart(id, world, enqueue));
  } catch (error) {
    if (error instanceof SourceError) return;
    if (!(error instanceof OutageError || error instanceof FfmpegError)) throw error;
    logFailure(id, error);
    const code = delayCodeOf(error);
    await delayVideo(id, code, world, new Date());
    world.observe({ event: 'delayed', id, code });
  }
}

async function planAndStart(id: string, world: World, enqueue: Enqueue): Promise<void> {
  await planReplacedSource(id, world);
  const planned = await currentPlan(id, world);
  await restoreCopy(id, planned, world);
  const next = (await revisionsOf(id, world.media))?.next;
  if (next) await resumeNext(id, next, world, enqueue, new Date());
  // That may have made the next revision the current one.
  const plan = next ? await currentPlan(id, world) : planned;
  const video = plannedVideo(id, plan, world);
  const unopened = await deriveOpening(video);
  if (await readyMarkerOf(id, plan.rev, world.media)) {
    if (!next) await endDelay(id, world);
    return;
  }
  const unlisted = await derivePlaylists(video);
  const failure = unopened ?? unlisted;
  const work = plan.prewarm.length === 0 ? [] : workFor(id, plan, await roomIn(world));
  if (work.length === 0) {
    if (failure) throw failure; // there is no prewarm to leave it to
    return finish(id, plan.rev, world, new Date());
  }
  await queueWork(id, plan, work, world, enqueue);
  // Last, as it wants the same processor as what plays.
  if (plan.stills) await deriveOf(video, { kind: 'poster', rev: CURRENT }).catch(leftToPrewarm(id));
}
