// Multipart uploads of a bucket, for parts that come from elsewhere.

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { Part, S3Client } from '@aws-sdk/client-s3';
import { RequestError } from '../core/errors.ts';
import type { MultipartStore } from '../pipeline/multipart.ts';

export function s3Multipart(client: S3Client, bucket: string): MultipartStore {
  return {
    async begin(key, { contentType, metadata }) {
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({
          Bucket: bucket,
          Key: key,
          ContentType: contentType,
          Metadata: metadata,
        }),
      );
      return UploadId!;
    },

    async parts(key, uploadId) {
      try {
        const found: Part[] = [];
        // The SDK's own paging goes by the marker for the next page, which some stores send with the last one as well.
        for (let marker: string | undefined, isMore = true; isMore;) {
          const of = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumberMarker: marker };
          const page = await client.send(new ListPartsCommand(of));
          found.push(...(page.Parts ?? []));
          [marker, isMore] = [page.NextPartNumberMarker, page.IsTruncated === true];
        }
        return found.map(({ PartNumber, ETag, Size }) => ({
          number: PartNumber!,
          etag: ETag!.replaceAll('"', ''),
          sizeBytes: Size!,
        }));
      } catch (error) {
        if (isGone(error)) return undefined;
        throw error;
      }
    },

    async complete(key, uploadId, parts) {
      const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: `"${etag}"` }));
      try {
        await client.send(
          new CompleteMultipartUploadCommand({
            Bucket: bucket,
            Key: key,
            UploadId: uploadId,
            MultipartUpload: { Parts },
            IfNoneMatch: '*',
          }),
        );
        return 'completed';
      } catch (error) {
        if (isGone(error)) return 'gone';
        // 412: something has the key; 409: something is about to.
        if (hasStatus(error, 412) || hasStatus(error, 409)) return 'exists';
        if (error instanceof S3ServiceException && UNFIT_PARTS.has(error.name)) {
          throw new RequestError(400, 'INVALID_REQUEST', `parts: ${error.message}`);
        }
        throw error;
      }
    },

    async abort(key, uploadId) {
      const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId });
      await client.send(command).catch((error: unknown) => {
        if (!isGone(error)) throw error;
      });
    },

    async *open(prefix, after) {
      let position = after;
      do {
        const page = await client.send(
          new ListMultipartUploadsCommand({
            Bucket: bucket,
            Prefix: prefix,
            KeyMarker: position?.key,
            UploadIdMarker: position?.uploadId,
          }),
        );
        for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
          yield { key: Key!, uploadId: UploadId!, begunAt: Initiated! };
        }
        position = page.IsTruncated
          ? { key: page.NextKeyMarker!, uploadId: page.NextUploadIdMarker! }
          : undefined;
      } while (position);
    },
  };
}

const UNFIT_PARTS = new Set(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall', 'MalformedXML']);

const hasStatus = (error: unknown, status: number): boolean =>
  error instanceof S3ServiceException && error.$metadata.httpStatusCode === status;

const isGone = (error: unknown): boolean =>
  error instanceof S3ServiceException && error.name === 'NoSuchUpload';
