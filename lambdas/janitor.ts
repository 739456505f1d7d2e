// A request to remove a video, or what it does not need (any more), was stored: S3 says so.

import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import type { S3Event } from 'aws-lambda';
import { cloudFrontCdn } from '../adapters/cloudfront-cdn.ts';
import { s3Multipart } from '../adapters/s3-multipart.ts';
import { parseCleanupKey } from '../core/artifacts/keys.ts';
import { cleanUp } from '../pipeline/life/janitor.ts';
import type { Cdn } from '../pipeline/life/janitor.ts';
import { withFailureLogged } from '../pipeline/observe.ts';
import { bucketsFromEnvironment, s3Client } from './buckets.ts';
import { createdKeys } from './created-keys.ts';
import { requireEnv } from './environment.ts';

const client = s3Client();
const world = {
  ...bucketsFromEnvironment(client),
  unfinished: {
    uploads: s3Multipart(client, requireEnv('UPLOADS_BUCKET')),
    media: s3Multipart(client, requireEnv('MEDIA_BUCKET')),
  },
  cdn: cdnFromEnvironment(),
};

/** Undefined on one machine, whose server keeps nothing. */
function cdnFromEnvironment(): Cdn | undefined {
  const distributionId = process.env['DISTRIBUTION_ID'];
  return distributionId === undefined ? undefined : cloudFrontCdn(new CloudFrontClient(), distributionId);
}

export async function handler(event: S3Event): Promise<void> {
  for (const key of createdKeys(event)) {
    const id = parseCleanupKey(key);
    if (id) await withFailureLogged(id, () => cleanUp(id, world));
  }
}
