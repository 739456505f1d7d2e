// Takes up again what could not be done: nothing waits for a restart, or for somebody to look.

import { RequestError } from '../core/errors.ts';
import { sourceKey, workKey } from '../core/keys.ts';
import { beginTry, continueTry, delayCodeOf, delayVideo, dueVideos, endDelay } from './delay.ts';
import { ingest } from './ingest.ts';
import type { StartPrewarm } from './prewarm.ts';
import { revisionsOf } from './revisions.ts';
import { unfinishedVideos } from './unfinished.ts';
import type { World } from './world.ts';

export interface ResumeOptions {
  startPrewarm: StartPrewarm;
  now: Date;
  /** What has been begun then is brought to its end; the rest is for the next call. */
  isTimeUp(): boolean;
}

export interface Resumed {
  resumed: string[];
}

/** Tries those again that have waited long enough. */
export async function resumeDelayed(world: World, options: ResumeOptions): Promise<Resumed> {
  const { now, isTimeUp } = options;
  const resumed: string[] = [];
  for await (const id of dueVideos(world, now)) {
    if (isTimeUp()) break;
    if (!(await beginTry(id, world, now))) continue;
    resumed.push(id);
    await tryAgain(id, world, options);
  }
  return { resumed };
}

/** How long an engine may be at a list of work, or an event under way, before it counts as lost. */
const LONGEST_RUN_MS = 24 * 3600 * 1000;

/**
 * Looks through all videos for those that nobody is at: of which an event was lost, or a run ended without a word. To be done
 * from time to time, as it lists everything.
 */
export async function resumeLost(world: World, options: ResumeOptions): Promise<Resumed> {
  const resumed: string[] = [];
  for await (const id of unfinishedVideos(world)) {
    if (options.isTimeUp()) break;
    if (!(await isLost(id, world, options.now))) continue;
    resumed.push(id);
    await tryAgain(id, world, options);
  }
  return { resumed };
}

async function isLost(id: string, { media, uploads }: World, now: Date): Promise<boolean> {
  const revisions = await revisionsOf(id, media);
  const rev = revisions?.next?.rev ?? revisions?.current;
  const last = rev === undefined ? undefined : await media.head(workKey(id, rev));
  const begun = last ?? (await uploads.head(sourceKey(id)));
  return begun !== undefined && now.getTime() - begun.lastModified.getTime() > LONGEST_RUN_MS;
}

async function tryAgain(id: string, world: World, { startPrewarm, now }: ResumeOptions): Promise<void> {
  try {
    await ingest(id, world, startPrewarm, { again: now });
    await continueTry(id, world, new Date());
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return endDelay(id, world); // deleted meanwhile
    console.error(error);
    // It cannot be noted either where the store is away: then it is tried when the try is over.
    await delayVideo(id, delayCodeOf(error), world, new Date()).catch((unnoted: unknown) =>
      console.error(unnoted),
    );
  }
}
