// Multipart uploads: begun, sent part by part in any order, completed or aborted.

import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { MAX_LISTED, MAX_PARTS, MIN_PART_BYTES } from '../../core/aws-limits.ts';
import { bodyOf, textOf } from './body.ts';
import { locationOf, xmlAnswer, type Answer, type Call, type Storage } from './call.ts';
import { runDeletions } from './deletion.ts';
import { CHECKSUMS } from './digests.ts';
import { S3Error } from './errors.ts';
import { encodingTypeOf, limitOf } from './listing.ts';
import { objectHeaders } from './object-headers.ts';
import { preconditionIn } from './precondition.ts';
import { pathEncoded } from './target.ts';
import type { MultipartUpload, Part } from './upload-index.ts';
import { parseXml } from './xml.ts';

const MAX_COMPLETE_BYTES = 4 * 1024 * 1024; // ten thousand parts with a checksum each

export async function createUpload(call: Call, { index, uploads }: Storage): Promise<Answer> {
  index.requireBucket(call.bucket);
  const id = randomUUID();
  const headers = objectHeaders(call.headers);
  uploads.begin({ id, bucket: call.bucket, key: call.key, begunMs: Date.now(), headers });
  return xmlAnswer('InitiateMultipartUploadResult', { Bucket: call.bucket, Key: call.key, UploadId: id });
}

