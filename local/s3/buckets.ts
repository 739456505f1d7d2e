// Buckets: made, found, named, deleted; and who may use them from a browser.

import { z } from 'zod';
import { textOf } from './body.ts';
import { xmlAnswer, type Answer, type Call, type Storage } from './call.ts';
import type { CorsRule } from './cors-rules.ts';
import { runDeletions } from './deletion.ts';
import { S3Error } from './errors.ts';
import { parseXml } from './xml.ts';

// Also what keeps the names of web pages and of an API on the same port from being taken for buckets.
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const MAX_CORS_BYTES = 64 * 1024;

export async function listBuckets(_call: Call, { index, keyring }: Storage): Promise<Answer> {
  return xmlAnswer('ListAllMyBucketsResult', {
    Owner: { ID: keyring.accessKeyId },
    Buckets: {
      Bucket: index.buckets().map(({ name, createdMs }) => ({
        Name: name,
        CreationDate: new Date(createdMs).toISOString(),
      })),
    },
  });
}

/** Making one's own bucket again is no error, as in us-east-1: a program may begin with it. */
export async function createBucket(call: Call, { index }: Storage): Promise<Answer> {
  if (!BUCKET_NAME.test(call.bucket)) throw new S3Error('InvalidBucketName');
  index.createBucket(call.bucket, Date.now());
  return { status: 200, headers: { location: `/${call.bucket}` } };
}

export async function headBucket(call: Call, { index, keyring }: Storage): Promise<Answer> {
  index.requireBucket(call.bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': keyring.region } };
}

export async function deleteBucket(call: Call, storage: Storage): Promise<Answer> {
  await runDeletions(storage, [() => storage.index.deleteBucket(call.bucket)]);
  return { status: 204 };
}

const Rule = z.object({
  AllowedOrigin: z.array(z.string()).min(1),
  AllowedMethod: z.array(z.enum(['GET', 'PUT', 'POST', 'DELETE', 'HEAD'])).min(1),
  AllowedHeader: z.array(z.string()).default([]),
  ExposeHeader: z.array(z.string()).default([]),
  MaxAgeSeconds: z.coerce.number().int().nonnegative().optional(),
});
const Configuration = z.object({ CORSRule: z.array(Rule).min(1).max(100) });

export async function putBucketCors(call: Call, { index }: Storage): Promise<Answer> {
  index.requireBucket(call.bucket);
  const { CORSRule } = parseXml(await textOf(call, MAX_CORS_BYTES), 'CORSConfiguration', Configuration);
  const rules: CorsRule[] = CORSRule.map((rule) => ({
    allowedOrigins: rule.AllowedOrigin,
    allowedMethods: rule.AllowedMethod,
    allowedHeaders: rule.AllowedHeader,
    exposeHeaders: rule.ExposeHeader,
    maxAgeSeconds: rule.MaxAgeSeconds,
  }));
  index.setCorsRules(call.bucket, rules);
  return { status: 200 };
}

export async function getBucketCors(call: Call, { index }: Storage): Promise<Answer> {
  const { corsRules } = index.requireBucket(call.bucket);
  if (!corsRules) throw new S3Error('NoSuchCORSConfiguration', undefined, { BucketName: call.bucket });
  return xmlAnswer('CORSConfiguration', {
    CORSRule: corsRules.map((rule) => ({
      AllowedOrigin: rule.allowedOrigins,
      AllowedMethod: rule.allowedMethods,
      AllowedHeader: rule.allowedHeaders,
      ExposeHeader: rule.exposeHeaders,
      MaxAgeSeconds: rule.maxAgeSeconds,
    })),
  });
}
