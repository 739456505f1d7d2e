// What may befall a store behind its own back, and a system.

import { readFile, readdir, stat, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { GetObjectCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { descendantsOf, isEncoder } from './descendants.ts';
import { formOf } from './post-form.ts';
import { oneOf } from './random-numbers.ts';
import { BUCKETS, objectAt } from './upgrade.ts';

const [, MEDIA] = BUCKETS;

/**
 * Cuts the file that holds an object of the embedded store. It is known by its bytes, as keys are no paths.
 * @param share of its bytes that stay
 * @param directory of the store
 */
export async function cutBlob(
  directory: string,
  client: S3Client,
  key: string,
  share: number,
): Promise<boolean> {
  const bytes = await objectAt(client, key).catch(() => undefined);
  if (!bytes || bytes.length === 0) return false;
  const blobs = join(directory, 'blobs');
  for (const name of await readdir(blobs)) {
    const path = join(blobs, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.size !== bytes.length) continue;
    if (!(await readFile(path).catch(() => Buffer.alloc(0))).equals(bytes)) continue;
    return truncate(path, Math.floor(bytes.length * share)).then(
      () => true,
      () => false, // removed meanwhile
    );
  }
  return false;
}

/** Puts the first part of an object in its place, labelled as it was. */
export async function replaceByPart(client: S3Client, key: string, share: number): Promise<boolean> {
  const of = { Bucket: MEDIA, Key: key };
  try {
    const { Body, ContentType, CacheControl, Metadata, ETag } = await client.send(new GetObjectCommand(of));
    const bytes = Buffer.from(await Body!.transformToByteArray());
    const part = bytes.subarray(0, Math.floor(bytes.length * share));
    // Not where it was deleted meanwhile.
    const labels = { ContentType, CacheControl, Metadata, IfMatch: ETag };
    await client.send(new PutObjectCommand({ ...of, Body: part, ...labels }));
    return bytes.length > 0;
  } catch {
    return false;
  }
}

/** A form for a video whose file has not come, to send another with later. */
export async function formFor({ uploadUrl }: { uploadUrl: string }, filename: string): Promise<Form> {
  const query = new URLSearchParams({ filename, type: 'application/octet-stream' });
  const answer = await fetch(`${uploadUrl}/s3/params?${query}`);
  if (!answer.ok) throw new Error(`form: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Form;
}

export interface Form {
  url: string;
  fields: Record<string, string>;
}

/** False where that is refused. */
export async function sendByForm({ url, fields }: Form, path: string): Promise<boolean> {
  const file = new Blob([await readFile(path)]);
  const answer = await fetch(url, { method: 'POST', body: formOf(fields, file, basename(path)) });
  await answer.arrayBuffer();
  return answer.ok;
}

/** Ends one of the encoders that a server has begun, if there is one. */
export async function killEncoder(pid: number, random: () => number): Promise<boolean> {
  const encoders = (await descendantsOf(pid)).filter(isEncoder);
  if (encoders.length === 0) return false;
  try {
    return process.kill(oneOf(encoders, random).pid, oneOf(['SIGKILL', 'SIGTERM'] as const, random));
  } catch {
    return false; // it has ended by itself
  }
}

/** Uploads in parts that are neither complete nor aborted, as `bucket/key`. */
export async function openUploads(client: S3Client): Promise<string[]> {
  const lists = await Promise.all(
    BUCKETS.map(async (Bucket) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      return Uploads.map(({ Key }) => `${Bucket}/${Key}`);
    }),
  );
  return lists.flat();
}
