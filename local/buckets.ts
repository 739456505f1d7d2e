// The two buckets on whatever store is configured, made when missing.

import {
  CreateBucketCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';

/** @throws S3ServiceException where the store refuses: wrong credentials, a name that somebody else has. */
export async function ensureBuckets(
  client: S3Client,
  { uploads, media }: { uploads: string; media: string },
): Promise<void> {
  for (const bucket of [uploads, media]) {
    if (!(await exists(client, bucket))) await client.send(new CreateBucketCommand({ Bucket: bucket }));
  }
  // A presigned URL is the authority; the page may be on any origin.
  const rule = {
    AllowedOrigins: ['*'],
    AllowedMethods: ['GET', 'PUT', 'POST', 'DELETE'],
    AllowedHeaders: ['*'],
    ExposeHeaders: ['ETag', 'Location'],
    MaxAgeSeconds: 3600,
  };
  await client.send(new PutBucketCorsCommand({ Bucket: uploads, CORSConfiguration: { CORSRules: [rule] } }));
}

async function exists(client: S3Client, bucket: string): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return true;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return false;
    throw error;
  }
}
