// ListObjectsV2: the keys of a bucket in the order of their bytes, page by page.

import { MAX_KEY_BYTES, MAX_LISTED } from '../../core/aws-limits.ts';
import { xmlAnswer, type Answer, type Call, type Storage } from './call.ts';
import { S3Error } from './errors.ts';
import type { ObjectIndex, StoredObject } from './object-index.ts';
import { pathEncoded } from './target.ts';

export async function listObjects(call: Call, { index }: Storage): Promise<Answer> {
  index.requireBucket(call.bucket);
  const prefix = call.parameter('prefix') ?? '';
  const delimiter = call.parameter('delimiter') || undefined;
  const startAfter = call.parameter('start-after');
  const token = call.parameter('continuation-token');
  const encodingType = encodingTypeOf(call);
  const maxKeys = limitOf(call, 'max-keys', MAX_LISTED);

  const from = token === undefined ? successor(startAfter ?? '') : positionIn(token);
  const { entries, next } = pageOf(index, { bucket: call.bucket, prefix, delimiter, from, limit: maxKeys });

  const encoded = (text: string) => (encodingType === 'url' ? pathEncoded(text) : text);
  return xmlAnswer('ListBucketResult', {
    Name: call.bucket,
    Prefix: encoded(prefix),
    Delimiter: delimiter && encoded(delimiter),
    StartAfter: startAfter && encoded(startAfter),
    ContinuationToken: token,
    NextContinuationToken: next === undefined ? undefined : tokenOf(next),
    EncodingType: encodingType,
    MaxKeys: maxKeys,
    KeyCount: entries.length,
    IsTruncated: next !== undefined,
    Contents: entries
      .filter((entry) => typeof entry !== 'string')
      .map((object) => ({
        Key: encoded(object.key),
        LastModified: new Date(object.modifiedMs).toISOString(),
        ETag: `"${object.etag}"`,
        Size: object.sizeBytes,
        StorageClass: 'STANDARD',
      })),
    CommonPrefixes: entries
      .filter((entry) => typeof entry === 'string')
      .map((common) => ({ Prefix: encoded(common) })),
  });
}

/** A parameter such as `max-keys`: at most `most`. */
export function limitOf(call: Call, name: string, most: number, otherwise = most): number {
  const text = call.parameter(name) || String(otherwise);
  if (!/^\d{1,9}$/.test(text)) {
    throw new S3Error('InvalidArgument', `Provided ${name} not an integer or too large`);
  }
  return Math.min(Number(text), most);
}

export function encodingTypeOf(call: Call): 'url' | undefined {
  const type = call.parameter('encoding-type');
  if (type !== undefined && type !== 'url') {
    throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request');
  }
  return type;
}

/** Sorts after every key that begins like the text before it: U+10FFFF is last, and no key has room for more. */
const LAST = '\u{10FFFF}'.repeat(MAX_KEY_BYTES / 4);

/** Objects, and the prefixes (as text) that stand for all keys with a delimiter further on. */
function pageOf(
  index: ObjectIndex,
  query: { bucket: string; prefix: string; delimiter: string | undefined; from: string; limit: number },
): { entries: (StoredObject | string)[]; next?: string } {
  const { bucket, prefix, delimiter, limit } = query;
  const entries: (StoredObject | string)[] = [];
  let { from } = query;
  for (;;) {
    const object = limit > 0 ? index.objectFrom(bucket, from, prefix) : undefined;
    if (!object?.key.startsWith(prefix)) return { entries };
    if (entries.length === limit) return { entries, next: from };
    const cut = delimiter === undefined ? -1 : object.key.indexOf(delimiter, prefix.length);
    if (cut === -1) {
      entries.push(object);
      from = successor(object.key);
    } else {
      const common = object.key.slice(0, cut + delimiter!.length);
      entries.push(common);
      from = common + LAST;
    }
  }
}

/** The least key after this one. */
function successor(key: string): string {
  return key === '' ? '' : `${key}\0`;
}

function tokenOf(position: string): string {
  return Buffer.from(position).toString('base64url');
}

function positionIn(token: string): string {
  const position = Buffer.from(token, 'base64url').toString();
  if (token === '' || tokenOf(position) !== token) {
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  }
  return position;
}
