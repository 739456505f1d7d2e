// The client of whatever store the environment names.

import { S3Client } from '@aws-sdk/client-s3';

export function s3Client(): S3Client {
  // Every S3-compatible store takes path-style addresses; AWS takes them too, but wants the other kind.
  return new S3Client({
    forcePathStyle: Boolean(process.env['AWS_ENDPOINT_URL_S3']),
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
}
