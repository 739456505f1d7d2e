// Permission to watch one video for a while, as a part of the path: /v/{token}/{id}/… Relative URIs inherit it, so it
// reaches every segment without cookies and without a rewritten playlist. At the edge the same check is made by
// lib/playback-token.cf.js, which cannot import this.

import { createHmac, timingSafeEqual } from 'node:crypto';

/** Which of the two secrets a token was made with. */
export type SecretName = 'a' | 'b';

/**
 * Two secrets, so that a rotation (a new one for the name that is not current, which then becomes current) leaves the
 * tokens of the one before valid. The secret store holds this as JSON.
 */
export interface PlaybackSecrets {
  current: SecretName;
  a?: string;
  b?: string;
}

/**
 * A token lives at most a week: secrets are rotated no more often, and a rotation ends the tokens of the one before
 * the last.
 */
export const MAX_TOKEN_SECONDS = 7 * 24 * 3600;

/** `{secret's name}.{end, in seconds since 1970}.{HMAC-SHA256, base64url}` */
export function playbackToken(id: string, expiresAt: Date, secrets: PlaybackSecrets): string {
  const secret = secrets[secrets.current];
  if (!secret) throw new Error(`There is no playback secret ${secrets.current}.`);
  const expires = String(Math.floor(expiresAt.getTime() / 1000));
  return `${secrets.current}.${expires}.${signature(id, expires, secret)}`;
}

const PROTECTED = /^\/v\/([ab])\.(\d{10})\.([\w-]{43})\/([0-9a-z]+)(\/.*)$/;

/** The path without its token, as the store knows it; undefined where there is no token, or not one for this video now. */
export function admittedPath(path: string, now: Date, secrets: PlaybackSecrets): string | undefined {
  const [, name, expires, given, id, rest] = PROTECTED.exec(path) ?? [];
  if (!name || !expires || !given || !id || !rest) return undefined;
  const secret = secrets[name as SecretName];
  if (!secret || Number(expires) * 1000 <= now.getTime()) return undefined;
  const wanted = signature(id, expires, secret);
  return timingSafeEqual(Buffer.from(given), Buffer.from(wanted)) ? `/v/${id}${rest}` : undefined;
}

const signature = (id: string, expires: string, secret: string): string =>
  createHmac('sha256', secret).update(`${id}.${expires}`).digest('base64url');
