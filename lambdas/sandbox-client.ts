// The sandbox that the environment names, for whoever asks it for something.

import { LambdaClient } from '@aws-sdk/client-lambda';
import { lambdaSandbox, warmSandbox } from '../adapters/lambda-sandbox.ts';
import type { SandboxFunction } from '../adapters/lambda-sandbox.ts';
import type { Sandbox } from '../pipeline/sandbox/sandbox.ts';
import { choiceFromEnv } from './environment.ts';

/** `video`: the function has tenant isolation, and each video is a tenant. */
export const SANDBOX_ISOLATIONS = ['video', 'none'] as const;

let here: Sandbox | undefined;

/** For a process that is a whole account by itself; to be called before anything is asked of a sandbox. */
export function runSandboxHere(sandbox: Sandbox): void {
  here = sandbox;
}

/** As `ALIVE_MS` of lambdas/sandbox.ts, with patience: for so long a connection may be silent. */
const SILENCE_MS = 90_000;

export interface SandboxClientOptions {
  /** How often it is asked in a row for a free execution, with pauses between. @default a few seconds' worth */
  sandboxAttempts?: number;
}

export function sandboxFromEnvironment({ sandboxAttempts }: SandboxClientOptions = {}): Sandbox {
  const named = functionFromEnvironment();
  return named
    ? lambdaSandbox(lambdaClient(sandboxAttempts), named)
    : { run: (...asked) => here!.run(...asked) };
}

/** Has a machine started for a video whose file is on its way; undefined where there is nothing to start. */
export function warmSandboxFromEnvironment(): ((id: string) => Promise<void>) | undefined {
  const named = functionFromEnvironment();
  if (!named) return undefined;
  const client = lambdaClient();
  return (id) => warmSandbox(client, named, id);
}

function functionFromEnvironment(): SandboxFunction | undefined {
  const functionName = process.env['SANDBOX_FUNCTION'];
  if (!functionName) return undefined;
  const isolatesVideos = choiceFromEnv('SANDBOX_ISOLATION', SANDBOX_ISOLATIONS) === 'video';
  return { functionName, isolatesVideos };
}

/** A new account has few executions, and they are soon free again. */
const ATTEMPTS = 6;

const lambdaClient = (maxAttempts = ATTEMPTS): LambdaClient =>
  new LambdaClient({
    maxAttempts,
    requestHandler: { socketTimeout: SILENCE_MS },
  });
