// Stands where API Gateway stands in the cloud, and before it the function at the edge that knows who has signed in: asks
// the authorizer, then the API function.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  APIGatewaySimpleAuthorizerResult,
} from 'aws-lambda';
import { sessionAuthorization } from '../core/access/session.ts';
import { MAX_EVENT_MIB } from '../core/aws-limits.ts';
import { PREFLIGHT_SECONDS } from '../core/limits.ts';
import { eventOf, sendResult } from './lambda-events.ts';

export interface ApiFunctions {
  api(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2>;
  authorizer(event: Pick<APIGatewayProxyEventV2, 'headers'>): Promise<APIGatewaySimpleAuthorizerResult>;
}

export function apiGateway({ api, authorizer }: ApiFunctions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (isOpenToOtherOrigins(request)) {
      for (const [name, value] of Object.entries(CORS)) response.setHeader(name, value);
      if (request.method === 'OPTIONS') {
        response.writeHead(204).end();
        return;
      }
    }
    const event = await eventOf(request);
    if (!event) {
      const body = { code: 'TOO_LARGE', message: `The request is larger than ${MAX_EVENT_MIB} MiB.` };
      response.writeHead(413, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return;
    }
    event.headers['authorization'] ??= sessionAuthorization(event.headers);
    // The function itself knows which calls are open to all; it refuses the others without this mark.
    if (event.headers['authorization'] && (await authorizer(event)).isAuthorized) {
      Object.assign(event.requestContext, { authorizer: { lambda: {} } });
    }
    sendResult(await api(event), response);
  };
}

/**
 * Only where a token in the path is the authority. In the cloud all of the API is open to pages of other origins; the
 * key of this machine is no secret, and any page that is open here could try it.
 */
const isOpenToOtherOrigins = ({ url }: IncomingMessage): boolean => url?.startsWith('/api/u/') ?? false;

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-max-age': String(PREFLIGHT_SECONDS),
};
