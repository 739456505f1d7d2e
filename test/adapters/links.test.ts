// Whoever has a link can do the one thing it is for, and no other.

import { S3Client } from '@aws-sdk/client-s3';
import { readRange, sendPart, writeOnce } from '../../adapters/link-client.ts';
import { s3Links } from '../../adapters/s3-links.ts';
import { s3Store } from '../../adapters/s3-store.ts';
import { ensureBuckets } from '../../local/buckets.ts';
import type { Store } from '../../pipeline/store.ts';
import { temporaryDirectory } from '../support/media.ts';
import { keyring, listenS3 } from '../support/s3-server.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let s3: Awaited<ReturnType<typeof listenS3>>;
let store: Store;

beforeAll(async () => {
  directory = await temporaryDirectory();
  s3 = await listenS3({ directory: directory.path });
  const { region, ...credentials } = keyring;
  const client = new S3Client({
    ...{ region, credentials, endpoint: s3.endpoint, forcePathStyle: true },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  await ensureBuckets(client, { uploads: 'uploads', media: 'media' });
  store = s3Store(client, 'media', s3Links(client, 'media', 60));
});
afterAll(async () => {
  await s3.close();
  await directory.remove();
});

const text = { contentType: 'text/plain', cacheControl: 'public, max-age=9' };
const never = new AbortController().signal;
const read = async (url: string, etag?: string): Promise<string> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of await readRange(url, { first: 2, last: 4, etag }, never)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
};
const statusOf = async (method: string, url: string, headers: Record<string, string> = {}): Promise<number> =>
  (await fetch(url, { method, headers, ...(method === 'PUT' && { body: 'taken over' }) })).status;

test('a link to read reads this object, if it is the one that is meant', async () => {
  await store.put('plans/a b.txt', '0123456789', text);
  await store.put('plans/other.txt', 'secret', text);
  const { etag } = (await store.head('plans/a b.txt'))!;
  const url = await store.readLink('plans/a b.txt');
  expect(await read(url, etag)).toBe('234');
  await expect(read(url, 'another')).rejects.toMatchObject({ code: 'SOURCE_REPLACED' });
  await expect(read(await store.readLink('plans/nothing'))).rejects.toMatchObject({ code: 'NOT_FOUND' });

  expect(await statusOf('GET', url.replace('a%20b', 'other'))).toBe(403);
  for (const method of ['PUT', 'DELETE']) expect(await statusOf(method, url)).toBe(403);
});

test('a link to write writes where there is nothing, with these headers, once', async () => {
  const link = await store.writeLink('v/a.ts', text);
  expect(await writeOnce(link, Buffer.from('first'))).toBe('stored');
  expect(await writeOnce(link, Buffer.from('second'))).toBe('exists');
  expect(Buffer.from((await store.get('v/a.ts'))!).toString()).toBe('first');
  // Without its condition, or as something else, it is not what was signed.
  const { 'if-none-match': _, ...unconditional } = link.headers;
  expect(await statusOf('PUT', link.url, unconditional)).toBe(403);
  expect(await statusOf('PUT', link.url, { ...link.headers, 'content-type': 'text/html' })).toBe(403);
  expect(await statusOf('GET', link.url)).toBe(403);
  expect(await statusOf('DELETE', link.url)).toBe(403);
});

test('what is written by a link is read like anything else', async () => {
  await writeOnce(await store.writeLink('v/b.ts', text), Buffer.from('whole'));
  const answer = await fetch(await store.readLink('v/b.ts'));
  expect(answer.headers.get('content-type')).toBe('text/plain');
  expect(answer.headers.get('cache-control')).toBe('public, max-age=9');
});

test('parts are sent by links, and become an object when their owner says so', async () => {
  const upload = await store.upload('mezzanine/a.mkv', { contentType: 'video/x-matroska' });
  const links = await upload.partLinks([1, 2, 5001]);
  const parts = [
    await sendPart(links, 2, Buffer.from(' of it')),
    await sendPart(links, 1, Buffer.alloc(5 * 1024 ** 2)),
  ];
  await sendPart(links, 5001, Buffer.from('of another copy'));
  await expect(sendPart(links, 3, Buffer.from('x'))).rejects.toMatchObject({ code: 'TIMED_OUT' });
  expect(await store.head('mezzanine/a.mkv')).toBeUndefined();
  await upload.complete(parts, 5 * 1024 ** 2 + 6);
  expect((await store.head('mezzanine/a.mkv'))!.sizeBytes).toBe(5 * 1024 ** 2 + 6);
});

test('where nobody answers, or what is signed has ended, the store is away', async () => {
  const nobody = 'http://127.0.0.1:9/media/v/a.ts?X-Amz-Signature=0';
  await expect(read(nobody)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  const ended = (await store.readLink('v/a.ts')).replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=1');
  await expect(read(ended)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});
