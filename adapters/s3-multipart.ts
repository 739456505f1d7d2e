// Multipart uploads of a bucket, for parts that come from elsewhere. Every call throws OutageError where the store is
// away, or full.

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
import type { MultipartStore, StoredPart } from '../pipeline/uploads/multipart.ts';
import { asked, statusOf } from './s3-answers.ts';

export function s3Multipart(client: S3Client, bucket: string): MultipartStore {
  async function partsOf(key: string, uploadId: string, pages: number): Promise<StoredPart[] | undefined> {
    try {
      const found: Part[] = [];
      // The SDK's own paging goes by the marker for the next page, which some stores send with the last one as well.
      for (let marker: string | undefined, page = 0, isMore = true; isMore && page < pages; page += 1) {
        const of = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumberMarker: marker };
        const answer = await asked(() => client.send(new ListPartsCommand(of)));
        found.push(...(answer.Parts ?? []));
        [marker, isMore] = [answer.NextPartNumberMarker, answer.IsTruncated === true];
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
  }

  return {
    async begin(key, { contentType, metadata }) {
      const command = new CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        ContentType: contentType,
        Metadata: metadata,
      });
      const { UploadId } = await asked(() => client.send(command));
      return UploadId!;
    },

    parts: (key, uploadId) => partsOf(key, uploadId, Infinity),

    firstParts: (key, uploadId) => partsOf(key, uploadId, 1),

    async complete(key, uploadId, parts) {
      const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: `"${etag}"` }));
      const command = new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts },
        IfNoneMatch: '*',
      });
      try {
        await asked(() => client.send(command).catch(unfitParts));
        return 'completed';
      } catch (error) {
        if (isGone(error)) return 'gone';
        // 412: something has the key; 409: something is about to.
        if (statusOf(error) === 412 || statusOf(error) === 409) return 'exists';
        throw error;
      }
    },

    async abort(key, uploadId) {
      const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId });
      await asked(() => client.send(command)).catch((error: unknown) => {
        if (!isGone(error)) throw error;
      });
    },

    async *open(prefix, after) {
      let position = after;
      do {
        const command = new ListMultipartUploadsCommand({
          Bucket: bucket,
          Prefix: prefix,
          KeyMarker: position?.key,
          UploadIdMarker: position?.uploadId,
        });
        const page = await asked(() => client.send(command));
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

/** @throws RequestError INVALID_REQUEST */
function unfitParts(error: unknown): never {
  if (error instanceof S3ServiceException && UNFIT_PARTS.has(error.name)) {
    throw new RequestError(400, 'INVALID_REQUEST', `parts: ${error.message}`);
  }
  throw error;
}

const isGone = (error: unknown): boolean =>
  error instanceof S3ServiceException && error.name === 'NoSuchUpload';
