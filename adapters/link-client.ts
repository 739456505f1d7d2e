// What can be done with links: read ranges of a source, write an object where there is none, send a part. Needs no
// credentials and no SDK.

import { createHash } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { OutageError, notFound, sourceReplaced } from '../core/errors.ts';
import { persistently } from '../machine/patience.ts';
import type { PartLinks, SentPart, WriteLink } from '../pipeline/store.ts';

/** For so long nothing may come or go before a request is given up. */
const SILENCE_MS = 15_000;
const MOST_CONNECTIONS = 64;
const agents = {
  'http:': new HttpAgent({ keepAlive: true, maxSockets: MOST_CONNECTIONS }),
  'https:': new HttpsAgent({ keepAlive: true, maxSockets: MOST_CONNECTIONS }),
};

/** Bytes `first` to `last`, both included, as they arrive; as `Store.readRange` has it. */
export async function readRange(
  url: string,
  { first, last, etag }: { first: number; last: number; etag: string | undefined },
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const headers = {
    range: `bytes=${first}-${last}`,
    ...(etag !== undefined && { 'if-match': `"${etag}"` }),
  };
  const answer = await asked('GET', url, { headers, signal });
  const isAsAsked =
    answer.headers['content-range']?.startsWith(`bytes ${first}-${last}/`) &&
    (etag === undefined || answer.headers.etag?.replaceAll('"', '') === etag);
  if (answer.statusCode === 206 && isAsAsked) return answer as AsyncIterable<Buffer>;
  answer.destroy();
  if (answer.statusCode === 404) throw notFound('such source');
  if (answer.statusCode === 412) throw sourceReplaced();
  throw unavailable(`answered ${answer.statusCode} to bytes ${first}-${last}`);
}

const ATTEMPTS = 5;

/** Writes an object unless there is one. @throws OutageError STORAGE_FULL, STORE_UNAVAILABLE */
export const writeOnce = ({ url, headers }: WriteLink, bytes: Uint8Array): Promise<'stored' | 'exists'> =>
  again(async () => {
    const { statusCode } = await sent(url, bytes, headers);
    if (isOk(statusCode)) return 'stored';
    if (statusCode === 412) return 'exists';
    throw refused(statusCode); // 409, where another write of it is under way, among others
  });

/** Sends a part of an object. @throws OutageError STORAGE_FULL, STORE_UNAVAILABLE */
export const sendPart = (links: PartLinks, number: number, bytes: Uint8Array): Promise<SentPart> =>
  again(async () => {
    const { statusCode, headers } = await sent(partUrl(links, number), bytes, {});
    if (isOk(statusCode) && headers.etag) return { number, etag: headers.etag.replaceAll('"', '') };
    if (statusCode === 404) throw unavailable('has had this object completed meanwhile');
    throw refused(statusCode);
  });

function partUrl({ url, signatures }: PartLinks, number: number): string {
  const signature = signatures.find(([signed]) => signed === number)?.[1];
  // As a copy that takes too long, it may be cut there, if there is another.
  if (signature === undefined) {
    throw new OutageError('TIMED_OUT', `Part ${number} of a copy is more than was reckoned with.`);
  }
  const part = new URL(url);
  part.searchParams.set('partNumber', String(number));
  part.searchParams.set('X-Amz-Signature', signature);
  return part.href;
}

async function sent(
  url: string,
  bytes: Uint8Array,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  // The store compares it with what came.
  const md5 = createHash('md5').update(bytes).digest('base64');
  const own = { 'content-length': String(bytes.length), 'content-md5': md5 };
  const answer = await asked('PUT', url, { headers: { ...headers, ...own }, body: bytes });
  await buffer(answer);
  return answer;
}

const again = <T>(work: () => Promise<T>): Promise<T> =>
  persistently(work, {
    attempts: ATTEMPTS,
    passes: (error) => error instanceof OutageError && error.code === 'STORE_UNAVAILABLE',
  });

function asked(
  method: 'GET' | 'PUT',
  url: string,
  {
    headers,
    body,
    signal,
  }: { headers: Record<string, string>; body?: Uint8Array; signal?: AbortSignal | undefined },
): Promise<IncomingMessage> {
  const { protocol } = new URL(url);
  const isSecure = protocol === 'https:';
  const options = {
    ...{ method, headers, timeout: SILENCE_MS, agent: agents[isSecure ? 'https:' : 'http:'] },
    ...(signal && { signal }),
  };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(url, options, resolve);
    request.on('timeout', () => request.destroy(new Error(`nothing came for ${SILENCE_MS / 1000} s`)));
    request.on('error', (error) =>
      reject(signal?.aborted ? (signal.reason as Error) : unavailable('does not answer', error)),
    );
    request.end(body);
  });
}

const isOk = (status = 0): boolean => status >= 200 && status < 300;

const refused = (status: number | undefined): OutageError =>
  status === 507 ? new OutageError('STORAGE_FULL') : unavailable(`answered ${status} to a write`);

const unavailable = (what: string, cause?: Error): OutageError =>
  new OutageError('STORE_UNAVAILABLE', `The store ${what}${cause ? `: ${cause.message}` : ''}.`, { cause });
