// A bucket as a Store, over the protocol.

import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { s3Store } from '../../adapters/s3-store.ts';
import { ensureBuckets } from '../../local/buckets.ts';
import type { Store } from '../../pipeline/store.ts';
import { temporaryDirectory } from '../support/media.ts';
import { keyring, listenS3 } from '../support/s3-server.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let s3: Awaited<ReturnType<typeof listenS3>>;
let client: S3Client;
let store: Store;

beforeAll(async () => {
  directory = await temporaryDirectory();
  s3 = await listenS3({ directory: directory.path });
  const { region, ...credentials } = keyring;
  client = new S3Client({ region, credentials, endpoint: s3.endpoint, forcePathStyle: true });
  await ensureBuckets(client, { uploads: 'uploads', media: 'media' });
  store = s3Store(client, 'media');
});
afterAll(async () => {
  await s3.close();
  await directory.remove();
});

const open = async () =>
  (await client.send(new ListMultipartUploadsCommand({ Bucket: 'media' }))).Uploads?.map(({ Key }) => Key);

test('an object that is complete ends all other uploads of it, and of no other', async () => {
  const type = { contentType: 'video/x-matroska' };
  const slower = await store.upload('mezzanine/a.mkv', type);
  await slower.part(1, Buffer.from('sam'));
  const other = await store.upload('mezzanine/b.mkv', type);
  const faster = await store.upload('mezzanine/a.mkv', type);
  await faster.complete([await faster.part(1, Buffer.from('same'))], 4);
  expect(await open()).toEqual(['mezzanine/b.mkv']);
  await expect(slower.part(2, Buffer.from('e'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await slower.abort();
  await other.abort();
  expect(Buffer.from((await store.get('mezzanine/a.mkv'))!).toString()).toBe('same');
});

test('what is written is proven by its length when it is read', async () => {
  await store.put('key', 'äöü', { contentType: 'text/plain' });
  expect(await store.getTagged('key')).toMatchObject({ isProven: true });
  expect(await store.getTagged('nothing')).toBeUndefined();
});

test('a range of what is not there, or no longer the same, is said so; where nobody answers, that', async () => {
  await store.put('ranged', '0123456789', { contentType: 'text/plain' });
  const { etag } = (await store.head('ranged'))!;
  const range = (key: string, of: string | undefined) =>
    store.readRange(key, { first: 2, last: 4, etag: of }, new AbortController().signal);
  const pieces: Uint8Array[] = [];
  for await (const piece of await range('ranged', etag)) pieces.push(piece);
  expect(Buffer.concat(pieces).toString()).toBe('234');
  await expect(range('ranged', 'another')).rejects.toMatchObject({ code: 'SOURCE_REPLACED' });
  await expect(range('nothing', undefined)).rejects.toMatchObject({ code: 'NOT_FOUND' });

  const { region, ...credentials } = keyring;
  const nobody = new S3Client({ region, credentials, endpoint: 'http://127.0.0.1:9', maxAttempts: 1 });
  await expect(s3Store(nobody, 'media').head('key')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});
