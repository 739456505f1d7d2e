// Grants an upload: an id, a card, a token for as long as sending may take, and where one request can carry the file, a
// URL that takes exactly this file and nothing else.

import { cardKey, newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { MAX_REQUEST_BYTES } from '../../core/aws-limits.ts';
import { RequestError, notFound } from '../../core/errors.ts';
import { CARD } from '../../core/records/card.ts';
import type { Card } from '../../core/records/card.ts';
import { checkContentType } from '../../core/access/upload-token.ts';
import type { UploadGrant } from '../../core/access/upload-token.ts';
import type { GrantedUpload, SignUpload } from './sign-upload.ts';
import { createRecord, readRecord } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

/** A file, all three of its facts, or none: a browser is then given the token before it knows what will be chosen. */
export interface UploadRequest {
  filename?: string | undefined;
  contentType?: string | undefined;
  sizeBytes?: number | undefined;
  /** What the token allows; without a word, this file's size, or what the service accepts. */
  maxBytes?: number | undefined;
  contentTypes?: readonly string[] | undefined;
  /** For whom the video is, such as a customer or a course. */
  group?: string | undefined;
  expiresInSeconds: number;
}

interface CreateOptions {
  media: Store;
  sign: SignUpload;
  maxBytes: number;
  /** What the id is made with. */
  key: string;
  now: Date;
}

/** @throws RequestError TOO_LARGE above `maxBytes`, TYPE_NOT_ALLOWED */
export async function createUpload(
  request: UploadRequest,
  { media, sign, maxBytes, key, now }: CreateOptions,
): Promise<{ grant: UploadGrant; upload: GrantedUpload | null }> {
  const { filename, contentType, sizeBytes, contentTypes = [], group } = request;
  const limit = Math.min(request.maxBytes ?? sizeBytes ?? maxBytes, maxBytes);
  if (sizeBytes !== undefined && sizeBytes > limit) throw tooLarge(sizeBytes, limit);
  if (contentType !== undefined) checkContentType({ filename, type: contentType }, contentTypes);
  const id = newVideoId(now, key);
  const card: Card = {
    ...(filename === undefined ? {} : { filename, contentType, sizeBytes }),
    maxBytes: limit,
    ...(contentTypes.length > 0 ? { contentTypes } : {}),
    ...(group === undefined ? {} : { group }),
    createdAt: now.toISOString(),
  };
  const upload =
    contentType !== undefined && sizeBytes !== undefined && sizeBytes <= MAX_REQUEST_BYTES
      ? await sign.put(sourceKey(id), { contentType, sizeBytes })
      : null;
  await createRecord(media, CARD, cardKey(id), card);
  return { grant: grantOf(id, card, request.expiresInSeconds, now), upload };
}

/**
 * A new token for a video whose file has not come.
 * @throws RequestError NOT_FOUND, ALREADY_UPLOADED
 */
export async function renewUpload(
  id: string,
  { expiresInSeconds }: { expiresInSeconds: number },
  { media, uploads, now }: Pick<World, 'media' | 'uploads'> & { now: Date },
): Promise<UploadGrant> {
  const [card, source] = await Promise.all([
    readRecord(media, CARD, cardKey(id)),
    uploads.head(sourceKey(id)),
  ]);
  if (!card) throw notFound('such video');
  if (source) throw alreadyUploaded();
  return grantOf(id, card, expiresInSeconds, now);
}

const grantOf = (id: string, card: Card, expiresInSeconds: number, now: Date): UploadGrant => ({
  id,
  maxBytes: card.maxBytes,
  contentTypes: card.contentTypes ?? [],
  expiresAt: new Date(now.getTime() + expiresInSeconds * 1000),
});

export const tooLarge = (sizeBytes: number, maxBytes: number, how: 'at least ' | '' = ''): RequestError =>
  new RequestError(
    413,
    'TOO_LARGE',
    `The file has ${how}${sizeBytes} bytes; at most ${maxBytes} are accepted.`,
  );

export const alreadyUploaded = (): RequestError =>
  new RequestError(409, 'ALREADY_UPLOADED', 'The file of this video has already been uploaded.');
