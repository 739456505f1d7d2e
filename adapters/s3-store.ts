// A bucket of S3, or of anything that speaks its protocol, as a Store.

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { MAX_DELETED_KEYS } from '../core/aws-limits.ts';
import { OutageError, notFound, sourceReplaced } from '../core/errors.ts';
import type { PutOptions, Store } from '../pipeline/store.ts';
import { backoffMs, pause } from '../machine/patience.ts';
import type { S3Links } from './s3-links.ts';
import { s3Multipart } from './s3-multipart.ts';
import { asked, askedWhole, isProven, lengthMetadata, statusOf, wholeBody } from './s3-answers.ts';

const noLinks = (): Promise<never> => Promise.reject(new Error('this store was opened without links'));
const NO_LINKS: S3Links = { read: noLinks, writeOnce: noLinks, parts: noLinks };

/** How often a write is tried that meets another one. */
const CONFLICTS = 10;

/** @param links for those who grant its objects to others */
export function s3Store(client: S3Client, bucket: string, links: S3Links = NO_LINKS): Store {
  const absent = (error: unknown): undefined => {
    // Without s3:ListBucket AWS answers 403 for a missing key; our functions have that permission.
    if (statusOf(error) === 404) return undefined;
    throw error;
  };
  const getTagged: Store['getTagged'] = (key) =>
    askedWhole(async () => {
      const command = new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' });
      const found = await client.send(command);
      const bytes = await wholeBody(found.Body as Readable, found.ContentLength);
      return { bytes, etag: etagOf(found.ETag), isProven: isProven(bytes, found) };
    }).catch(absent);
  /**
   * Of an object that is complete, every other upload is in vain: of whoever was killed, did not hear that one had
   * begun, or is slower and making the same.
   */
  const abortOthers = async (key: string): Promise<void> => {
    const uploads = s3Multipart(client, bucket);
    for await (const { uploadId } of uploads.open(key)) await uploads.abort(key, uploadId);
  };
  /** False where the condition does not hold. */
  const hasWritten = async (input: PutObjectCommandInput): Promise<boolean> => {
    const isConditional = input.IfMatch !== undefined || input.IfNoneMatch !== undefined;
    for (let left = CONFLICTS; ; left -= 1) {
      try {
        await asked(() => client.send(new PutObjectCommand(input)));
        return true;
      } catch (error) {
        const status = statusOf(error);
        if (isConditional && status === 412) return false;
        if (input.IfMatch !== undefined && status === 404) return false;
        // ConditionalRequestConflict: another write or deletion of the key was under way.
        if (!isConditional || status !== 409 || left === 1) throw error;
        await pause(backoffMs(1 + CONFLICTS - left));
      }
    }
  };
  return {
    readLink: links.read,
    writeLink: links.writeOnce,
    head: (key) =>
      asked(() => client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).then(
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
        const answer = await asked(() => client.send(command, { abortSignal: signal }));
        const isAsAsked =
          answer.ContentRange?.startsWith(`bytes ${first}-${last}/`) &&
          (etag === undefined || etagOf(answer.ETag) === etag);
        if (!isAsAsked) {
          (answer.Body as Readable).destroy();
          const message = `The store answered ${answer.ContentRange} of ${answer.ETag} to bytes ${first}-${last} of ${etag}.`;
          throw new OutageError('STORE_UNAVAILABLE', message);
        }
        return answer.Body as AsyncIterable<Uint8Array> & typeof answer.Body;
      } catch (error) {
        if (statusOf(error) === 404) throw notFound('such source');
        throw statusOf(error) === 412 ? sourceReplaced() : error;
      }
    },
    async put(key, body, { contentType, cacheControl, ifAbsent, ifMatch }) {
      // The store compares it with what came, keeps it, and has it compared again by whoever reads the object.
      const object = {
        ...{ Bucket: bucket, Key: key, Body: body, ChecksumAlgorithm: 'CRC32' as const },
        Metadata: lengthMetadata(body),
      };
      const labels = { ContentType: contentType, CacheControl: cacheControl };
      for (const condition of conditionsOf({ ifAbsent, ifMatch })) {
        if (await hasWritten({ ...object, ...labels, ...condition })) return 'stored';
      }
      return 'exists';
    },
    async upload(key, { contentType }) {
      const of = { Bucket: bucket, Key: key };
      const { UploadId } = await asked(() =>
        client.send(new CreateMultipartUploadCommand({ ...of, ContentType: contentType })),
      );
      let ended = false;
      return {
        async part(number, Body) {
          const command = new UploadPartCommand({ ...of, UploadId, PartNumber: number, Body });
          const { ETag } = await asked(() => client.send(command)).catch(completedElsewhere);
          return { number, etag: etagOf(ETag) };
        },
        async complete(parts, sizeBytes) {
          const Parts = [...parts]
            .sort((a, b) => a.number - b.number)
            .map(({ number, etag }) => ({ PartNumber: number, ETag: `"${etag}"` }));
          const command = new CompleteMultipartUploadCommand({ ...of, UploadId, MultipartUpload: { Parts } });
          // Where an answer was lost, the second request finds no such upload; whether there is an object is looked at.
          await asked(() => client.send(command)).catch((error: unknown) => {
            if (statusOf(error) !== 404) throw error;
          });
          const stored = await asked(() => client.send(new HeadObjectCommand(of))).catch(absent);
          if (stored?.ContentLength !== sizeBytes) {
            const message = `The store has ${stored?.ContentLength ?? 'none'} of the ${sizeBytes} bytes of ${key}.`;
            throw new OutageError('STORE_UNAVAILABLE', message);
          }
          ended = true;
          // Where that fails, the rules of the bucket forget them.
          await abortOthers(key).catch(() => undefined);
        },
        partLinks: (numbers) => links.parts(key, UploadId!, numbers),
        async abort() {
          const command = new AbortMultipartUploadCommand({ ...of, UploadId });
          if (!ended) await asked(() => client.send(command)).catch(absent);
          ended = true;
        },
      };
    },
    async *list(prefix, after) {
      const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix, StartAfter: after });
      for (;;) {
        const { done, value } = await asked(() => pages.next());
        if (done) return;
        for (const { Key, Size, ETag } of value.Contents ?? []) {
          yield { key: Key ?? '', sizeBytes: Size ?? 0, etag: etagOf(ETag) };
        }
      }
    },
    async delete(keys) {
      for (let from = 0; from < keys.length; from += MAX_DELETED_KEYS) {
        const Objects = keys.slice(from, from + MAX_DELETED_KEYS).map((Key) => ({ Key }));
        const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
        const failed = (await asked(() => client.send(command))).Errors?.[0];
        if (failed) {
          const message = `delete of ${failed.Key} in ${bucket}: ${failed.Code} ${failed.Message}`;
          throw new OutageError('STORE_UNAVAILABLE', message);
        }
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

function completedElsewhere(error: unknown): never {
  if (statusOf(error) !== 404) throw error;
  throw new OutageError('STORE_UNAVAILABLE', 'Another has made the same object meanwhile.', { cause: error });
}
