// API Gateway as the template sets it up: its routes, whom each asks first, and the events it makes (payload version
// 2.0). Source: AWS, "Working with AWS Lambda proxy integrations for HTTP APIs" and "Control access to HTTP APIs with
// AWS Lambda authorizers".

import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { ofType } from '../../lib/support/variants.ts';
import type { Json, Template } from '../../lib/support/variants.ts';
import type { Reply } from './lambda-runtime.ts';
import { ACCOUNT, REGION } from './template.ts';

export interface ApiRequest {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface ApiAnswer {
  status: number;
  headers: Record<string, unknown>;
  /** Parsed, where it is JSON. */
  body: Json;
}

const DOMAIN = `abcdef1234.execute-api.${REGION}.amazonaws.com`;

export function httpApi(
  template: Template,
  resolve: (value: Json) => Json,
  invoke: (arn: string, event: unknown) => Promise<Reply>,
): (request: ApiRequest) => Promise<ApiAnswer> {
  const byRef = (type: string): Map<string, Json> =>
    new Map(
      ofType(template, type).map(({ id, Properties }) => [
        resolve({ Ref: id }),
        lenient(Properties, resolve),
      ]),
    );
  const integrations = byRef('AWS::ApiGatewayV2::Integration');
  const authorizers = byRef('AWS::ApiGatewayV2::Authorizer');
  const routes = ofType(template, 'AWS::ApiGatewayV2::Route').map(({ Properties }) => {
    const [method, path] = Properties.RouteKey.split(' ');
    return { ...lenient(Properties, resolve), method, pattern: patternOf(path) };
  });

  return async (request) => {
    const route = routes.find(
      ({ method, pattern }) => [request.method, 'ANY'].includes(method) && pattern.test(pathOf(request)),
    );
    if (!route) return refusal(404, 'Not Found');
    const event = eventOf(request, route.RouteKey);

    if (route.AuthorizationType === 'CUSTOM') {
      const { AuthorizerUri, IdentitySource } = authorizers.get(route.AuthorizerId);
      const identitySource = IdentitySource.map(
        (source: string) => event.headers[source.replace('$request.header.', '').toLowerCase()],
      );
      if (identitySource.includes(undefined)) return refusal(401, 'Unauthorized');
      const [, arn] = /functions\/(.+)\/invocations$/.exec(AuthorizerUri)!;
      const { body: _body, isBase64Encoded: _encoded, ...asked } = event;
      const reply = await invoke(arn!, {
        ...asked,
        type: 'REQUEST',
        routeArn: `arn:aws:execute-api:${REGION}:${ACCOUNT}:abcdef1234/$default/${request.method}${event.rawPath}`,
        identitySource,
      });
      if (!('payload' in reply)) return refusal(500, 'Internal Server Error');
      if ((reply.payload as Json)?.isAuthorized !== true) return refusal(403, 'Forbidden');
      Object.assign(event.requestContext, { authorizer: { lambda: null } });
    }

    const { IntegrationUri } = integrations.get(route.Target.replace('integrations/', ''));
    const reply = await invoke(IntegrationUri, event);
    if (!('payload' in reply)) return refusal(500, 'Internal Server Error');
    const {
      statusCode = 200,
      headers = {},
      body = '',
      isBase64Encoded,
    } = reply.payload as APIGatewayProxyStructuredResultV2;
    const text = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8').toString();
    const isJson = String(headers['content-type']).startsWith('application/json');
    return { status: statusCode, headers, body: isJson ? JSON.parse(text) : text };
  };
}

const pathOf = ({ path }: ApiRequest): string => path.split('?')[0]!;

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/\{\w+\+\}/g, '.+').replaceAll(/\{\w+\}/g, '[^/]+')}$`);

/** Resolves what has a name here; of an integration or a route the rest does not matter. */
function lenient(properties: Json, resolve: (value: Json) => Json): Json {
  const wanted = ['RouteKey', 'AuthorizationType', 'AuthorizerId', 'Target'];
  const names = [...wanted, 'AuthorizerUri', 'IdentitySource', 'IntegrationUri'];
  return Object.fromEntries(
    names.filter((name) => name in properties).map((name) => [name, resolve(properties[name])]),
  );
}

function eventOf(request: ApiRequest, routeKey: string): Json {
  const [rawPath = '', rawQueryString = ''] = request.path.split('?');
  const now = new Date();
  const headers = Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString,
    headers: {
      accept: '*/*',
      host: DOMAIN,
      'user-agent': 'Amazon CloudFront',
      via: '2.0 0123456789abcdef.cloudfront.net (CloudFront)',
      'x-forwarded-for': '203.0.113.7, 198.51.100.9',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(headers),
    },
    ...(rawQueryString
      ? { queryStringParameters: Object.fromEntries(new URLSearchParams(rawQueryString)) }
      : {}),
    requestContext: {
      accountId: ACCOUNT,
      apiId: 'abcdef1234',
      domainName: DOMAIN,
      domainPrefix: 'abcdef1234',
      http: {
        method: request.method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: '198.51.100.9',
        userAgent: 'Amazon CloudFront',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    isBase64Encoded: false,
  };
}

const refusal = (status: number, message: string): ApiAnswer => ({ status, headers: {}, body: { message } });
