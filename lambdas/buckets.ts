// The two buckets, from the environment.

import { S3Client } from '@aws-sdk/client-s3';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { S3Links } from '../adapters/s3-links.ts';
import { s3Store } from '../adapters/s3-store.ts';
import type { World } from '../pipeline/world.ts';
import { requireEnv } from './environment.ts';

/**
 * A client that gives up on a store that says nothing. Its requests wait in line for a connection, which the SDK counts
 * as connecting: so only silence on a connection has a limit.
 */
export function s3Client(config: S3ClientConfig = {}): S3Client {
  const agent = { keepAlive: true, maxSockets: MOST_CONNECTIONS };
  return new S3Client({
    // Every S3-compatible store takes path-style addresses; AWS takes them too, but wants the other kind.
    forcePathStyle: Boolean(process.env['AWS_ENDPOINT_URL_S3']),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: {
      socketTimeout: SILENCE_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...config,
  });
}

/** Of each client; a hundred viewers at once wait a little for each other instead of for the store's own limit. */
const MOST_CONNECTIONS = 64;

/** For so long nothing may come or go before a request is given up and tried again. */
const SILENCE_MS = 15_000;

/** @param links how their objects are granted to others, for whoever does that */
export function bucketsFromEnvironment(
  client = s3Client(),
  links?: (client: S3Client, bucket: string) => S3Links,
): Pick<World, 'uploads' | 'media'> {
  const store = (bucket: string) => s3Store(client, bucket, links?.(client, bucket));
  return { uploads: store(requireEnv('UPLOADS_BUCKET')), media: store(requireEnv('MEDIA_BUCKET')) };
}
