// HTTP as Lambda functions see it: requests become events of payload version 2.0, answers become responses.
// Source: AWS, "Working with AWS Lambda proxy integrations for HTTP APIs".

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { MAX_EVENT_MIB } from '../core/aws-limits.ts';

const MAX_BODY_BYTES = MAX_EVENT_MIB * 1024 * 1024;

/** Undefined where the body is larger than an event can be. */
export async function eventOf(request: IncomingMessage): Promise<APIGatewayProxyEventV2 | undefined> {
  const body = await bodyOf(request);
  if (!body) return undefined;
  const { pathname, search, host } = new URL(`http://${request.headers.host}${request.url ?? '/'}`);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: Object.fromEntries(
      Object.entries(request.headersDistinct).map(([name, values]) => [name, values!.join(',')]),
    ),
    requestContext: {
      accountId: 'local',
      apiId: 'local',
      domainName: host,
      domainPrefix: 'local',
      http: {
        method: request.method ?? 'GET',
        path: pathname,
        protocol: 'HTTP/1.1',
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: crypto.randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: new Date().toISOString(),
      timeEpoch: Date.now(),
    },
    ...(body.length > 0 ? { body: body.toString('base64') } : {}),
    isBase64Encoded: true,
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  // Read to its end even if it is too much: a client hears no answer while it sends.
  for await (const part of request as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes <= MAX_BODY_BYTES) parts.push(part);
  }
  return sizeBytes <= MAX_BODY_BYTES ? Buffer.concat(parts) : undefined;
}

export function sendResult(result: APIGatewayProxyStructuredResultV2, response: ServerResponse): void {
  const { statusCode = 200, headers = {}, cookies = [], body = '', isBase64Encoded } = result;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  response.writeHead(statusCode).end(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
}
