// What operators ask for, and what has to be done from time to time.

import type { ScheduledEvent } from 'aws-lambda';
import { DEFAULT_REVISION_GRACE_DAYS } from '../core/limits.ts';
import { callWorkers, observeQueue } from '../pipeline/prewarm/queue.ts';
import { maintain, maintenanceRequest } from '../pipeline/revisions/maintenance.ts';
import type { MaintenanceAnswer } from '../pipeline/revisions/maintenance.ts';
import { numberFromEnv } from './environment.ts';
import { enqueueFor, workersFromEnvironment } from './prewarm-workers.ts';
import type { World } from '../pipeline/world.ts';
import { worldFromEnvironment, worldOfCall } from './world.ts';
import type { CallContext } from './world.ts';

const world = worldFromEnvironment();
const workers = workersFromEnvironment();
const enqueue = enqueueFor(world, workers);
const graceSeconds = numberFromEnv('REVISION_GRACE_DAYS', DEFAULT_REVISION_GRACE_DAYS) * 24 * 3600;

/** What has been begun by then is brought to its end; the rest is for the next call. */
const RESERVED_MS = 5 * 60 * 1000;

export async function handler(event: unknown, context?: CallContext): Promise<MaintenanceAnswer> {
  const own = worldOfCall(world, context);
  const options = {
    enqueue,
    graceSeconds,
    now: new Date(),
    isTimeUp: () => (context?.getRemainingTimeInMillis() ?? Infinity) < RESERVED_MS,
  };
  if (!isSchedule(event)) {
    const request = maintenanceRequest(event);
    // First: what somebody tries again should find them called.
    if (request.command === 'resume') await lookAfterWorkers(own);
    return maintain(request, own, options);
  }
  const answer = await maintain({ command: 'sweep' }, own, options);
  await maintain({ command: 'resume', lost: true }, own, options);
  // Nobody reads what a schedule is answered. An error is tried again, and an alarm sees it.
  if ('swept' in answer && answer.failed.length > 0) {
    const [first, { length }] = [answer.failed[0]!, answer.failed];
    throw new Error(
      `Videos that could not be swept: ${length}. The first: video ${first.id}: ${first.message}`,
    );
  }
  return answer;
}

/** Calls others in the place of workers that were ended in the middle of their work, and says how the queue stands. */
async function lookAfterWorkers(own: World): Promise<void> {
  await callWorkers(own, workers);
  await observeQueue(own, new Date());
}

const isSchedule = (event: unknown): event is ScheduledEvent =>
  (event as Partial<ScheduledEvent> | null)?.['detail-type'] === 'Scheduled Event';
