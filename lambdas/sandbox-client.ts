// The sandbox that the environment names, for whoever asks it for something.

import { LambdaClient } from '@aws-sdk/client-lambda';
import { lambdaSandbox, warmSandbox } from '../adapters/lambda-sandbox.ts';
import type { SandboxFunction } from '../adapters/lambda-sandbox.ts';
import { OutageError } from '../core/errors.ts';
import { SANDBOX_ISOLATIONS } from '../core/sandboxes.ts';
import type { Sandbox } from '../pipeline/sandbox/sandbox.ts';
import { choiceFromEnv } from './environment.ts';

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
    : { run: (...asked) => hereOrNone().run(...asked) };
}

/** New code may run for a moment with the environment of before. @throws OutageError TOOL_UNAVAILABLE */
function hereOrNone(): Sandbox {
  if (!here) throw new OutageError('TOOL_UNAVAILABLE', 'No sandbox is named in the environment.');
  return here;
}

/** Has a machine started for a video whose file is on its way; undefined where there is nothing to start. */
export function warmSandboxFromEnvironment(): ((id: string) => Promise<void>) | undefined {
  const named = functionFromEnvironment();
  if (!named) return undefined;
  // Somebody waits for the answer that this is made beside.
  const client = new LambdaClient({ maxAttempts: 1, requestHandler: { requestTimeout: WARMING_MS } });
  return (id) => warmSandbox(client, named, id);
}

function functionFromEnvironment(): SandboxFunction | undefined {
  const functionName = process.env['SANDBOX_FUNCTION'];
  if (!functionName) return undefined;
  const isolatesVideos = choiceFromEnv('SANDBOX_ISOLATION', SANDBOX_ISOLATIONS) === 'video';
  return { functionName, isolatesVideos };
}

const WARMING_MS = 1500;

/** A new account has few executions, and they are soon free again. */
const ATTEMPTS = 6;

const lambdaClient = (maxAttempts = ATTEMPTS): LambdaClient =>
  new LambdaClient({
    maxAttempts,
    requestHandler: { socketTimeout: SILENCE_MS },
  });
