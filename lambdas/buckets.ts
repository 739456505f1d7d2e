// The two buckets, from the environment.

import { S3Client } from '@aws-sdk/client-s3';
import { s3Store } from '../adapters/s3-store.ts';
import type { World } from '../pipeline/world.ts';
import { requireEnv } from './environment.ts';

export function s3Client(): S3Client {
  // Every S3-compatible store takes path-style addresses; AWS takes them too, but wants the other kind.
  return new S3Client({
    forcePathStyle: Boolean(process.env['AWS_ENDPOINT_URL_S3']),
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
}

export function bucketsFromEnvironment(client = s3Client()): Pick<World, 'uploads' | 'media'> {
  return {
    uploads: s3Store(client, requireEnv('UPLOADS_BUCKET')),
    media: s3Store(client, requireEnv('MEDIA_BUCKET')),
  };
}
