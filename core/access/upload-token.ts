// Permission to upload the one file of one video for a while, as a part of the path: /api/u/{token}/… Upload libraries
// call the routes below it with neither headers nor cookies of ours, so the path is where an authority fits.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { RequestError } from '../errors.ts';
import { UNFINISHED_UPLOAD_DAYS } from '../limits.ts';
import { UNKNOWN_TYPE, typeByName } from './media-type.ts';

/** What a token allows. */
export interface UploadGrant {
  id: string;
  maxBytes: number;
  /** Media types that the file may be of, `video/*` for all of a kind; empty where any will do. */
  contentTypes: readonly string[];
  expiresAt: Date;
}

/** Longer than an upload that is begun and not completed no token is of use. */
export const MAX_UPLOAD_TOKEN_SECONDS = UNFINISHED_UPLOAD_DAYS * 24 * 3600;

/** `{id}.{end, in seconds since 1970}.{bytes}.{types, base64url}.{HMAC-SHA256 of what is before, base64url}` */
export function uploadToken({ id, maxBytes, contentTypes, expiresAt }: UploadGrant, secret: string): string {
  const expires = Math.floor(expiresAt.getTime() / 1000);
  const claims = [id, expires, maxBytes, Buffer.from(contentTypes.join(' ')).toString('base64url')].join('.');
  return `${claims}.${signature(claims, secret)}`;
}

const TOKEN = /^(([0-9a-z]{34})\.(\d{10})\.(\d{1,16})\.([\w-]*))\.([\w-]{43})$/;

/**
 * What a token allows now.
 * @throws RequestError FORBIDDEN for what is no token of ours, UPLOAD_TOKEN_EXPIRED for one that was
 */
export function admittedUpload(token: string, now: Date, secret: string): UploadGrant {
  const [, claims, id, expires, maxBytes, types, given] = TOKEN.exec(token) ?? [];
  const isOurs =
    claims !== undefined &&
    given !== undefined &&
    timingSafeEqual(Buffer.from(given), Buffer.from(signature(claims, secret)));
  if (!isOurs) throw new RequestError(403, 'FORBIDDEN', 'The upload token is not valid.');
  const expiresAt = new Date(Number(expires) * 1000);
  if (expiresAt <= now) {
    throw new RequestError(403, 'UPLOAD_TOKEN_EXPIRED', 'The upload token has expired; ask for a new one.');
  }
  const contentTypes = Buffer.from(types!, 'base64url').toString().split(' ').filter(Boolean);
  return { id: id!, maxBytes: Number(maxBytes), contentTypes, expiresAt };
}

/**
 * A file of unknown type is of the type that its name's ending says.
 * @throws RequestError TYPE_NOT_ALLOWED
 */
export function checkContentType(
  { filename, type }: { filename: string | undefined; type: string },
  allowed: readonly string[],
): void {
  const told = mediaTypeIn(type);
  const known = told === UNKNOWN_TYPE ? (typeByName(filename) ?? told) : told;
  const isAllowed = (pattern: string) =>
    pattern.endsWith('/*') ? known.startsWith(pattern.slice(0, -1)) : pattern === known || pattern === told;
  if (allowed.length === 0 || allowed.some(isAllowed)) return;
  const found =
    known === UNKNOWN_TYPE
      ? 'The type of the file is not known, and its name does not tell it'
      : `The file is of type ${known}`;
  throw new RequestError(415, 'TYPE_NOT_ALLOWED', `${found}; allowed are ${allowed.join(', ')}.`);
}

const mediaTypeIn = (type: string): string => type.toLowerCase().split(';')[0]!.trim();

const signature = (claims: string, secret: string): string =>
  createHmac('sha256', secret).update(`upload ${claims}`).digest('base64url');
