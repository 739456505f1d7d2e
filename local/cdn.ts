// Stands where CloudFront stands in the cloud: what is stored is served from the store; what is not, the origin
// function makes. It keeps nothing itself. Tokens are checked as the function at the edge does it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { RequestError } from '../core/errors.ts';
import { admittedPath } from '../core/playback-token.ts';
import type { PlaybackSecrets } from '../core/playback-token.ts';
import { unlessHungUp } from './function-url.ts';
import { sendJson } from './web-server.ts';

export interface CdnOptions {
  client: S3Client;
  bucket: string;
  /** What the tokens in the paths are checked with; undefined where playback is public. */
  secrets: PlaybackSecrets | undefined;
  origin(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': '*',
  'access-control-expose-headers': 'content-length, content-range, etag',
};

export function cdn({ client, bucket, secrets, origin }: CdnOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refusal = secrets && stripToken(request, secrets);
    if (refusal) {
      response.setHeader('access-control-allow-origin', '*');
      return sendJson(response, refusal.status, { code: refusal.code, message: refusal.message });
    }
    for (const [name, value] of Object.entries(CORS_HEADERS)) response.setHeader(name, value);
    if (request.method === 'OPTIONS') {
      response.writeHead(204).end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD, OPTIONS' }).end();
      return;
    }
    const stored = await lookUp(request);
    if (!stored) return origin(request, response);
    response.writeHead(stored.ContentRange ? 206 : 200, {
      'content-type': stored.ContentType,
      'content-length': stored.ContentLength,
      'accept-ranges': 'bytes',
      ...(stored.CacheControl ? { 'cache-control': stored.CacheControl } : {}),
      ...(stored.ContentRange ? { 'content-range': stored.ContentRange } : {}),
      ...(stored.ETag ? { etag: stored.ETag } : {}),
    });
    const body = stored.Body as Readable;
    if (request.method === 'HEAD') {
      body.destroy();
      response.end();
      return;
    }
    await pipeline(body, response).catch((error: unknown) => unlessHungUp(error, response));
  };

  /** Undefined where the store has no such key; also where it cannot give that range: the origin says so better. */
  async function lookUp(request: IncomingMessage): Promise<GetObjectCommandOutput | undefined> {
    const key = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: request.headers.range });
    try {
      return await client.send(command);
    } catch (error) {
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      if (status === 404 || status === 416) return undefined;
      throw error;
    }
  }
}

/** Whoever comes later, the origin function too, sees the path without its token. Returns why not, if so. */
function stripToken(request: IncomingMessage, secrets: PlaybackSecrets): RequestError | undefined {
  const [path = '/'] = (request.url ?? '/').split('?');
  try {
    request.url = admittedPath(path, new Date(), secrets);
    return undefined;
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}
