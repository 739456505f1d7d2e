// The two services besides S3 that functions call, at AWS's own seam (AWS_ENDPOINT_URL_…): JSON over HTTP, the
// operation in a header.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { httpServer } from '../../../local/http-server.ts';
import { sessionOf } from './permissions.ts';
import { ServiceError } from './state-machine.ts';

/** @param operations by target, `AWSStepFunctions.StartExecution` say; what they throw becomes the answer. */
export async function serveAwsJson(
  operations: Record<string, (request: Record<string, string>, session: string | undefined) => object>,
): Promise<{ endpoint: string; close(): void }> {
  const server = httpServer((request, response) => {
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
