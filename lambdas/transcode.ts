// A worker of the prewarm. It is called again and again, by the state machine, until it says that nothing is left.

import * as z from 'zod';
import type { WorkerInput } from '../adapters/executions.ts';
import { isThrottled } from '../adapters/lambda-sandbox.ts';
import { withFailureLogged } from '../pipeline/observe.ts';
import { enqueueStored } from '../pipeline/prewarm/queue-work.ts';
import { workOff } from '../pipeline/prewarm/worker.ts';
import type { Shift } from '../pipeline/prewarm/worker.ts';
import { lanesFromEnvironment } from './prewarm-lanes.ts';
import { worldFromEnvironment, worldOfCall } from './world.ts';
import type { CallContext } from './world.ts';

// A lane is held while we wait for a machine. So we give up soon, and the queue waits instead.
const world = worldFromEnvironment({ sandboxAttempts: 2 });
const lanes = lanesFromEnvironment();

/** An execution can have 25,000 events, of which a turn takes ten. Another one is called within minutes after it. */
const MOST_TURNS = 2000;

/** What the state machine goes on with: the next call, and when to make it. */
type Answer = WorkerInput & Shift;

const workerInput = z.object({
  worker: z.int().min(0),
  run: z.int().min(0),
  turn: z.int().min(0),
}) satisfies z.ZodType<WorkerInput>;

/** What executions call this with that were begun before there was a queue: an item of a list, or a list. */
const formerInput = z.object({ id: z.string(), rev: z.string() });

export async function handler(event: unknown, context?: CallContext): Promise<Answer | { more: false }> {
  const own = worldOfCall(world, context);
  const called = workerInput.safeParse(event);
  if (called.success) return work(called.data, own);
  await enqueueStored(formerInput.parse(event), own);
  return { more: false };
}

async function work({ worker, run, turn }: WorkerInput, own: typeof world): Promise<Answer> {
  const next = { worker, run, turn: turn + 1 };
  if (turn >= MOST_TURNS) return { ...next, more: false, waitSeconds: 0 };
  const options = { lanes: lanes[worker] ?? 0, isBusy: isThrottled };
  const shift = await withFailureLogged(undefined, () => workOff({ worker, run }, own, options));
  return { ...next, ...shift };
}
