// Executions of work lists by a Step Functions state machine, or by what speaks its protocol.

import { ExecutionAlreadyExists, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { OutageError } from '../core/errors.ts';
import type { StartExecution } from '../pipeline/life/execution.ts';

/** What an execution is given. The state machine reads it by these names (lib/work-state-machine.ts). */
export interface ExecutionInput {
  id: string;
  rev: string;
  /** Where its work list is stored. */
  bucket: string;
  workKey: string;
}

/**
 * Named after video and revision, an execution is started once however often it is asked for; one that is to run again,
 * once for each time that somebody wished it.
 */
export const stateMachineExecutions =
  (client: SFNClient, stateMachineArn: string, bucket: string): StartExecution =>
  async ({ id, rev, workKey, again }) => {
    const input: ExecutionInput = { id, rev, bucket, workKey };
    const command = new StartExecutionCommand({
      stateMachineArn,
      name: again ? `${id}-${rev}-${again.getTime()}` : `${id}-${rev}`,
      input: JSON.stringify(input),
    });
    try {
      await client.send(command);
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return;
      const message = `The prewarm could not be started: ${(error as Error).message}`;
      throw new OutageError('STORE_UNAVAILABLE', message, { cause: error });
    }
  };
