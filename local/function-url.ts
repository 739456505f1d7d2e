// A function URL with a streamed reply, as Lambda's Node.js runtime offers it to a handler.
// Source: AWS, "Response streaming for Lambda functions".

import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { eventOf } from './lambda-events.ts';

export type StreamingHandler = (
  event: APIGatewayProxyEventV2,
  reply: Writable,
  context: FunctionContext,
) => Promise<unknown>;

export interface FunctionContext {
  /** Fires when the client hangs up before it has its answer, of which Lambda tells its functions nothing. */
  hungUp?: AbortSignal;
}

interface ReplyMetadata {
  statusCode: number;
  headers: Record<string, string>;
}

/** What the runtime calls `responseStream`: the first thing said on it may be status and headers. */
class Reply extends PassThrough {
  metadata: ReplyMetadata = { statusCode: 200, headers: {} };
}

/** Gives this process the global that the runtime gives functions; to be called before one is imported. */
export function provideStreaming(): void {
  Object.assign(globalThis, {
    awslambda: {
      streamifyResponse: (handler: StreamingHandler) => handler,
      HttpResponseStream: {
        from: (reply: Reply, metadata: ReplyMetadata) => Object.assign(reply, { metadata }),
      },
    },
  });
}

export function functionUrl(handler: StreamingHandler) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const event = await eventOf(request);
    if (!event) {
      response.writeHead(413).end();
      return;
    }
    const reply = new Reply();
    const hungUp = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) hungUp.abort(new Error('The client has hung up.'));
    });
    const handled = handler(event, reply, { hungUp: hungUp.signal });
    // Nothing can be read before the metadata is there: a handler sends it before its first byte.
    const begun = new Promise((resolve) => reply.once('readable', resolve).once('end', resolve));
    await Promise.race([begun, handled]);
    if (response.destroyed || request.method === 'HEAD') reply.resume();
    if (!response.destroyed) {
      response.writeHead(reply.metadata.statusCode, reply.metadata.headers);
      if (request.method === 'HEAD') response.end();
      else await pipeline(reply, response).catch((error: unknown) => unlessHungUp(error, response));
    }
    await handled;
  };
}

/** A player that seeks hangs up in the middle of a segment: nothing to report. */
export function unlessHungUp(error: unknown, response: ServerResponse): void {
  if (!response.destroyed) throw error;
}
