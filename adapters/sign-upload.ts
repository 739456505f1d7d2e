// Presigned requests to S3 that carry a file, or a part of one: whoever has the URL or the form needs nothing else.

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { SIGNED_SECONDS } from '../core/limits.ts';
import type { SignUpload, SignedRequest } from '../pipeline/uploads/sign-upload.ts';

export const signUploads = (client: S3Client, bucket: string): SignUpload => ({
  async put(key, { contentType, sizeBytes }) {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      ContentType: contentType,
      ContentLength: sizeBytes,
      IfNoneMatch: '*',
    });
    const url = await getSignedUrl(client, command, {
      expiresIn: SIGNED_SECONDS,
      // Headers that are only in the query string would not be enforced.
      signableHeaders: new Set(['content-type', 'content-length', 'if-none-match', 'host']),
      unhoistableHeaders: new Set(['if-none-match']),
    });
    // A browser sends Content-Length by itself, and may not be told to.
    return { method: 'PUT', url, headers: { 'Content-Type': contentType, 'If-None-Match': '*' } };
  },

  async form(key, { contentType, maxBytes, metadata }) {
    const named = Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]);
    return createPresignedPost(client, {
      Bucket: bucket,
      Key: key,
      Conditions: [['content-length-range', 0, maxBytes]],
      // Some libraries read the answer's XML, which S3 sends with this status only.
      Fields: {
        'Content-Type': contentType,
        success_action_status: '201',
        ...(Object.fromEntries(named) as Record<string, string>),
      },
      Expires: SIGNED_SECONDS,
    });
  },

  part(key, uploadId, { number, sizeBytes }) {
    const command = new UploadPartCommand({
      Bucket: bucket,
      Key: key,
      UploadId: uploadId,
      PartNumber: number,
      ContentLength: sizeBytes,
    });
    const signableHeaders = new Set(['host', ...(sizeBytes === undefined ? [] : ['content-length'])]);
    return getSignedUrl(client, command, { expiresIn: SIGNED_SECONDS, signableHeaders });
  },

  async multipart(key, request): Promise<SignedRequest> {
    const of = { Bucket: bucket, Key: key };
    const expiresIn = SIGNED_SECONDS;
    if (request.kind === 'begin') {
      const { contentType } = request;
      const command = new CreateMultipartUploadCommand({ ...of, ContentType: contentType });
      if (contentType === undefined) return { url: await getSignedUrl(client, command, { expiresIn }) };
      const signableHeaders = new Set(['content-type', 'host']);
      const url = await getSignedUrl(client, command, { expiresIn, signableHeaders });
      return { url, headers: { 'Content-Type': contentType } };
    }
    const { kind, uploadId: UploadId } = request;
    if (kind === 'complete') {
      const command = new CompleteMultipartUploadCommand({ ...of, UploadId, IfNoneMatch: '*' });
      const signableHeaders = new Set(['if-none-match', 'host']);
      const unhoistableHeaders = new Set(['if-none-match']);
      const url = await getSignedUrl(client, command, { expiresIn, signableHeaders, unhoistableHeaders });
      return { url, headers: { 'If-None-Match': '*' } };
    }
    if (kind === 'list') {
      return { url: await getSignedUrl(client, new ListPartsCommand({ ...of, UploadId }), { expiresIn }) };
    }
    const command = new AbortMultipartUploadCommand({ ...of, UploadId });
    return { url: await getSignedUrl(client, command, { expiresIn }) };
  },
});
