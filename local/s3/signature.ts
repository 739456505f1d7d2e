// Signature Version 4: who sent this request, and which of its words they vouch for.
// Source: AWS, "Authenticating Requests (AWS Signature Version 4)", for the header and for presigned URLs.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { MAX_CLOCK_SKEW_MS } from '../../core/aws-limits.ts';
import { S3Error } from './errors.ts';
import { pathEncoded, uriEncoded, type Target } from './target.ts';

export interface Keyring {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

/** What a valid signature says of the body. */
export interface Signed {
  presigned: boolean;
  /** Hex SHA-256 the body must have, or how else it travels. */
  payload: 'unsigned' | 'chunked' | { sha256: string };
}

interface Claim {
  presigned: boolean;
  credential: string;
  date: string; // 20260131T235959Z
  signedHeaders: string[];
  signature: string;
  payloadHash: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_EXPIRES_SECONDS = 7 * 24 * 3600;

/** Throws the S3Error that AWS would answer with when the request is not the keyring owner's. */
export function authenticate(
  request: IncomingMessage,
  target: Target,
  keyring: Keyring,
  nowMs: number,
): Signed {
  const query = new Map(target.query);
  const authorization = request.headers.authorization;
  const inQuery = query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm');
  if (authorization !== undefined && inQuery) {
    throw new S3Error('InvalidArgument', 'Only one auth mechanism allowed: the header or the query.');
  }
  if (authorization === undefined && !inQuery) throw new S3Error('AccessDenied');

  const claim = inQuery ? claimInQuery(query, request) : claimInHeader(authorization ?? '', request);
  checkScope(claim, keyring);
  if (claim.presigned) checkExpiry(claim, query, nowMs);
  else checkSkew(claim, nowMs);
  checkCoverage(claim, request);

  const canonicalRequest = [
    request.method,
    pathEncoded(target.path),
    canonicalQuery(target),
    ...claim.signedHeaders.map((name) => `${name}:${canonicalHeader(request, name)}`),
    '',
    claim.signedHeaders.join(';'),
    claim.payloadHash,
  ].join('\n');
  const scope = claim.credential.slice(claim.credential.indexOf('/') + 1);
  const stringToSign = [
    ALGORITHM,
    claim.date,
    scope,
    createHash('sha256').update(canonicalRequest).digest('hex'),
  ].join('\n');
  if (!isSignedBy(keyring, claim.date.slice(0, 8), stringToSign, claim.signature)) {
    // AWS shows both too; without them a wrong signature is a riddle.
    throw new S3Error('SignatureDoesNotMatch', undefined, {
      StringToSign: stringToSign,
      CanonicalRequest: canonicalRequest,
    });
  }
  return { presigned: claim.presigned, payload: payloadOf(claim.payloadHash) };
}

/** Also what vouches for a POST form, whose string to sign is its policy. */
export function isSignedBy(keyring: Keyring, day: string, stringToSign: string, signature: string): boolean {
  const expected = Buffer.from(hmac(signingKeyOf(keyring, day), stringToSign).toString('hex'));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const signingKeys = new WeakMap<Keyring, { day: string; key: Buffer }>();

/** Good for a day; the latest is kept. */
function signingKeyOf(keyring: Keyring, day: string): Buffer {
  const kept = signingKeys.get(keyring);
  if (kept?.day === day) return kept.key;
  const ofRegion = hmac(hmac(`AWS4${keyring.secretAccessKey}`, day), keyring.region);
  const key = hmac(hmac(ofRegion, 's3'), 'aws4_request');
  signingKeys.set(keyring, { day, key });
  return key;
}

/** Checks `AKID/day/region/s3/aws4_request` against ours and against the date of the request. */
export function checkScope(claim: Pick<Claim, 'credential' | 'date' | 'presigned'>, keyring: Keyring): void {
  const malformed = claim.presigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed';
  const [accessKeyId, day, region, service, end, ...rest] = claim.credential.split('/');
  if (end !== 'aws4_request' || service !== 's3' || rest.length > 0) {
    throw new S3Error(malformed, `The credential '${claim.credential}' does not end in '/s3/aws4_request'.`);
  }
  if (accessKeyId !== keyring.accessKeyId) throw new S3Error('InvalidAccessKeyId');
  if (region !== keyring.region) {
    throw new S3Error(malformed, `The region '${region}' is wrong; expecting '${keyring.region}'`, {
      Region: keyring.region,
    });
  }
  if (day !== claim.date.slice(0, 8)) {
    throw new S3Error(malformed, `The credential is of ${day}, the request of ${claim.date}.`);
  }
}

function claimInHeader(authorization: string, request: IncomingMessage): Claim {
  if (!authorization.startsWith(`${ALGORITHM} `)) {
    throw new S3Error(
      'InvalidRequest',
      `The authorization mechanism is not supported. Please use ${ALGORITHM}.`,
    );
  }
  const field = (name: string) => new RegExp(`[ ,]${name}=([^, ]+)`).exec(authorization)?.[1];
  const [credential, signedHeaders, signature] = [
    field('Credential'),
    field('SignedHeaders'),
    field('Signature'),
  ];
  if (!credential || !signedHeaders || !signature) throw new S3Error('AuthorizationHeaderMalformed');

  const date = request.headers['x-amz-date'];
  if (typeof date !== 'string') {
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid x-amz-date header.');
  }
  const payloadHash = request.headers['x-amz-content-sha256'];
  if (typeof payloadHash !== 'string') {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  return {
    presigned: false,
    credential,
    date,
    signedHeaders: signedHeaders.split(';'),
    signature,
    payloadHash,
  };
}

function claimInQuery(query: Map<string, string>, request: IncomingMessage): Claim {
  const parameter = (name: string) => {
    const value = query.get(name);
    if (!value) throw new S3Error('AuthorizationQueryParametersError', `The query lacks ${name}.`);
    return value;
  };
  if (parameter('X-Amz-Algorithm') !== ALGORITHM) {
    throw new S3Error('AuthorizationQueryParametersError', `X-Amz-Algorithm only supports "${ALGORITHM}".`);
  }
  const hashInHeader = request.headers['x-amz-content-sha256'];
  return {
    presigned: true,
    credential: parameter('X-Amz-Credential'),
    date: parameter('X-Amz-Date'),
    signedHeaders: parameter('X-Amz-SignedHeaders').split(';'),
    signature: parameter('X-Amz-Signature'),
    payloadHash:
      query.get('X-Amz-Content-Sha256') ??
      (typeof hashInHeader === 'string' ? hashInHeader : 'UNSIGNED-PAYLOAD'),
  };
}

function checkSkew(claim: Claim, nowMs: number): void {
  if (Math.abs(nowMs - timeOf(claim.date)) > MAX_CLOCK_SKEW_MS) {
    throw new S3Error('RequestTimeTooSkewed', undefined, {
      RequestTime: claim.date,
      ServerTime: new Date(nowMs).toISOString(),
      MaxAllowedSkewMilliseconds: MAX_CLOCK_SKEW_MS,
    });
  }
}

function checkExpiry(claim: Claim, query: Map<string, string>, nowMs: number): void {
  const expires = query.get('X-Amz-Expires') ?? '';
  if (!/^\d{1,9}$/.test(expires) || Number(expires) < 1 || Number(expires) > MAX_EXPIRES_SECONDS) {
    throw new S3Error(
      'AuthorizationQueryParametersError',
      `X-Amz-Expires must be between 1 and ${MAX_EXPIRES_SECONDS} seconds.`,
    );
  }
  const signedMs = timeOf(claim.date);
  if (signedMs - nowMs > MAX_CLOCK_SKEW_MS) throw new S3Error('AccessDenied', 'Request is not yet valid');
  if (nowMs > signedMs + Number(expires) * 1000) {
    throw new S3Error('AccessDenied', 'Request has expired', { 'X-Amz-Expires': expires });
  }
}

function timeOf(date: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (!match) throw new S3Error('AccessDenied', `'${date}' is not a date of the form 20260131T235959Z.`);
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [...number[]] & {
    length: 6;
  };
  return Date.UTC(year!, month! - 1, day, hour, minute, second);
}

// Whoever carries a presigned URL may not add to what its signer meant, e.g. metadata.
function checkCoverage(claim: Claim, request: IncomingMessage): void {
  const mustBeSigned = Object.keys(request.headers).filter(
    (name) => name === 'host' || name.startsWith('x-amz-'),
  );
  const unsigned = mustBeSigned.filter((name) => !claim.signedHeaders.includes(name));
  if (unsigned.length > 0) {
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    });
  }
}

function canonicalQuery({ query }: Target): string {
  return query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [uriEncoded(name), uriEncoded(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function canonicalHeader(request: IncomingMessage, name: string): string {
  const values = request.headersDistinct[name] ?? [];
  return values.map((value) => value.trim().replace(/ +/g, ' ')).join(',');
}

function payloadOf(hash: string): Signed['payload'] {
  if (hash === 'UNSIGNED-PAYLOAD') return 'unsigned';
  if (hash === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') return 'chunked';
  if (/^[0-9a-f]{64}$/.test(hash)) return { sha256: hash };
  // Chunks with a signature each are what some SDKs send over plain HTTP; the JavaScript one does not.
  if (hash.startsWith('STREAMING-'))
    throw new S3Error('NotImplemented', `Bodies of the form ${hash} are not taken.`);
  throw new S3Error(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, or a valid sha256 value.',
  );
}
