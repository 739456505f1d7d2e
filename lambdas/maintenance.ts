// What operators ask for, and what has to be done from time to time.

import type { ScheduledEvent } from 'aws-lambda';
import { DEFAULT_REVISION_GRACE_DAYS } from '../core/limits.ts';
import { maintain, maintenanceRequest } from '../pipeline/revisions/maintenance.ts';
import type { MaintenanceAnswer } from '../pipeline/revisions/maintenance.ts';
import { numberFromEnv } from './environment.ts';
import { startExecutionFromEnvironment } from './executions.ts';
import { worldFromEnvironment, worldOfCall } from './world.ts';
import type { CallContext } from './world.ts';

const world = worldFromEnvironment();
const startExecution = startExecutionFromEnvironment();
const graceSeconds = numberFromEnv('REVISION_GRACE_DAYS', DEFAULT_REVISION_GRACE_DAYS) * 24 * 3600;

/** What has been begun by then is brought to its end; the rest is for the next call. */
const RESERVED_MS = 5 * 60 * 1000;

export async function handler(event: unknown, context?: CallContext): Promise<MaintenanceAnswer> {
  const own = worldOfCall(world, context);
  const options = {
    startExecution,
    graceSeconds,
    now: new Date(),
    isTimeUp: () => (context?.getRemainingTimeInMillis() ?? Infinity) < RESERVED_MS,
  };
  if (!isSchedule(event)) return maintain(maintenanceRequest(event), own, options);
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

const isSchedule = (event: unknown): event is ScheduledEvent =>
  (event as Partial<ScheduledEvent> | null)?.['detail-type'] === 'Scheduled Event';
