// Workers (pipeline/prewarm/worker.ts) that a Step Functions state machine, or what speaks its protocol, calls and calls
// again until they have nothing left to do.

import { ExecutionAlreadyExists, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Call } from '../core/work/admission.ts';
import { OutageError } from '../core/errors.ts';
import type { CallWorker } from '../pipeline/prewarm/queue.ts';

/** What an execution is given, and what its function is called with (lib/work-state-machine.ts). */
export interface WorkerInput extends Call {
  /** How often it has been called in this execution. */
  turn: number;
}

/** An execution is named after its call, so that it is started once however often that is asked for. */
export const stateMachineWorkers =
  (client: SFNClient, stateMachineArn: string): CallWorker =>
  async ({ worker, run }, by) => {
    const input: WorkerInput = { worker, run, turn: 0 };
    const command = new StartExecutionCommand({
      stateMachineArn,
      name: `worker-${worker}-${run}-${by}`,
      input: JSON.stringify(input),
    });
    try {
      await client.send(command);
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return;
      const message = `A worker could not be called: ${(error as Error).message}`;
      throw new OutageError('STORE_UNAVAILABLE', message, { cause: error });
    }
  };
