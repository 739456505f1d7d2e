// How work lists are handed to the state machine that the environment names.

import { SFNClient } from '@aws-sdk/client-sfn';
import { stateMachineExecutions } from '../adapters/executions.ts';
import type { StartExecution } from '../pipeline/life/execution.ts';
import { requireEnv } from './environment.ts';

export const startExecutionFromEnvironment = (): StartExecution =>
  stateMachineExecutions(new SFNClient(), requireEnv('STATE_MACHINE_ARN'), requireEnv('MEDIA_BUCKET'));
