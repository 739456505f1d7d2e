// The sandbox that the environment names, for whoever asks it for something.

import { LambdaClient } from '@aws-sdk/client-lambda';
import { lambdaSandbox } from '../adapters/lambda-sandbox.ts';
import type { Sandbox } from '../pipeline/sandbox/sandbox.ts';
import { choiceFromEnv, requireEnv } from './environment.ts';

/** `video`: the function has tenant isolation, and each video is a tenant. */
export const SANDBOX_ISOLATIONS = ['video', 'none'] as const;

let here: Sandbox | undefined;

/** For a process that is a whole account by itself; to be called before anything is asked of a sandbox. */
export function runSandboxHere(sandbox: Sandbox): void {
  here = sandbox;
}

/** As `ALIVE_MS` of lambdas/sandbox.ts, with patience: for so long a connection may be silent. */
const SILENCE_MS = 90_000;

export function sandboxFromEnvironment(): Sandbox {
  if (!process.env['SANDBOX_FUNCTION']) return { run: (...asked) => here!.run(...asked) };
  const client = new LambdaClient({
    // A new account has few executions, and they are soon free again.
    maxAttempts: 6,
    requestHandler: { socketTimeout: SILENCE_MS },
  });
  return lambdaSandbox(client, {
    functionName: requireEnv('SANDBOX_FUNCTION'),
    isolatesVideos: choiceFromEnv('SANDBOX_ISOLATION', SANDBOX_ISOLATIONS) === 'video',
  });
}
