// The one call of the Step Functions API that we make, StartExecution, answered on this machine: an execution calls
// `transcode` again until nothing is left, as the state machine in the cloud does.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { backoffMs } from '../machine/patience.ts';

const startExecution = z.object({
  name: z.string(),
  input: z.string().transform((text) => JSON.parse(text) as unknown),
});

/** What the state machine looks at of an answer; all of it is the next call's input. */
interface Answer {
  more: boolean;
  waitSeconds?: number;
}

export interface StepFunctions {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Executions make no more calls. */
  stop(): void;
}

/** @param transcode says itself what it failed with */
export function stepFunctions(transcode: (input: unknown) => Promise<Answer>): StepFunctions {
  const stopped = new AbortController();
  const { signal } = stopped;
  const started = new Set<string>();

  async function execute(input: unknown): Promise<void> {
    let [next, failures] = [input, 0];
    while (!signal.aborted) {
      const answer = await transcode(next).catch(() => undefined);
      if (answer && !answer.more) return;
      failures = answer ? 0 : failures + 1;
      next = answer ?? next;
      const pauseMs = answer ? 1000 * (answer.waitSeconds ?? 0) : backoffMs(failures);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    async handle(request, response) {
      if (request.headers['x-amz-target'] !== 'AWSStepFunctions.StartExecution') {
        response.writeHead(400).end('{"__type":"UnknownOperationException"}');
        return;
      }
      const { name, input } = startExecution.parse(await json(request));
      if (!started.has(name)) void execute(input);
      started.add(name);
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(
        JSON.stringify({ executionArn: `arn:local:execution:${name}`, startDate: Date.now() / 1000 }),
      );
    },
    stop: () => stopped.abort(),
  };
}
