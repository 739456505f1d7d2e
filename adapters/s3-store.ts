// A bucket of S3, or of anything that speaks its protocol, as a Store.

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
  UploadPartCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import type { CompletedPart, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { sourceReplaced } from '../core/errors.ts';
import type { PutOptions, Store } from '../pipeline/store.ts';

/** S3 deletes at most so many keys by one request. */
const DELETE_BATCH = 1000;
/** How often a write is tried that meets another one. */
const CONFLICTS = 10;

export function s3Store(client: S3Client, bucket: string): Store {
  const absent = (error: unknown): undefined => {
    // Without s3:ListBucket AWS answers 403 for a missing key; our functions have that permission.
    if (statusOf(error) === 404) return undefined;
    throw error;
  };
  const getTagged: Store['getTagged'] = async (key) => {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key });
    const found = await client.send(command).catch(absent);
    return found?.Body && { bytes: await found.Body.transformToByteArray(), etag: etagOf(found.ETag) };
  };
  /** False where the condition does not hold. */
  const hasWritten = async (input: PutObjectCommandInput): Promise<boolean> => {
    const isConditional = input.IfMatch !== undefined || input.IfNoneMatch !== undefined;
    for (let left = CONFLICTS; ; left -= 1) {
      try {
        await client.send(new PutObjectCommand(input));
        return true;
      } catch (error) {
        const status = statusOf(error);
        if (isConditional && status === 412) return false;
        if (input.IfMatch !== undefined && status === 404) return false;
        // ConditionalRequestConflict: another write or deletion of the key was under way.
        if (!isConditional || status !== 409 || left === 1) throw error;
      }
    }
  };
  return {
    head: (key) =>
      client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).then(
        (found) => ({
          sizeBytes: found.ContentLength ?? 0,
          lastModified: found.LastModified ?? new Date(0),
          etag: etagOf(found.ETag),
          metadata: found.Metadata ?? {},
        }),
        absent,
      ),
    get: (key) => getTagged(key).then((found) => found?.bytes),
    getTagged,
    async readRange(key, { first, last, etag }, signal) {
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        Range: `bytes=${first}-${last}`,
        IfMatch: etag && `"${etag}"`,
      });
      try {
        const { Body } = await client.send(command, { abortSignal: signal });
        return Body as AsyncIterable<Uint8Array> & typeof Body;
      } catch (error) {
        throw statusOf(error) === 412 ? sourceReplaced() : error;
      }
    },
    async put(key, body, { contentType, cacheControl, ifAbsent, ifMatch }) {
      const object = { Bucket: bucket, Key: key, Body: body };
      const labels = { ContentType: contentType, CacheControl: cacheControl };
      for (const condition of conditionsOf({ ifAbsent, ifMatch })) {
        if (await hasWritten({ ...object, ...labels, ...condition })) return 'stored';
      }
      return 'exists';
    },
    async upload(key, { contentType }) {
      const of = { Bucket: bucket, Key: key };
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ ...of, ContentType: contentType }),
      );
      const Parts: CompletedPart[] = [];
      let ended = false;
      return {
        async part(PartNumber, Body) {
          const { ETag } = await client.send(new UploadPartCommand({ ...of, UploadId, PartNumber, Body }));
          Parts.push({ PartNumber, ETag });
        },
        async complete() {
          Parts.sort((a, b) => a.PartNumber! - b.PartNumber!);
          await client.send(
            new CompleteMultipartUploadCommand({ ...of, UploadId, MultipartUpload: { Parts } }),
          );
          ended = true;
        },
        async abort() {
          if (!ended) await client.send(new AbortMultipartUploadCommand({ ...of, UploadId }));
          ended = true;
        },
      };
    },
    async *list(prefix, after) {
      const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix, StartAfter: after });
      for await (const { Contents = [] } of pages) {
        for (const { Key, Size } of Contents) yield { key: Key ?? '', sizeBytes: Size ?? 0 };
      }
    },
    async delete(keys) {
      for (let from = 0; from < keys.length; from += DELETE_BATCH) {
        const Objects = keys.slice(from, from + DELETE_BATCH).map((Key) => ({ Key }));
        const answer = await client.send(
          new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
        );
        const failed = answer.Errors?.[0];
        if (failed) throw new Error(`delete of ${failed.Key} in ${bucket}: ${failed.Code} ${failed.Message}`);
      }
    },
  };
}

/** Ceph 16 compares what stands in the quotes together with them, so the same is asked without. */
function conditionsOf({
  ifAbsent,
  ifMatch,
}: Pick<PutOptions, 'ifAbsent' | 'ifMatch'>): Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>[] {
  if (ifAbsent) return [{ IfNoneMatch: '*' }];
  return ifMatch === undefined ? [{}] : [{ IfMatch: `"${ifMatch}"` }, { IfMatch: ifMatch }];
}

const etagOf = (header: string | undefined): string => header?.replaceAll('"', '') ?? '';

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
