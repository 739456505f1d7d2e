// Grants an upload: an id, a card, and a URL that can carry exactly this file and nothing else.

import { cardKey, newVideoId, sourceKey } from '../core/keys.ts';
import { RequestError } from '../core/errors.ts';
import { putJson } from './store.ts';
import type { Store } from './store.ts';
import type { Card } from './video-status.ts';

export interface UploadRequest {
  filename: string;
  contentType: string;
  sizeBytes: number;
}

export interface GrantedUpload {
  method: 'PUT';
  url: string;
  headers: Record<string, string>;
}

/** Signs a PUT of one key that fixes size and type, and refuses to overwrite. */
export type SignUpload = (key: string, upload: UploadRequest) => Promise<GrantedUpload>;

/** What one PUT to S3 can carry. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** @throws RequestError TOO_LARGE above `maxBytes`. */
export async function createUpload(
  request: UploadRequest,
  { media, sign, maxBytes, now }: { media: Store; sign: SignUpload; maxBytes: number; now: Date },
): Promise<{ id: string; upload: GrantedUpload }> {
  if (request.sizeBytes > maxBytes) {
    throw new RequestError(
      413,
      'TOO_LARGE',
      `The file has ${request.sizeBytes} bytes; at most ${maxBytes} are accepted.`,
    );
  }
  const id = newVideoId(now);
  const card: Card = { ...request, createdAt: now.toISOString() };
  const upload = await sign(sourceKey(id), request);
  await putJson(media, cardKey(id), card, { ifAbsent: true });
  return { id, upload };
}
