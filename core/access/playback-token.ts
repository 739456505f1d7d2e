// Permission to watch one video for a while, as a part of the path: /v/{token}/{id}/… Relative URIs inherit it, so it
// reaches every segment without cookies and without a rewritten playlist. At the edge the same check is made by
// lib/playback-token.cf.js, which cannot import this.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { RequestError } from '../errors.ts';

/** Who may watch: whoever knows a video's id, or whoever was given a token for it. */
export const PLAYBACK = ['public', 'token'] as const;
export type Playback = (typeof PLAYBACK)[number];

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

/** Whether a text has the shape of a token; whether it opens anything is found out where it is used. */
export const isPlaybackToken = (text: string | undefined): text is string =>
  /^[ab]\.\d{10}\.[\w-]{43}$/.test(text ?? '');

// After the id only names, dots inside of them: whoever resolves `..`, or `%2e%2e`, behind us would otherwise be led from
// the video of the token to any other.
const PROTECTED = /^\/v\/([ab])\.(\d{10})\.([\w-]{43})\/([0-9a-z]+)((?:\/[\w-]+(?:\.[\w-]+)*)+)$/;

/**
 * The path without its token, as the store knows it.
 * @throws RequestError FORBIDDEN where there is no token, or not one for this video now
 */
export function admittedPath(path: string, now: Date, secrets: PlaybackSecrets): string {
  const [, name, expires, given, id, rest] = PROTECTED.exec(path) ?? [];
  if (!name || !expires || !given || !id || !rest) throw forbidden('The address holds no playback token.');
  if (Number(expires) * 1000 <= now.getTime()) throw forbidden('The playback token has expired.');
  const secret = secrets[name as SecretName];
  const wanted = secret && signature(id, expires, secret);
  if (!wanted || !timingSafeEqual(Buffer.from(given), Buffer.from(wanted))) {
    throw forbidden('The playback token is not valid.');
  }
  return `/v/${id}${rest}`;
}

const forbidden = (message: string): RequestError => new RequestError(403, 'FORBIDDEN', message);

const signature = (id: string, expires: string, secret: string): string =>
  createHmac('sha256', secret).update(`${id}.${expires}`).digest('base64url');
