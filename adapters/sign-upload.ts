// Presigned PUTs to S3.

import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { SignUpload } from '../pipeline/create-upload.ts';

// A presigned URL dies with the session of the role that signed it; an hour is safe.
const EXPIRES_SECONDS = 3600;

export const signUploads =
  (client: S3Client, bucket: string): SignUpload =>
  async (key, { contentType, sizeBytes }) => {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      ContentType: contentType,
      ContentLength: sizeBytes,
      IfNoneMatch: '*',
    });
    const url = await getSignedUrl(client, command, {
      expiresIn: EXPIRES_SECONDS,
      // Headers that are only in the query string would not be enforced.
      signableHeaders: new Set(['content-type', 'content-length', 'if-none-match', 'host']),
      unhoistableHeaders: new Set(['if-none-match']),
    });
    // A browser sends Content-Length by itself, and may not be told to.
    return { method: 'PUT', url, headers: { 'Content-Type': contentType, 'If-None-Match': '*' } };
  };
