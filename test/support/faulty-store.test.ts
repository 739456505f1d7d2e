// The store with bad days does what it is asked to, and nothing else.

import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { faultyStore, countByKind } from './faulty-store.ts';
import type { Fault, FaultKind, FaultyStore } from './faulty-store.ts';
import { temporaryDirectory } from './media.ts';
import { keyring, listenS3 } from './s3-server.ts';

const Bucket = 'bucket';
const SEGMENT = 'v/z/720p/00000.ts';
const SOURCE = 'uploads/z/source';
const BYTES = Buffer.alloc(300_000, 'abcdefg');

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let store: Awaited<ReturnType<typeof listenS3>>;
let faulty: FaultyStore;
let client: S3Client;

const clientAt = (endpoint: string): S3Client => {
  const { region, ...credentials } = keyring;
  return new S3Client({
    ...{ region, credentials, endpoint, forcePathStyle: true, maxAttempts: 1 },
    // Otherwise the client itself finds out about short artifacts.
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
};

async function open(seed = 1): Promise<FaultyStore> {
  return faultyStore({ endpoint: store.endpoint, seed, slowSeconds: 0.2, hangSeconds: 0.5 });
}

async function got(Key: string, Range?: string): Promise<{ bytes: Buffer; range: string | undefined }> {
  const { Body, ContentRange } = await client.send(new GetObjectCommand({ Bucket, Key, Range }));
  return { bytes: Buffer.from(await Body!.transformToByteArray()), range: ContentRange };
}

const always = (kind: FaultKind, more: Partial<Fault> = {}): Fault[] => [
  { kind, share: 1, matching: 'all', ...more },
];

beforeAll(async () => {
  directory = await temporaryDirectory();
  store = await listenS3({ directory: join(directory.path, 'store') });
  const direct = clientAt(store.endpoint);
  await direct.send(new CreateBucketCommand({ Bucket }));
  for (const Key of [SEGMENT, SOURCE]) await direct.send(new PutObjectCommand({ Bucket, Key, Body: BYTES }));
  direct.destroy();
});
beforeEach(async () => {
  faulty = await open();
  client = clientAt(faulty.endpoint);
});
afterEach(async () => {
  client.destroy();
  await faulty.close();
});
afterAll(async () => {
  await store.close();
  await directory.remove();
});

test('without a plan every request passes as it is, signature and all', async () => {
  await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: BYTES }));
  expect((await got('a')).bytes.equals(BYTES)).toBe(true);
  expect((await got('a', 'bytes=7-13')).bytes.toString()).toBe('abcdefg');
  expect(faulty.requests()).toBe(3);
  expect(faulty.injected).toEqual([]);
});

test.each<[FaultKind, object]>([
  ['SlowDown', { name: 'SlowDown', $metadata: expect.objectContaining({ httpStatusCode: 503 }) }],
  ['InternalError', { name: 'InternalError', $metadata: expect.objectContaining({ httpStatusCode: 500 }) }],
  ['AccessDenied', { name: 'AccessDenied', $metadata: expect.objectContaining({ httpStatusCode: 403 }) }],
  ['reset', { message: expect.stringContaining('ECONNRESET') }],
  ['hanging', { message: expect.stringContaining('ECONNRESET') }],
  ['cut off', {}],
  ['short body', {}],
  ['hanging in mid-body', {}],
])('%s: a read fails', async (kind, error) => {
  faulty.plan(always(kind));
  await expect(got(SEGMENT)).rejects.toMatchObject(error);
  expect(faulty.injected).toMatchObject([{ kind, request: expect.stringContaining(`GET ${SEGMENT}`) }]);
});

test.each<FaultKind>(['slow', 'trickled'])('%s: everything comes in the end', async (kind) => {
  faulty.plan(always(kind));
  expect((await got(SEGMENT)).bytes.equals(BYTES)).toBe(true);
  expect(countByKind(faulty.injected)).toEqual(new Map([[kind, 1]]));
});

test('a short read is less of the range, and says so', async () => {
  faulty.plan(always('short read', { matching: 'source reads' }));
  expect((await got(SEGMENT, 'bytes=0-99')).bytes).toHaveLength(100);
  const { bytes, range } = await got(SOURCE, 'bytes=100-1099');
  expect(bytes.length).toBeLessThan(1000);
  expect(range).toBe(`bytes 100-${99 + bytes.length}/${BYTES.length}`);
});

test('a short artifact is half of it, once or for as long as that is planned', async () => {
  faulty.plan(always('short artifact', { perObject: 'once' }));
  expect((await got(SEGMENT)).bytes).toHaveLength(BYTES.length / 2);
  expect((await got(SEGMENT)).bytes).toHaveLength(BYTES.length);
  faulty.plan(always('short artifact', { perObject: 'always' }));
  for (let times = 0; times < 2; times += 1) {
    expect((await got(SEGMENT)).bytes).toHaveLength(BYTES.length / 2);
  }
});

test('a wrong ETag is another one', async () => {
  const command = () => client.send(new HeadObjectCommand({ Bucket, Key: SOURCE }));
  const { ETag } = await command();
  faulty.plan(always('wrong ETag'));
  expect((await command()).ETag).not.toBe(ETag);
});

test.each<[FaultKind, boolean]>([
  ['lost answer', true],
  ['refused write', false],
  ['full', false],
])('%s: whoever writes hears of a failure; written: %j', async (kind, isWritten) => {
  faulty.plan(always(kind, { matching: 'writes' }));
  const Key = kind;
  await expect(client.send(new PutObjectCommand({ Bucket, Key, Body: BYTES }))).rejects.toThrow();
  expect(
    await got(Key).then(
      ({ bytes }) => bytes.equals(BYTES),
      () => false,
    ),
  ).toBe(isWritten);
});

test('an outage passes, and what was planned goes on', async () => {
  faulty.plan(always('wrong ETag'));
  const over = faulty.during(0.2, always('SlowDown'));
  await expect(got(SEGMENT)).rejects.toMatchObject({ name: 'SlowDown' });
  await over;
  await got(SEGMENT);
  expect(faulty.injected.map(({ kind }) => kind)).toEqual(['SlowDown', 'wrong ETag']);
});

test('the same seed meets the same requests with the same faults, in whichever order they come', async () => {
  const keys = Array.from({ length: 40 }, (_, index) => `v/z/720p/${index}.ts`);
  const struckIn = async (seed: number, order: readonly string[]): Promise<string[]> => {
    const own = await open(seed);
    own.plan([{ kind: 'reset', share: 0.3, matching: 'all' }]);
    for (const key of order) await fetch(`${own.endpoint}/${Bucket}/${key}`).catch(() => undefined);
    await own.close();
    return own.injected.map(({ request }) => request).sort();
  };
  const first = await struckIn(1, keys);
  expect(await struckIn(1, keys.toReversed())).toEqual(first);
  expect(await struckIn(2, keys)).not.toEqual(first);
  expect(first.length).toBeGreaterThan(4);
  expect(first.length).toBeLessThan(20);
});
