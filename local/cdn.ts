// Stands where CloudFront stands in the cloud: what is stored is served from the store; what is not, the origin
// function makes. It keeps nothing itself, and passes on nothing that it has not read to its end and found whole.
// Tokens, and paths without one, are checked as the functions at the edge do it; whether an id was given out is not, as here
// it costs nobody anything to look for it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { asked, isProven, statusOf, wholeBody } from '../adapters/s3-answers.ts';
import { parseByteRange } from '../core/byte-range.ts';
import { isHeld } from '../core/entity-tag.ts';
import { OutageError, RequestError, UnlistedError } from '../core/errors.ts';
import { parseArtifactKey } from '../core/artifacts/artifacts.ts';
import { admittedPath } from '../core/access/playback-token.ts';
import type { PlaybackSecrets } from '../core/access/playback-token.ts';
import { logFailure, videoIdIn } from '../pipeline/observe.ts';
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
    const refusal = secrets ? stripToken(request, secrets) : refusalOf(request);
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
    // What is not there is made. So is what cannot be read whole, or of which nothing proves that it is.
    if (!stored) return origin(request, response);
    const { bytes, contentType, cacheControl, etag } = stored;
    const lasting = { ...(cacheControl ? { 'cache-control': cacheControl } : {}), ...(etag ? { etag } : {}) };
    if (isHeld(request.headers['if-none-match'], etag)) {
      response.writeHead(304, lasting).end();
      return;
    }
    const range = parseByteRange(request.headers.range, bytes.length);
    if (range === 'unsatisfiable') return origin(request, response); // which says it better
    const { first, last } = range ?? { first: 0, last: bytes.length - 1 };
    response.writeHead(range ? 206 : 200, {
      'content-type': contentType,
      'content-length': last + 1 - first,
      'accept-ranges': 'bytes',
      ...(range ? { 'content-range': `bytes ${first}-${last}/${bytes.length}` } : {}),
      ...lasting,
    });
    response.end(request.method === 'HEAD' ? undefined : bytes.subarray(first, last + 1));
  };

  /** The whole object, ranges or not, as a checksum is of the whole; undefined where that cannot be had. */
  async function lookUp(request: IncomingMessage): Promise<StoredFile | undefined> {
    const key = keyIn(request);
    if (key === undefined) return undefined;
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' });
    try {
      return await asked(async () => {
        const found = await client.send(command);
        const bytes = await wholeBody(found.Body as Readable, found.ContentLength);
        const { ContentType: contentType, CacheControl: cacheControl, ETag: etag } = found;
        return isProven(bytes, found) && bytes.length > 0
          ? { bytes, contentType, cacheControl, etag }
          : undefined;
      });
    } catch (error) {
      if (error instanceof OutageError) logFailure(videoIdIn(key), error);
      else if (statusOf(error) !== 404) throw error;
      return undefined;
    }
  }
}

/**
 * The key that a path names, by the letter: nothing is resolved, so `//v/…` and `/v/a/../b/…` name nothing, as at the edge.
 */
function keyIn({ url = '/' }: IncomingMessage): string | undefined {
  const [path = '/'] = url.split('?');
  try {
    const key = decodeURIComponent(path.slice(1));
    const names = key.split('/');
    return names[0] === 'v' && names.every((name) => !['', '.', '..'].includes(name)) ? key : undefined;
  } catch {
    return undefined; // no text in UTF-8
  }
}

interface StoredFile {
  bytes: Uint8Array;
  contentType: string | undefined;
  cacheControl: string | undefined;
  etag: string | undefined;
}

/** Why a path cannot be that of an artifact, if so. */
function refusalOf({ url = '/' }: IncomingMessage): RequestError | undefined {
  const [path = '/'] = url.split('?');
  return parseArtifactKey(path.slice(1)) ? undefined : new UnlistedError();
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
