// The one call of Lambda's own API that our functions make, at AWS's own seam (AWS_ENDPOINT_URL_LAMBDA): invoke another
// function and stream what it replies. Sources: AWS, "InvokeWithResponseStream" and "Invoking Lambda functions with tenant
// isolation".

import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { EventStreamCodec } from '@smithy/core/event-streams';
import type { Reply } from './lambda-runtime.ts';
import { listening } from './listening.ts';
import type { Listening } from './listening.ts';
import { sessionOf } from './permissions.ts';
import { ServiceError } from './state-machine.ts';

export interface LambdaCall {
  functionName: string;
  event: unknown;
  tenant: string | undefined;
  session: string | undefined;
  /** Whether nobody waits for the reply. */
  isAsync: boolean;
}

/** @param invoke throws ServiceError for what the API refuses */
export async function serveLambdaApi(invoke: (call: LambdaCall) => Promise<Reply>): Promise<Listening> {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, functionName, kind] = /^\/[\d-]+\/functions\/([^/]+)\/([\w-]+)$/.exec(request.url ?? '') ?? [];
    const { headers } = request;
    const call = {
      functionName: decodeURIComponent(functionName ?? ''),
      event: await json(request),
      tenant: headers['x-amz-tenant-id'] as string | undefined,
      session: sessionOf(request),
      isAsync: headers['x-amz-invocation-type'] === 'Event',
    };
    const reply = await invoke(call);
    if (kind === 'invocations') return void response.writeHead(202).end();
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
    if ('stream' in reply) response.write(event('PayloadChunk', Buffer.from(reply.stream, 'base64')));
    const complete =
      'error' in reply ? { ErrorCode: reply.error.errorType, ErrorDetails: reply.error.errorMessage } : {};
    response.end(event('InvokeComplete', Buffer.from(JSON.stringify(complete))));
  }

  return listening((request, response) => {
    answer(request, response).catch((error: Error) => {
      if (!(error instanceof ServiceError)) return response.destroy();
      const status = error.name === 'TooManyRequestsException' ? 429 : 400;
      response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': error.name });
      return response.end(JSON.stringify({ Message: error.message }));
    });
  });
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()),
  (text) => Buffer.from(text),
);

function event(type: string, body: Uint8Array): Uint8Array {
  const text = (value: string) => ({ type: 'string' as const, value });
  const headers = {
    ':event-type': text(type),
    ':message-type': text('event'),
    ':content-type': text(type === 'PayloadChunk' ? 'application/octet-stream' : 'application/json'),
  };
  return codec.encode({ headers, body });
}
