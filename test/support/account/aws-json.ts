// The two services besides S3 that functions call, at AWS's own seam (AWS_ENDPOINT_URL_…): JSON over HTTP, the
// operation in a header.

import { json } from 'node:stream/consumers';
import { listening } from './listening.ts';
import type { Listening } from './listening.ts';
import { sessionOf } from './permissions.ts';
import { ServiceError } from './state-machine.ts';

/** @param operations by target, `AWSStepFunctions.StartExecution` say; what they throw becomes the answer. */
export async function serveAwsJson(
  operations: Record<string, (request: Record<string, string>, session: string | undefined) => object>,
): Promise<Listening> {
  return listening((request, response) => {
    void (async () => {
      const target = String(request.headers['x-amz-target']);
      const operation = operations[target];
      try {
        if (!operation) throw new ServiceError('UnknownOperationException', target);
        const answer = operation((await json(request)) as Record<string, string>, sessionOf(request));
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
      } catch (error) {
        const { name, message } = error as Error;
        response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
        response.end(JSON.stringify({ __type: name, message }));
      }
    })();
  });
}
