// How a prewarm is started, from the environment: as an execution of the state machine.

import { SFNClient } from '@aws-sdk/client-sfn';
import { prewarmExecutions } from '../adapters/prewarm-execution.ts';
import type { StartPrewarm } from '../pipeline/life/prewarm.ts';
import { requireEnv } from './environment.ts';

export const prewarmFromEnvironment = (): StartPrewarm =>
  prewarmExecutions(new SFNClient(), requireEnv('STATE_MACHINE_ARN'), requireEnv('MEDIA_BUCKET'));
