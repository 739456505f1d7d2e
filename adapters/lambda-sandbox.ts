// A sandbox that is a Lambda function: invoked for each task, its replies streamed. With tenant isolation it is told which
// video a task is for, and no two videos ever share one of its machines.

import { InvokeCommand, InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import type { InvokeWithResponseStreamResponseEvent, LambdaClient } from '@aws-sdk/client-lambda';
import { OutageError } from '../core/errors.ts';
import { WARMING, requestOf, tellReplies } from '../pipeline/sandbox/wire.ts';
import type { Sandbox } from '../pipeline/sandbox/sandbox.ts';

export interface SandboxFunction {
  functionName: string;
  isolatesVideos: boolean;
}

export const lambdaSandbox = (
  client: LambdaClient,
  { functionName, isolatesVideos }: SandboxFunction,
): Sandbox => ({
  async run(task, grants, tell, options = {}) {
    options.leave?.throwIfAborted();
    const request = await requestOf(task, grants, options);
    const command = new InvokeWithResponseStreamCommand({
      FunctionName: functionName,
      Payload: Buffer.from(JSON.stringify(request)),
      ...(isolatesVideos && { TenantId: grants.id }),
    });
    const { EventStream } = await client
      .send(command, options.leave && { abortSignal: options.leave })
      .catch((error: unknown) => {
        throw unavailable(error as Error);
      });
    await tellReplies(bytesOf(EventStream ?? none()), tell);
  },
});

/** Has a machine of the sandbox started for a video, and does not wait for it. */
export async function warmSandbox(
  client: LambdaClient,
  { functionName, isolatesVideos }: SandboxFunction,
  id: string,
): Promise<void> {
  const command = new InvokeCommand({
    FunctionName: functionName,
    InvocationType: 'Event',
    Payload: JSON.stringify(WARMING),
    ...(isolatesVideos && { TenantId: id }),
  });
  await client.send(command);
}

/** @throws OutageError TOOL_UNAVAILABLE where the function ends in an error of its own, or the connection breaks */
async function* bytesOf(
  events: AsyncIterable<InvokeWithResponseStreamResponseEvent>,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const { PayloadChunk, InvokeComplete } of events) {
      if (PayloadChunk?.Payload) yield PayloadChunk.Payload;
      if (InvokeComplete?.ErrorCode) {
        throw new Error(`${InvokeComplete.ErrorCode}: ${InvokeComplete.ErrorDetails ?? 'no details'}`);
      }
    }
  } catch (error) {
    throw error instanceof OutageError ? error : unavailable(error as Error);
  }
}

async function* none(): AsyncGenerator<never> {
  // Lambda always answers with a stream; the SDK's types do not say so.
}

/** Whether a sandbox could not be had because all executions of the account are taken, or all machines of tenants. */
export const isThrottled = (error: unknown): boolean =>
  error instanceof OutageError && (error.cause as Error | undefined)?.name === 'TooManyRequestsException';

/** No execution is free, or the function could not be started, or did not live to say what became of it. */
const unavailable = (error: Error): OutageError =>
  new OutageError('TOOL_UNAVAILABLE', `The sandbox cannot be used: ${error.name}: ${error.message}`, {
    cause: error,
  });
