// How lists of work are queued, and who is called to work them off: the state machine that the environment names.

import { SFNClient } from '@aws-sdk/client-sfn';
import { stateMachineWorkers } from '../adapters/executions.ts';
import type { Enqueue } from '../pipeline/prewarm/queue-work.ts';
import { enqueue } from '../pipeline/prewarm/queue.ts';
import type { Workers } from '../pipeline/prewarm/queue.ts';
import type { World } from '../pipeline/world.ts';
import { requireEnv } from './environment.ts';
import { lanesFromEnvironment } from './prewarm-lanes.ts';

export const workersFromEnvironment = (): Workers => ({
  lanes: lanesFromEnvironment(),
  call: stateMachineWorkers(new SFNClient(), requireEnv('STATE_MACHINE_ARN')),
});

export const enqueueFor =
  (world: Pick<World, 'media'>, workers: Workers): Enqueue =>
  (list) =>
    enqueue(list, world, workers);
