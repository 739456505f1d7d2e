// Takes up again what could not be done: nothing waits for a restart, or for somebody to look.

import { backoffMs, persistently } from '../../machine/patience.ts';
import { OutageError, RequestError } from '../../core/errors.ts';
import { cardKey, sourceKey, workKey } from '../../core/artifacts/keys.ts';
import type { Queue } from '../../core/records/queue.ts';
import { isQueued } from '../../core/work/admission.ts';
import { beginTry, continueTry, delayCodeOf, delayVideo, dueVideos, endDelay } from './delay.ts';
import { repeatRequests, requestCleanup } from './cleanup.ts';
import { goOnWithDeletions } from './deletion.ts';
import { ingest } from './ingest.ts';
import type { Enqueue } from '../prewarm/queue-work.ts';
import { logFailure } from '../observe.ts';
import { storedQueue } from '../prewarm/queue.ts';
import { revisionsOf } from '../revisions/revisions.ts';
import { unfinishedVideos } from './unfinished.ts';
import type { World } from '../world.ts';

export interface ResumeOptions {
  enqueue: Enqueue;
  now: Date;
  /** What has been begun then is brought to its end; the rest is for the next call. */
  isTimeUp(): boolean;
}

export interface Resumed {
  resumed: string[];
}

/** Tries those again that have waited long enough, goes on with those that are back, and has deletions gone on with. */
export async function resumeDelayed(world: World, options: ResumeOptions): Promise<Resumed> {
  const { now, isTimeUp } = options;
  const resumed: string[] = [];
  for await (const id of dueVideos(world, now)) {
    if (isTimeUp()) break;
    if (!(await beginTry(id, world, now))) continue;
    resumed.push(id);
    await tryAgain(id, world, options);
  }
  await repeatRequests(world, options);
  await goOnWithDeletions(world, options, async (id) => {
    resumed.push(id);
    await tryAgain(id, world, options);
  });
  return { resumed };
}

/**
 * Looks through all videos for those that nobody is at: of which an event was lost, or a run ended without a word. To
 * be done from time to time, as it lists everything.
 */
export async function resumeLost(world: World, options: ResumeOptions): Promise<Resumed> {
  const resumed: string[] = [];
  // Of what is queued meanwhile nothing is lost by queueing it once more.
  const queue = await storedQueue(world);
  for await (const id of unfinishedVideos(world)) {
    if (options.isTimeUp()) break;
    if (!(await isLost(id, queue, world, options.now))) continue;
    resumed.push(id);
    await tryAgain(id, world, options);
  }
  return { resumed };
}

/** Longer than a function may take to plan a video, even if it is called three times. */
const LONGEST_PLANNING_MS = 3600 * 1000;

async function isLost(id: string, queue: Queue, { media, uploads }: World, now: Date): Promise<boolean> {
  const revisions = await revisionsOf(id, media);
  const rev = revisions?.next?.rev ?? revisions?.current;
  if (rev !== undefined && isQueued(queue, { id, rev })) return false;
  const last = rev === undefined ? undefined : await media.head(workKey(id, rev));
  const begun = last ?? (await uploads.head(sourceKey(id)));
  return begun !== undefined && now.getTime() - begun.lastModified.getTime() > LONGEST_PLANNING_MS;
}

async function tryAgain(id: string, world: World, { enqueue }: ResumeOptions): Promise<void> {
  try {
    // Only what is left of a video whose deletion broke off.
    if (!(await world.media.head(cardKey(id)))) return await requestCleanup(id, world);
    await ingest(id, world, enqueue);
    await continueTry(id, world, new Date());
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return endDelay(id, world); // deleted meanwhile
    logFailure(id, error);
    await noted(id, error, world);
  }
}

const NOTING_ATTEMPTS = 8;

/** Where the store is away for long, the try counts as lost when its time is over (pipeline/life/delay.ts). */
const noted = (id: string, failure: unknown, world: World): Promise<void> =>
  persistently(() => delayVideo(id, delayCodeOf(failure), world, new Date()), {
    attempts: NOTING_ATTEMPTS,
    passes: (error) => error instanceof OutageError,
    pauseMs: (failures) => 2 * backoffMs(failures),
  }).catch((error: unknown) => logFailure(id, error));
