// What the holder of an upload token can do: send the file by a form, or in parts that survive a lost connection and a
// closed page. The token names the video; all there is to be named beside it are uploads and parts of that.

import { createHash } from 'node:crypto';
import { MAX_REQUEST_BYTES, MIN_PART_BYTES } from '../../core/aws-limits.ts';
import { RequestError, notFound } from '../../core/errors.ts';
import { cardKey, parseSourceKey, sourceKey } from '../../core/artifacts/keys.ts';
import { UNKNOWN_TYPE } from '../../core/access/media-type.ts';
import { checkContentType } from '../../core/access/upload-token.ts';
import type { UploadGrant } from '../../core/access/upload-token.ts';
import { alreadyUploaded, tooLarge } from './create-upload.ts';
import { unlessDeleted } from '../life/cleanup.ts';
import { abortBelow } from './multipart.ts';
import type { MultipartStore, StoredPart } from './multipart.ts';
import type { SignUpload, SignedRequest, UploadForm } from './sign-upload.ts';
import { leastFileBytes, makeRoom } from './upload-limits.ts';
import type { IntendedPart } from './upload-limits.ts';
import { FILENAME } from '../life/video-status.ts';
import type { World } from '../world.ts';

export interface UploadStores extends Pick<World, 'media' | 'uploads'> {
  multipart: MultipartStore;
  sign: SignUpload;
}

/** What a browser says of its file. */
interface ChosenFile {
  filename: string | undefined;
  type: string;
}

type NamedPart = Omit<StoredPart, 'sizeBytes'>;

/**
 * A form that takes one file within the grant's limit.
 * @throws RequestError NOT_FOUND, ALREADY_UPLOADED, TYPE_NOT_ALLOWED
 */
export async function uploadForm(
  { id, maxBytes, contentTypes }: UploadGrant,
  file: ChosenFile,
  stores: UploadStores,
): Promise<UploadForm> {
  checkContentType(file, contentTypes);
  await checkVacant(id, stores);
  return stores.sign.form(sourceKey(id), {
    contentType: file.type,
    maxBytes: Math.min(maxBytes, MAX_REQUEST_BYTES),
    metadata: metadataOf(file),
  });
}

/**
 * Begins an upload in parts; the oldest of the video's others end where there are too many.
 * @throws RequestError NOT_FOUND, ALREADY_UPLOADED, TYPE_NOT_ALLOWED
 */
export async function beginParts(
  { id, contentTypes }: UploadGrant,
  file: ChosenFile,
  stores: UploadStores,
): Promise<string> {
  checkContentType(file, contentTypes);
  await checkVacant(id, stores);
  const uploadId = await stores.multipart.begin(sourceKey(id), {
    contentType: file.type,
    metadata: metadataOf(file),
  });
  // Either a deletion that runs meanwhile finds the upload, or this finds the card gone.
  if (!(await stores.media.head(cardKey(id)))) {
    await stores.multipart.abort(sourceKey(id), uploadId);
    throw notFound('such video');
  }
  // Not before it has begun, so that of many that begin at once the last one sees them all.
  await makeRoom(id, uploadId, stores.multipart);
  return uploadId;
}

/**
 * Where to PUT a part, signed if the file can stay within the grant's limit.
 * @throws RequestError TOO_LARGE if it cannot, and the upload is aborted; NOT_FOUND where there is no such upload;
 *   INVALID_REQUEST without a size where the limit is below that of any part but the last
 */
export async function partUrl(
  { id, maxBytes }: UploadGrant,
  uploadId: string,
  part: IntendedPart,
  { multipart, sign }: UploadStores,
): Promise<string> {
  const key = sourceKey(id);
  if (part.sizeBytes === undefined && maxBytes < MIN_PART_BYTES) {
    const message = `size: is missing: the upload token allows ${maxBytes} bytes, so the part says how many it has`;
    throw new RequestError(400, 'INVALID_REQUEST', message);
  }
  const stored = await multipart.firstParts(key, uploadId);
  if (!stored) throw notFound('such upload');
  const leastBytes = leastFileBytes(stored, part);
  if (leastBytes > maxBytes) {
    await multipart.abort(key, uploadId);
    throw tooLarge(leastBytes, maxBytes, 'at least ');
  }
  // Uploads that begin by a signed request are not seen by us. None has a part before it has come by here.
  if (stored.length === 0) await makeRoom(id, uploadId, multipart);
  return sign.part(key, uploadId, part);
}

/** @throws RequestError NOT_FOUND where there is no such upload of this video */
export async function storedParts(
  { id }: UploadGrant,
  uploadId: string,
  { multipart }: UploadStores,
): Promise<StoredPart[]> {
  const parts = await multipart.parts(sourceKey(id), uploadId);
  if (!parts) throw notFound('such upload');
  return parts;
}

/**
 * Makes the source of the parts. Doing it again, or twice at once, is harmless; what is stored is never replaced.
 * @throws RequestError TOO_LARGE above the grant's limit, and the upload is aborted; ALREADY_UPLOADED where another
 *   file was faster; NOT_FOUND where the video was deleted, or there is no such upload
 */
export async function completeParts(
  { id, maxBytes }: UploadGrant,
  uploadId: string,
  parts: readonly NamedPart[],
  stores: UploadStores,
): Promise<void> {
  const { multipart } = stores;
  const key = sourceKey(id);
  if (!(await stores.media.head(cardKey(id)))) throw notFound('such video');
  const stored = await multipart.parts(key, uploadId);
  if (stored) {
    const named = new Set(parts.map(({ number }) => number));
    const counted = stored.filter(({ number }) => named.has(number));
    await checkSum(counted, maxBytes, () => multipart.abort(key, uploadId));
  }
  const end = stored ? await multipart.complete(key, uploadId, parts) : 'gone';
  if (end !== 'completed') await checkMadeOf(parts, id, uploadId, stores);
  await unlessDeleted(id, stores);
  // No other upload of this video can become its source any more.
  await abortBelow(sourceKey(id), multipart);
}

