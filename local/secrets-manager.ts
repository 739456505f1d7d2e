// The one call of the Secrets Manager API that our functions make, GetSecretValue, for secrets of this machine.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import * as z from 'zod';

const getSecretValue = z.object({ SecretId: z.string() });

/** `secrets` by their ARNs; functions get them as JSON. */
export function secretsManager(secrets: Readonly<Record<string, unknown>>) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    };
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') {
      return send(400, { __type: 'UnknownOperationException' });
    }
    const { SecretId: arn } = getSecretValue.parse(await json(request));
    if (!Object.hasOwn(secrets, arn)) return send(400, { __type: 'ResourceNotFoundException' });
    send(200, { ARN: arn, SecretString: JSON.stringify(secrets[arn]), VersionStages: ['AWSCURRENT'] });
  };
}
