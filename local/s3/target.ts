// What a request is aimed at: bucket, key and query, taken from the raw request line. Never by `new URL`,
// which would resolve `..`: to S3 `../../etc/passwd` is a key like any other.

import { MAX_KEY_BYTES } from '../../core/aws-limits.ts';
import { S3Error } from './errors.ts';

export interface Target {
  bucket: string; // '' for the service itself
  key: string; // '' for a bucket
  path: string; // decoded
  query: readonly (readonly [name: string, value: string])[]; // decoded, in the order sent
}

export function targetOf(requestLine: string): Target {
  const mark = requestLine.indexOf('?');
  const rawPath = mark === -1 ? requestLine : requestLine.slice(0, mark);
  const rawQuery = mark === -1 ? '' : requestLine.slice(mark + 1);
  if (!rawPath.startsWith('/')) throw new S3Error('InvalidURI');

  const path = decoded(rawPath);
  const slash = path.indexOf('/', 1);
  const bucket = slash === -1 ? path.slice(1) : path.slice(1, slash);
  const key = slash === -1 ? '' : path.slice(slash + 1);
  checkKey(key);
  const query = rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
      return [decoded(name.replaceAll('+', ' ')), decoded(value.replaceAll('+', ' '))] as const;
    });
  return { bucket, key, path, query };
}

export function checkKey(key: string): void {
  const sizeBytes = Buffer.byteLength(key);
  if (sizeBytes > MAX_KEY_BYTES) {
    throw new S3Error('KeyTooLongError', undefined, { MaxSizeAllowed: MAX_KEY_BYTES, Size: sizeBytes });
  }
}

/** RFC 3986: everything but the unreserved characters, as SigV4 asks; `encodeURIComponent` leaves five more. */
export function uriEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A key or path for a URL: the slashes stay. */
export function pathEncoded(path: string): string {
  return path.split('/').map(uriEncoded).join('/');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI', `The URI is not percent-encoded UTF-8: ${text}`);
  }
}