/** S3 holds no multipart upload to a size, so we add up before there is an object. @throws RequestError TOO_LARGE */
async function checkSum(
  parts: readonly StoredPart[],
  maxBytes: number,
  abort: () => Promise<void>,
): Promise<void> {
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (sizeBytes <= maxBytes) return;
  await abort();
  throw tooLarge(sizeBytes, maxBytes);
}

/** A request that a library is about to make of S3 itself. */
export interface IntendedRequest {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  uploadId?: string | undefined;
  partNumber?: number | undefined;
  /** Of the part. */
  size?: number | undefined;
  filename?: string | undefined;
  contentType?: string | undefined;
}

/**
 * The request, signed and for this video's key. A whole file goes by a form, as its size need not be known for that. What
 * was sent in parts is added up when its completion is signed; parts that come after that are found out when the source
 * is planned, and it is refused then.
 * @throws RequestError NOT_FOUND, ALREADY_UPLOADED, TYPE_NOT_ALLOWED, TOO_LARGE, INVALID_REQUEST
 */
export async function signedRequest(
  grant: UploadGrant,
  { method, uploadId, partNumber, size, filename, contentType }: IntendedRequest,
  stores: UploadStores,
): Promise<SignedRequest & Partial<UploadForm>> {
  const key = sourceKey(grant.id);
  const { sign, multipart } = stores;
  if (uploadId === undefined) {
    const file = { filename, type: contentType ?? UNKNOWN_TYPE };
    if (method === 'PUT') return uploadForm(grant, file, stores);
    if (method !== 'POST') throw new RequestError(400, 'INVALID_REQUEST', `method: no ${method} of a file`);
    checkContentType(file, grant.contentTypes);
    await checkVacant(grant.id, stores);
    await makeRoom(grant.id, undefined, multipart);
    return sign.multipart(key, { kind: 'begin', contentType });
  }
  switch (method) {
    case 'PUT':
      if (partNumber === undefined) throw new RequestError(400, 'INVALID_REQUEST', 'partNumber: is missing');
      return { url: await partUrl(grant, uploadId, { number: partNumber, sizeBytes: size }, stores) };
    case 'POST': {
      const stored = await storedParts(grant, uploadId, stores);
      await checkSum(stored, grant.maxBytes, () => multipart.abort(key, uploadId));
      return sign.multipart(key, { kind: 'complete', uploadId });
    }
    case 'GET':
      return sign.multipart(key, { kind: 'list', uploadId });
    case 'DELETE':
      return sign.multipart(key, { kind: 'abort', uploadId });
  }
}

/** Who asked before us may have made the very same object. */
async function checkMadeOf(
  parts: readonly NamedPart[],
  id: string,
  uploadId: string,
  { uploads, multipart }: UploadStores,
): Promise<void> {
  const source = await uploads.head(sourceKey(id));
  if (!source) throw notFound('such upload');
  if (source.etag === etagOf(parts)) return;
  await multipart.abort(sourceKey(id), uploadId);
  throw alreadyUploaded();
}

/** S3's rule for what was sent in parts: the MD5 of their MD5s, and how many there were. */
function etagOf(parts: readonly NamedPart[]): string {
  const md5 = createHash('md5');
  for (const { etag } of parts) md5.update(etag, 'hex');
  return `${md5.digest('hex')}-${parts.length}`;
}

/** Forgets all that was sent of a video and is not complete. @throws RequestError NOT_FOUND */
export async function abortUploads(id: string, { media, multipart }: UploadStores): Promise<void> {
  if (!(await media.head(cardKey(id)))) throw notFound('such video');
  await abortBelow(sourceKey(id), multipart);
}

export interface UnfinishedUpload {
  id: string;
  uploadId: string;
  begunAt: string;
}

/** One page of the uploads in parts that are neither complete nor aborted, those of the newest videos first. */
export async function unfinishedUploads(
  { limit, cursor }: { limit: number; cursor: string | undefined },
  { multipart }: UploadStores,
): Promise<{ uploads: UnfinishedUpload[]; nextCursor?: string }> {
  const [afterId, afterUpload] = cursor?.split(/\/(.*)/s) ?? [];
  const after = afterId && afterUpload ? { key: sourceKey(afterId), uploadId: afterUpload } : undefined;
  const found: UnfinishedUpload[] = [];
  for await (const { key, uploadId, begunAt } of multipart.open('', after)) {
    const id = parseSourceKey(key);
    if (id) found.push({ id, uploadId, begunAt: begunAt.toISOString() });
    if (found.length > limit) break;
  }
  const uploads = found.slice(0, limit);
  const last = uploads.at(-1);
  return found.length > limit && last ? { uploads, nextCursor: `${last.id}/${last.uploadId}` } : { uploads };
}

async function checkVacant(id: string, { media, uploads }: UploadStores): Promise<void> {
  const [card, source] = await Promise.all([media.head(cardKey(id)), uploads.head(sourceKey(id))]);
  if (!card) throw notFound('such video');
  if (source) throw alreadyUploaded();
}

// Metadata of S3 is ASCII, and 2 KB in all; a character takes up to twelve.
const MAX_FILENAME_CHARACTERS = 150;

function metadataOf({ filename }: ChosenFile): Record<string, string> {
  if (filename === undefined) return {};
  const kept = [...filename.toWellFormed()].slice(0, MAX_FILENAME_CHARACTERS).join('');
  return { [FILENAME]: encodeURIComponent(kept) };
}