export async function uploadPart(call: Call, storage: Storage): Promise<Answer> {
  const upload = uploadNamedBy(call, storage);
  const number = Number(call.parameter('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS) {
    throw new S3Error(
      'InvalidArgument',
      `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
    );
  }
  const body = bodyOf(call);
  const chunks = storage.space.admitted(body.chunks, body.declaredBytes);
  const { part, freed } = await storage.blobs.write(chunks, (blob) => {
    const { sizeBytes, md5, checksums } = body.facts();
    const part = { number, sizeBytes, modifiedMs: Date.now(), etag: md5.toString('hex'), checksums, blob };
    return { part, freed: storage.uploads.putPart(upload, part) };
  });
  await storage.blobs.remove(freed);
  return { status: 200, headers: { etag: `"${part.etag}"`, ...part.checksums } };
}

export async function listParts(call: Call, storage: Storage): Promise<Answer> {
  const upload = uploadNamedBy(call, storage);
  const marker = limitOf(call, 'part-number-marker', MAX_PARTS, 0);
  const maxParts = limitOf(call, 'max-parts', MAX_LISTED);
  const found = storage.uploads.parts(upload.id, marker, maxParts + 1);
  const page = found.slice(0, maxParts);
  const isTruncated = found.length > page.length;
  return xmlAnswer('ListPartsResult', {
    Bucket: call.bucket,
    Key: call.key,
    UploadId: upload.id,
    StorageClass: 'STANDARD',
    PartNumberMarker: marker,
    // The SDK goes on for as long as it is told where.
    NextPartNumberMarker: isTruncated ? page.at(-1)?.number : undefined,
    MaxParts: maxParts,
    IsTruncated: isTruncated,
    Part: page.map((part) => ({
      PartNumber: part.number,
      LastModified: new Date(part.modifiedMs).toISOString(),
      ETag: `"${part.etag}"`,
      Size: part.sizeBytes,
      ...Object.fromEntries(
        CHECKSUMS.map((name) => [checksumElement(name), part.checksums[`x-amz-checksum-${name}`]]),
      ),
    })),
  });
}

export async function listUploads(call: Call, { index, uploads }: Storage): Promise<Answer> {
  index.requireBucket(call.bucket);
  const prefix = call.parameter('prefix') ?? '';
  const keyMarker = call.parameter('key-marker') ?? '';
  // Without an id the marker stands for all uploads of its key; no id sorts after this.
  const idMarker = (keyMarker && call.parameter('upload-id-marker')) || '\u{10FFFF}';
  const maxUploads = limitOf(call, 'max-uploads', MAX_LISTED);
  const encodingType = encodingTypeOf(call);
  const found = uploads.after(call.bucket, prefix, keyMarker, idMarker, maxUploads + 1);
  const page = found.slice(0, maxUploads);
  const isTruncated = found.length > page.length;

  const encoded = (text: string) => (encodingType === 'url' ? pathEncoded(text) : text);
  return xmlAnswer('ListMultipartUploadsResult', {
    Bucket: call.bucket,
    Prefix: encoded(prefix),
    KeyMarker: encoded(keyMarker),
    UploadIdMarker: call.parameter('upload-id-marker') ?? '',
    NextKeyMarker: isTruncated ? encoded(page.at(-1)?.key ?? '') : undefined,
    NextUploadIdMarker: isTruncated ? (page.at(-1)?.id ?? '') : undefined,
    EncodingType: encodingType,
    MaxUploads: maxUploads,
    IsTruncated: isTruncated,
    Upload: page.map(({ key, id, begunMs }) => ({
      Key: encoded(key),
      UploadId: id,
      StorageClass: 'STANDARD',
      Initiated: new Date(begunMs).toISOString(),
    })),
  });
}

const NamedPart = z.object({
  PartNumber: z.coerce.number().int(),
  ETag: z.string(),
  ...Object.fromEntries(CHECKSUMS.map((name) => [checksumElement(name), z.string().optional()])),
});
type NamedPart = { PartNumber: number; ETag: string; [checksum: string]: unknown };
const Completion = z.object({ Part: z.array(NamedPart).min(1).max(MAX_PARTS) });

export async function completeUpload(call: Call, storage: Storage): Promise<Answer> {
  const { index, uploads, blobs, announce } = storage;
  // Here this header speaks of the object, not of the body; we would let it pass unverified.
  if ([...call.headers.keys()].some((name) => CHECKSUMS.some((sum) => name === `x-amz-checksum-${sum}`))) {
    throw new S3Error('NotImplemented', 'A checksum over the whole of a multipart upload is not taken.');
  }
  const { Part } = parseXml(await textOf(call, MAX_COMPLETE_BYTES), 'CompleteMultipartUpload', Completion);
  const answer = (etag: string): Answer =>
    xmlAnswer('CompleteMultipartUploadResult', {
      Location: locationOf(call, call.key),
      Bucket: call.bucket,
      Key: call.key,
      ETag: `"${etag}"`,
    });

  // A client that did not hear our answer asks again; the object tells that it had been made.
  index.requireBucket(call.bucket);
  const present = index.object(call.bucket, call.key);
  if (present && present.upload === call.parameter('uploadId')) return answer(present.etag);

  const upload = uploadNamedBy(call, storage);
  const { object, freed } = uploads.complete(upload, preconditionIn(call.headers), (parts) => {
    const chosen = chosenParts(Part as NamedPart[], parts);
    return {
      key: call.key,
      modifiedMs: Date.now(),
      etag: etagOf(chosen),
      headers: upload.headers,
      checksums: {},
      upload: upload.id,
      pieces: chosen,
    };
  });
  announce({
    eventName: 'ObjectCreated:CompleteMultipartUpload',
    bucket: call.bucket,
    object,
    requestId: call.requestId,
    sourceIp: call.sourceIp,
  });
  await blobs.remove(freed);
  return answer(object.etag);
}

export async function abortUpload(call: Call, storage: Storage): Promise<Answer> {
  const upload = uploadNamedBy(call, storage);
  await runDeletions(storage, [() => storage.uploads.abort(upload)]);
  return { status: 204 };
}

function uploadNamedBy(call: Call, { index, uploads }: Storage): MultipartUpload {
  index.requireBucket(call.bucket);
  return uploads.require(call.bucket, call.key, call.parameter('uploadId') ?? '');
}

function chosenParts(named: readonly NamedPart[], parts: readonly Part[]): Part[] {
  const byNumber = new Map(parts.map((part) => [part.number, part]));
  return named.map((name, i) => {
    const before = named[i - 1];
    if (before && before.PartNumber >= name.PartNumber) throw new S3Error('InvalidPartOrder');
    const part = byNumber.get(name.PartNumber);
    const etag = name.ETag.replaceAll('"', '');
    if (!part || part.etag !== etag || !agree(name, part)) {
      throw new S3Error('InvalidPart', undefined, { PartNumber: name.PartNumber, ETag: etag });
    }
    if (i < named.length - 1 && part.sizeBytes < MIN_PART_BYTES) {
      throw new S3Error('EntityTooSmall', undefined, {
        PartNumber: part.number,
        ProposedSize: part.sizeBytes,
        MinSizeAllowed: MIN_PART_BYTES,
      });
    }
    return part;
  });
}

function agree(name: NamedPart, { checksums }: Part): boolean {
  return CHECKSUMS.every((sum) => {
    const [given, known] = [name[checksumElement(sum)], checksums[`x-amz-checksum-${sum}`]];
    return given === undefined || known === undefined || given === known;
  });
}

/** S3's rule for what was sent in parts: the MD5 of their MD5s, and how many there were. */
function etagOf(parts: readonly Part[]): string {
  const md5 = createHash('md5');
  for (const { etag } of parts) md5.update(etag, 'hex');
  return `${md5.digest('hex')}-${parts.length}`;
}

function checksumElement(name: (typeof CHECKSUMS)[number]): string {
  return `Checksum${name.toUpperCase()}`;
}
