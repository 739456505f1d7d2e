// CloudFront in front of the videos, without its cache: what the bucket lacks the function behind the function URL
// makes. Source of the event's shape: AWS, "Invoking Lambda function URLs".

import { randomUUID } from 'node:crypto';
import { GetObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Json } from '../../lib/support/variants.ts';
import type { Reply } from './lambda-runtime.ts';
import { ACCOUNT, REGION } from './template.ts';

export interface Watched {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  from: 'bucket' | 'function';
}

export function cdn(
  client: S3Client,
  Bucket: string,
  invoke: (event: unknown) => Promise<Reply>,
): (url: string, options?: { method?: string; headers?: Record<string, string> }) => Promise<Watched> {
  return async (url, { method = 'GET', headers = {} } = {}) => {
    const path = new URL(url).pathname;
    const found = await client
      .send(new GetObjectCommand({ Bucket, Key: path.slice(1), Range: headers['range'] }))
      .catch((error: unknown) => {
        if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
        throw error;
      });
    if (found) {
      return {
        status: found.ContentRange ? 206 : 200,
        headers: { 'content-type': found.ContentType!, 'cache-control': found.CacheControl! },
        body: Buffer.from(await found.Body!.transformToByteArray()),
        from: 'bucket',
      };
    }
    const reply = await invoke(eventOf(path, method, headers));
    if (!('stream' in reply)) throw new Error(`The function URL answers 502: ${JSON.stringify(reply)}`);
    return { ...httpOf(Buffer.from(reply.stream, 'base64'), method), from: 'function' };
  };
}

/** A streamed answer: JSON with status and headers, eight zero bytes, the body, which HEAD is not given. */
export function httpOf(stream: Buffer, method: string): Omit<Watched, 'from'> {
  const end = stream.indexOf(Buffer.alloc(8));
  if (end < 0) throw new Error('The answer has no status and no headers.');
  const { statusCode, headers } = JSON.parse(stream.subarray(0, end).toString()) as Json;
  const body = stream.subarray(end + 8);
  // Source: aws/aws-lambda-nodejs-runtime-interface-client, issue 95.
  if (body.length === 0) throw new Error('The answer has no body, after which the function URL hangs.');
  return { status: statusCode, headers, body: method === 'HEAD' ? Buffer.alloc(0) : body };
}

export function eventOf(path: string, method: string, headers: Record<string, string>): Json {
  const now = new Date();
  const domainName = `abcdefghijklmnopqrstuvwxyz012345.lambda-url.${REGION}.on.aws`;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: {
      host: domainName,
      'user-agent': 'Amazon CloudFront',
      'x-amz-cf-id': randomUUID(),
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-source-account': ACCOUNT,
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'https',
      ...headers,
    },
    requestContext: {
      accountId: ACCOUNT,
      apiId: domainName.split('.')[0],
      authentication: null,
      authorizer: {
        iam: { accessKey: 'ASIAEXAMPLE', accountId: ACCOUNT, userArn: 'cloudfront.amazonaws.com' },
      },
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: 'Amazon CloudFront' },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    isBase64Encoded: false,
  };
}
