// The one call of the Step Functions API that we make, StartExecution, answered by the engine of this machine: it maps
// the list in S3 over `transcode` and ends with `finish`, as the state machine in the cloud does.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import * as z from 'zod';
import type { ExecutionInput } from '../adapters/executions.ts';
import type { Engine } from './work-engine.ts';

const startExecution = z.object({
  name: z.string(),
  input: z
    .string()
    .transform((text) => JSON.parse(text) as unknown)
    .pipe(
      z.object({
        id: z.string(),
        rev: z.string(),
        bucket: z.string(),
        workKey: z.string(),
      }) satisfies z.ZodType<ExecutionInput>,
    ),
});

/** What is passed on to the end of an execution. */
export type ExecutedRevision = Pick<ExecutionInput, 'id' | 'rev'>;

export interface StepFunctionsOptions {
  engine: Engine<ExecutedRevision>;
  /** The list of work items, from S3. */
  readItems(input: Pick<ExecutionInput, 'bucket' | 'workKey'>): Promise<readonly unknown[]>;
}

export function stepFunctions({ engine, readItems }: StepFunctionsOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.headers['x-amz-target'] !== 'AWSStepFunctions.StartExecution') {
      response.writeHead(400).end('{"__type":"UnknownOperationException"}');
      return;
    }
    const { name, input } = startExecution.parse(await json(request));
    engine.start(name, { id: input.id, rev: input.rev }, await readItems(input));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(
      JSON.stringify({ executionArn: `arn:local:execution:${name}`, startDate: Date.now() / 1000 }),
    );
  };
}
