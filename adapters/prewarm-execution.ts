// The prewarm as an execution of a Step Functions state machine, or of what speaks its protocol.

import { ExecutionAlreadyExists, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { OutageError } from '../core/errors.ts';
import type { StartPrewarm } from '../pipeline/life/prewarm.ts';

/**
 * Named after video and revision, an execution is started once however often it is asked for; one that is to run again,
 * once for each time that somebody wished it.
 */
export const prewarmExecutions =
  (client: SFNClient, stateMachineArn: string, bucket: string): StartPrewarm =>
  async ({ id, rev, workKey, again }) => {
    const command = new StartExecutionCommand({
      stateMachineArn,
      name: again ? `${id}-${rev}-${again.getTime()}` : `${id}-${rev}`,
      input: JSON.stringify({ id, rev, bucket, workKey }),
    });
    try {
      await client.send(command);
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return;
      const message = `The prewarm could not be started: ${(error as Error).message}`;
      throw new OutageError('STORE_UNAVAILABLE', message, { cause: error });
    }
  };
