// One object: written, read, deleted; and many deleted at once.

import { Readable } from 'node:stream';
import { z } from 'zod';
import { MAX_DELETED_KEYS } from '../../core/aws-limits.ts';
import { parseByteRange } from '../../core/byte-range.ts';
import { bodyOf, textOf, type Body } from './body.ts';
import { xmlAnswer, type Answer, type Call, type Storage } from './call.ts';
import { runDeletions } from './deletion.ts';
import { S3Error } from './errors.ts';
import type { ObjectCreated } from './events.ts';
import { headerText, objectHeaders } from './object-headers.ts';
import type { StoredObject } from './object-index.ts';
import { isUnchanged, preconditionIn, type Precondition } from './precondition.ts';
import { parseXml } from './xml.ts';

export async function putObject(call: Call, storage: Storage): Promise<Answer> {
  storage.index.requireBucket(call.bucket);
  const precondition = preconditionIn(call.headers);
  const object = await storeObject(storage, {
    call,
    key: call.key,
    headers: objectHeaders(call.headers),
    body: bodyOf(call),
    precondition,
    eventName: 'ObjectCreated:Put',
  });
  return { status: 200, headers: { etag: `"${object.etag}"`, ...object.checksums } };
}

export async function storeObject(
  storage: Storage,
  { call, key, headers, body, precondition, eventName }: Upload,
): Promise<StoredObject> {
  const { blobs, index, announce } = storage;
  const { object, freed } = await written(storage, call.bucket, key, body, (blob) => {
    const { sizeBytes, md5, checksums } = body.facts();
    const object = {
      key,
      modifiedMs: Date.now(),
      etag: md5.toString('hex'),
      headers,
      checksums,
      upload: undefined,
      pieces: [{ blob, sizeBytes }],
    };
    return index.put(call.bucket, object, precondition);
  });
  announce({ eventName, bucket: call.bucket, object, requestId: call.requestId, sourceIp: call.sourceIp });
  await blobs.remove(freed);
  return object;
}

async function written<T>(
  { blobs, space, mayUseReserve }: Storage,
  bucket: string,
  key: string,
  body: Body,
  claim: (blob: string) => T,
): Promise<T> {
  const chunks = space.admitted(body.chunks, body.declaredBytes);
  if (!mayUseReserve(bucket, key)) return blobs.write(chunks, claim);
  const kept: Buffer[] = [];
  for await (const chunk of chunks) kept.push(chunk);
  return space.freeingSoon(() => blobs.write(Readable.from(kept, { objectMode: true }), claim));
}

interface Upload {
  call: Call;
  key: string;
  headers: Record<string, string>;
  body: Body;
  precondition: Precondition;
  eventName: ObjectCreated['eventName'];
}

/** GetObject and HeadObject: the server leaves the body out of an answer to HEAD. */
export async function getObject(call: Call, { index, blobs }: Storage): Promise<Answer> {
  index.requireBucket(call.bucket);
  const object = index.object(call.bucket, call.key);
  if (!object) throw new S3Error('NoSuchKey', undefined, { Key: call.key });

  const { sizeBytes, etag } = object;
  const headers = {
    'content-type': 'binary/octet-stream',
    ...object.headers,
    ...headersAskedFor(call),
    etag: `"${etag}"`,
    'last-modified': new Date(object.modifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (isUnchanged(preconditionIn(call.headers), object)) return { status: 304, headers };

  const range = parseByteRange(call.headers.get('range'), sizeBytes);
  if (range === 'unsatisfiable') {
    throw new S3Error('InvalidRange', undefined, { ActualObjectSize: sizeBytes });
  }
  const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
  // The checksums are those of the whole; a client would hold them against what it gets.
  const checksums = !range && call.headers.get('x-amz-checksum-mode') === 'ENABLED' ? object.checksums : {};
  return {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      ...checksums,
      'content-length': last - first + 1,
      ...(range ? { 'content-range': `bytes ${first}-${last}/${sizeBytes}` } : {}),
    },
    ...(call.request.method === 'HEAD' ? {} : { body: await blobs.read(index.slices(object, first, last)) }),
  };
}

export async function deleteObject(call: Call, storage: Storage): Promise<Answer> {
  const { index } = storage;
  index.requireBucket(call.bucket);
  await runDeletions(storage, [() => index.delete(call.bucket, call.key, preconditionIn(call.headers))]);
  return { status: 204 };
}

const MAX_DELETE_BYTES = 4 * 1024 * 1024; // a thousand keys, each character spelled as an entity

const Delete = z.object({
  Quiet: z.string().optional(),
  Object: z.array(z.strictObject({ Key: z.string().min(1), '#text': z.string().optional() })).min(1),
});

export async function deleteObjects(call: Call, storage: Storage): Promise<Answer> {
  const { index } = storage;
  index.requireBucket(call.bucket);
  const { Quiet, Object } = parseXml(await textOf(call, MAX_DELETE_BYTES), 'Delete', Delete);
  if (Object.length > MAX_DELETED_KEYS) throw new S3Error('MalformedXML');
  const deletionOf =
    ({ Key }: { Key: string }) =>
    () =>
      index.delete(call.bucket, Key);
  await runDeletions(storage, Object.map(deletionOf));
  return xmlAnswer('DeleteResult', Quiet === 'true' ? {} : { Deleted: Object.map(({ Key }) => ({ Key })) });
}

/** `response-content-type=…` and its like, by which whoever signs a URL chooses headers of the answer. */
function headersAskedFor(call: Call): Record<string, string> {
  const asked = call.query
    .filter(([name]) => name.startsWith('response-'))
    .map(([name, value]) => [name.slice('response-'.length), headerText(value)] as const);
  return objectHeaders(new Map(asked));
}
