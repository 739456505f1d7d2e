// A program of its own: enough of Lambda's Node.js runtime to run one instance of a function. It finds the handler by
// its name, takes invocations from its parent one at a time, and reports errors by their names, as Lambda does.
// Sources: AWS, "Building Lambda functions with Node.js" and "Response streaming for Lambda functions"; for the shape of
// a streamed HTTP answer, the runtime's own code (aws/aws-lambda-nodejs-runtime-interface-client).

import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

export interface Invocation {
  event: unknown;
  requestId: string;
  deadlineMs: number;
}

/** As if an invocation had no more than so long left. */
export interface Hurry {
  requestId: string;
  deadlineMs: number;
}

export type Reply =
  | { payload: unknown }
  /** All that was written to the stream, in base64: for HTTP a JSON head, eight zero bytes, then the body. */
  | { stream: string }
  | { error: { errorType: string; errorMessage: string; trace: string[] } };

type Handler = (event: unknown, context: object) => Promise<unknown>;
type StreamingHandler = (event: unknown, reply: Writable, context: object) => Promise<unknown>;

const streaming = new WeakSet<object>();
Object.assign(globalThis, {
  awslambda: {
    streamifyResponse(handler: StreamingHandler) {
      streaming.add(handler);
      return handler;
    },
    HttpResponseStream: {
      from(reply: Writable, head: object) {
        reply.write(JSON.stringify(head));
        reply.write(Buffer.alloc(8));
        return reply;
      },
    },
  },
});

const env = process.env;
const [module, name] = env['_HANDLER']!.split('.');
const exported = (await import(join(env['LAMBDA_TASK_ROOT']!, `${module}.mjs`))) as Record<string, unknown>;
const handler = exported[name!];
if (typeof handler !== 'function') throw new Error(`${env['_HANDLER']} is undefined or not exported`);

const hurried = new Map<string, number>();
process.on('message', (message: Invocation | Hurry) => {
  if ('event' in message) void replyTo(message).then((reply) => process.send!(reply));
  else hurried.set(message.requestId, message.deadlineMs);
});
process.once('disconnect', () => process.exit()); // never outlives the test

async function replyTo({ event, requestId, deadlineMs }: Invocation): Promise<Reply> {
  const context = {
    awsRequestId: requestId,
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: '$LATEST',
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => (hurried.get(requestId) ?? deadlineMs) - Date.now(),
  };
  try {
    if (!streaming.has(handler as object)) {
      const payload = await (handler as Handler)(event, context);
      return { payload: payload === undefined ? null : payload };
    }
    const reply = new PassThrough();
    const written = buffer(reply);
    await (handler as StreamingHandler)(event, reply, context);
    return { stream: (await written).toString('base64') };
  } catch (error) {
    const { name: errorType, message, stack = '' } = error as Error;
    return { error: { errorType, errorMessage: message, trace: stack.split('\n') } };
  }
}
