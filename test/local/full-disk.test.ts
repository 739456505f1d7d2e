// What the embedded S3 does when there is no space left, and when bytes that it stored are gone.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { jest } from '@jest/globals';
import { claimDirectory } from '../../local/data-directory.ts';
import { openDatabase } from '../../local/s3/database.ts';
import { DISK } from '../../local/s3/disk.ts';
import type { EmbeddedS3Options } from '../../local/s3/server.ts';
import { Space } from '../../local/s3/space.ts';
import { formOf, signedFields } from '../support/post-form.ts';
import { keyring, listenS3 } from '../support/s3-server.ts';
import { answerOf, refusalOf } from '../support/s3-under-test.ts';
import { countingDisk, tmpfsDisk, tmpfsRefusal, type SmallDisk } from '../support/small-disks.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Of a disk of 32 MiB. */
const RESERVE_BYTES = MIB;
const FULL = { status: 507, code: 'STORAGE_FULL' };
const DAMAGED = { status: 500, code: 'InternalError' };
const Bucket = 'films';

let small: SmallDisk;
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

type Options = Pick<EmbeddedS3Options, 'mayUseReserve'>;

async function listening(options: Options = {}) {
  const server = await listenS3({ ...options, directory: small.directory, disk: small.disk });
  const client = new S3Client({
    region: keyring.region,
    endpoint: server.endpoint,
    credentials: keyring,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= server.close());
  ends.push(close, () => client.destroy());
  return { client, endpoint: server.endpoint, close };
}

async function withBucket(options: Options = {}) {
  const server = await listening(options);
  await server.client.send(new CreateBucketCommand({ Bucket }));
  return server;
}

const put = (client: S3Client, Key: string, Body: Uint8Array | string) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body }));

async function read(client: S3Client, Key: string, Range?: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, Range }));
  return buffer(Body as Readable);
}

async function keysIn(client: S3Client): Promise<(string | undefined)[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key }) => Key);
}

async function begin(client: S3Client, Key: string) {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  return { Bucket, Key, UploadId };
}

function postForm(endpoint: string, key: string, bytes: Buffer): Promise<Response> {
  const fields = signedFields(keyring, {
    conditions: [{ bucket: Bucket }, { key }],
    fields: { key },
    expiresMs: Date.now() + 3_600_000,
  });
  return fetch(`${endpoint}/${Bucket}`, {
    method: 'POST',
    body: formOf(fields, new Blob([new Uint8Array(bytes)]), 'film'),
  });
}

const filesIn = (folder: string) => readdirSync(join(small.directory, folder));
const reserve = () => join(small.directory, 'reserve');
const reserveBytes = () => statSync(reserve(), { throwIfNoEntry: false })?.size ?? 0;

const refusal = tmpfsRefusal();
const KINDS: [string, () => SmallDisk][] = [['a disk that counts', countingDisk]];
if (refusal === undefined) KINDS.push(['a tmpfs', tmpfsDisk]);
// Named, so that nobody takes it for tested; the disk that counts runs everywhere.
else test.skip(`on a tmpfs, which cannot be mounted here: ${refusal}`, () => undefined);

describe.each(KINDS)('on %s', (_, make) => {
  beforeEach(() => {
    small = make();
    ends.push(small.remove);
  });

  describe('an upload larger than the space that is left', () => {
    const TOO_LARGE = Buffer.alloc(31 * MIB);

    test.each([
      ['a PUT', ({ client }) => refusalOf(put(client, 'large', TOO_LARGE))],
      ['a form', ({ endpoint }) => answerOf(postForm(endpoint, 'large', TOO_LARGE))],
      [
        'a part',
        async ({ client }) => {
          const upload = await begin(client, 'large');
          return refusalOf(client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: TOO_LARGE })));
        },
      ],
    ] as [string, (server: Awaited<ReturnType<typeof listening>>) => Promise<unknown>][])(
      'is refused as %s, leaves nothing behind, and does no harm to what is there',
      async (_, send) => {
        const server = await withBucket();
        await put(server.client, 'kept', 'film');
        const present = filesIn('blobs');

        expect(await send(server)).toEqual(FULL);

        expect([filesIn('blobs'), filesIn('incoming')]).toEqual([present, []]);
        expect((await read(server.client, 'kept')).toString()).toBe('film');
        await put(server.client, 'next', Buffer.alloc(MIB));
        expect(await keysIn(server.client)).toEqual(['kept', 'next']);
      },
    );

    test('is refused before it is sent, and may be sent to its end all the same', async () => {
      const { client } = await withBucket();
      const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'large' }));
      const sent = request(url, { method: 'PUT', headers: { 'content-length': TOO_LARGE.length } });
      sent.flushHeaders();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      const body = text(answer);
      const isDone = once(sent, 'close');
      sent.end(TOO_LARGE);
      await isDone;
      expect([answer.statusCode, await body]).toEqual([507, expect.stringContaining('STORAGE_FULL')]);
    });
  });

  test('space below the floor is for small writes only', async () => {
    const { client, endpoint } = await withBucket();
    small.fill(1.5 * MIB);
    expect(await refusalOf(put(client, 'segment', Buffer.alloc(64 * KIB)))).toEqual(FULL);
    expect(await answerOf(postForm(endpoint, 'form', Buffer.alloc(64 * KIB)))).toEqual(FULL);
    await put(client, 'record', Buffer.alloc(4 * KIB));
    expect((await postForm(endpoint, 'small form', Buffer.alloc(4 * KIB))).status).toBe(204);
    small.unfill();
    await put(client, 'segment', Buffer.alloc(64 * KIB));
    expect(await keysIn(client)).toEqual(['record', 'segment', 'small form']);
  });

  test('an upload that is under way when the space runs out is refused, and leaves nothing behind', async () => {
    const { client } = await withBucket();
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'half' }));
    const sent = request(url, { method: 'PUT', headers: { 'content-length': 8 * MIB } });
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    sent.write(Buffer.alloc(2 * MIB));
    const half = () => filesIn('incoming').map((name) => statSync(join(small.directory, 'incoming', name)));
    while ((half()[0]?.size ?? 0) < 2 * MIB - 64 * KIB) await new Promise(setImmediate);
    small.fill();
    sent.end(Buffer.alloc(6 * MIB));
    const [answer] = await answered;
    expect([answer.statusCode, await text(answer)]).toEqual([507, expect.stringContaining('STORAGE_FULL')]);
    expect([filesIn('blobs'), filesIn('incoming')]).toEqual([[], []]);
    small.unfill();
    await put(client, 'whole', Buffer.alloc(8 * MIB));
  });

  test('every write that finds no byte is refused, and goes through once there is space', async () => {
    const { client, endpoint } = await withBucket();
    const upload = await begin(client, 'parts');
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'part' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const CORSRules = [{ AllowedOrigins: ['*'], AllowedMethods: ['GET'] }];
    const writes: (() => Promise<unknown>)[] = [
      () => put(client, 'record', 'x'),
      () => client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'other' })),
      () => client.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'x' })),
      () => client.send(new CreateBucketCommand({ Bucket: 'another' })),
      () => client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } })),
      () => client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload })),
    ];
    small.fill();
    for (const write of writes) expect(await refusalOf(write())).toEqual(FULL);
    expect(await answerOf(postForm(endpoint, 'form', Buffer.from('x')))).toEqual(FULL);
    expect([filesIn('blobs').length, filesIn('incoming')]).toEqual([1, []]);
    expect(reserveBytes()).toBe(RESERVE_BYTES);

    small.unfill();
    for (const write of writes) await write();
    expect((await read(client, 'parts')).toString()).toBe('part');
  });

  test('everything can be deleted with no byte left, and what that frees can be used', async () => {
    const { client } = await withBucket();
    const large = Buffer.alloc(5 * MIB);
    for (const key of ['a', 'b', 'c', 'd']) await put(client, key, large);
    const upload = await begin(client, 'parts');
    await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: large }));
    await client.send(new CreateBucketCommand({ Bucket: 'empty' }));

    small.fill();
    await client.send(new DeleteBucketCommand({ Bucket: 'empty' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    expect(reserveBytes()).toBe(RESERVE_BYTES);
    small.fill();
    const Delete = { Objects: [{ Key: 'b' }, { Key: 'c' }, { Key: 'never there' }] };
    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete }));
    expect([Deleted?.length, Errors]).toEqual([3, undefined]);
    small.fill();
    await client.send(new AbortMultipartUploadCommand(upload));
    expect(reserveBytes()).toBe(RESERVE_BYTES);

    await put(client, 'new', Buffer.alloc(2 * MIB));
    expect(await keysIn(client)).toEqual(['d', 'new']);
    expect(filesIn('blobs')).toHaveLength(2);
    expect((await read(client, 'd')).equals(large)).toBe(true);
  });

  test('what leads to a deletion can be written with no byte left, and other small objects cannot', async () => {
    const { client } = await withBucket({
      mayUseReserve: (bucket, key) => bucket === Bucket && key === 'tombstone',
    });
    await put(client, 'film', Buffer.alloc(5 * MIB));
    small.fill();
    expect(await refusalOf(put(client, 'any', 'x'))).toMatchObject(FULL);
    await put(client, 'tombstone', 'x');
    expect((await read(client, 'tombstone')).toString()).toBe('x');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'film' }));
    expect(reserveBytes()).toBe(RESERVE_BYTES);
  });

  test('many small objects can be deleted one by one with no byte left, though they free next to nothing', async () => {
    const { client } = await withBucket();
    const keys = Array.from({ length: 100 }, (_, i) => `v/film/segment-${String(i).padStart(5, '0')}.ts`);
    for (const key of keys) await put(client, key, new Uint8Array());
    small.fill();
    for (const Key of keys) await client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect([await keysIn(client), filesIn('blobs')]).toEqual([[], []]);
    small.unfill();
    await put(client, 'any write restores the reserve', 'x');
    expect(reserveBytes()).toBe(RESERVE_BYTES);
  });

  test('a store opens on a full disk, and deletes there', async () => {
    const before = await withBucket();
    await put(before.client, 'kept', 'film');
    await put(before.client, 'large', Buffer.alloc(8 * MIB));
    await before.close();
    small.fill();

    const { client } = await listening();
    expect((await read(client, 'kept')).toString()).toBe('film');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'large' }));
    await put(client, 'new', Buffer.alloc(2 * MIB));
    expect(await keysIn(client)).toEqual(['kept', 'new']);
  });

  test.each([
    ['absent', 0],
    ['half there, as a killed process may leave it', RESERVE_BYTES / 2],
  ])('a store whose reserve is %s opens on a full disk, and takes it back later', async (_, leftBytes) => {
    const before = await withBucket();
    await put(before.client, 'kept', 'film');
    await before.close();
    if (leftBytes === 0) rmSync(reserve());
    else truncateSync(reserve(), leftBytes);
    small.fill();

    const server = await listening();
    expect((await read(server.client, 'kept')).toString()).toBe('film');
    expect(reserveBytes()).toBe(leftBytes);
    await server.close();
    small.unfill();
    await listening();
    expect(reserveBytes()).toBe(RESERVE_BYTES);
  });

  test('what an interrupted process was writing makes room at the next start', async () => {
    const before = await withBucket();
    await put(before.client, 'kept', 'film');
    await before.close();
    rmSync(reserve());
    writeFileSync(join(small.directory, 'incoming', 'half'), Buffer.alloc(4 * MIB));
    small.fill();
    const { client } = await listening();
    expect([reserveBytes(), filesIn('incoming')]).toEqual([RESERVE_BYTES, []]);
    await put(client, 'record', 'x');
  });

  test('a data directory can be claimed on a full disk', async () => {
    small.fill();
    await claimDirectory(join(small.directory, 'data'));
  });
});

test.each([
  ['a full disk', { code: 'ENOSPC' }, true],
  ['a used-up quota', { code: 'EDQUOT' }, true],
  ['SQLite that finds the disk full', { code: 'ERR_SQLITE_ERROR', errcode: 13 }, true],
  ['SQLite that cannot write though there is room', { code: 'ERR_SQLITE_ERROR', errcode: 778 }, false],
  ['a database in use', { code: 'ERR_SQLITE_ERROR', errcode: 5 }, false],
  ['a broken disk', { code: 'EIO' }, false],
  ['something of which no space is the cause', { cause: { code: 'ENOSPC' } }, true],
  ['nothing at all', undefined, false],
])('of %s it is known whether space is what is missing', (_, error, isOutOfSpace) => {
  small = countingDisk();
  ends.push(small.remove);
  expect(new Space(small.directory, DISK).isOutOfSpace(error)).toBe(isOutOfSpace);
});

test('the error that ended a transaction is the one that is thrown, also if SQLite has rolled back by itself', () => {
  const database = openDatabase(':memory:', { logBytes: MIB });
  const failing = (rollback: () => void) => () =>
    database.transaction(() => {
      database.sql.run`INSERT INTO buckets (name, created_ms) VALUES ('gone', 1)`;
      rollback();
      throw new Error('the first');
    });
  expect(failing(() => undefined)).toThrow('the first');
  expect(failing(() => database.sql.run`ROLLBACK`)).toThrow('the first');
  expect(database.sql.all`SELECT * FROM buckets`).toEqual([]);
  expect(database.transaction(() => 'works on')).toBe('works on');
  database.close();
});

describe('an object whose bytes are damaged on the disk', () => {
  let log: jest.SpiedFunction<typeof console.error>;

  beforeEach(() => {
    small = { ...countingDisk(), disk: DISK };
    ends.push(small.remove);
    log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    ends.push(() => log.mockRestore());
  });

  const onlyBlob = () => join(small.directory, 'blobs', filesIn('blobs')[0]!);
  const HARMS: [string, (path: string) => void][] = [
    ['cut', (path) => truncateSync(path, 2 * MIB)],
    ['missing', (path) => rmSync(path)],
  ];

  test.each(HARMS)('(%s) is never answered with 200, and reported once', async (_, harm) => {
    const { client } = await withBucket();
    await put(client, 'film', randomBytes(4 * MIB));
    const path = onlyBlob();
    harm(path);
    const get = (Range?: string) => client.send(new GetObjectCommand({ Bucket, Key: 'film', Range }));
    expect(await refusalOf(get())).toEqual(DAMAGED);
    expect(await refusalOf(get('bytes=0-9'))).toEqual(DAMAGED);
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'film' }));
    expect(await (await fetch(url)).text()).toContain('damaged on the disk');
    expect(log.mock.calls.map(([message]) => message)).toEqual([`${path} is damaged.`]);
    // The index knows it all the same.
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'film' }));
    expect(head.ContentLength).toBe(4 * MIB);
  });

  test.each(HARMS)('(%s) can be replaced and deleted', async (_, harm) => {
    const { client } = await withBucket();
    const { ETag } = await put(client, 'film', randomBytes(4 * MIB));
    harm(onlyBlob());
    await client.send(new PutObjectCommand({ Bucket, Key: 'film', Body: 'anew', IfMatch: ETag }));
    expect((await read(client, 'film')).toString()).toBe('anew');
    rmSync(onlyBlob());
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'film' }));
    expect([await keysIn(client), filesIn('blobs')]).toEqual([[], []]);
  });

  test('can still be read where its blobs are whole', async () => {
    const { client } = await withBucket();
    const upload = await begin(client, 'film');
    const first = randomBytes(5 * MIB);
    const one = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: first }));
    const whole = filesIn('blobs');
    const two = await client.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'end' }));
    const Parts = [one, two].map(({ ETag }, i) => ({ PartNumber: i + 1, ETag }));
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    const second = filesIn('blobs').find((name) => !whole.includes(name))!;
    truncateSync(join(small.directory, 'blobs', second), 1);
    expect((await read(client, 'film', `bytes=0-${5 * MIB - 1}`)).equals(first)).toBe(true);
    expect(await refusalOf(read(client, 'film', `bytes=${5 * MIB - 1}-`))).toEqual(DAMAGED);
    expect(await refusalOf(read(client, 'film'))).toEqual(DAMAGED);
  });

  test('ends its answer with a broken connection if it is cut while it is read', async () => {
    const { client } = await withBucket();
    await put(client, 'film', Buffer.alloc(64 * MIB)); // more than all buffers on its way hold
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'film' }));
    truncateSync(onlyBlob(), MIB);
    await expect(buffer(Body as Readable)).rejects.toThrow('aborted');
    expect(log).toHaveBeenCalledTimes(1);
  });

  test('is whole again when its blob is back', async () => {
    const { client } = await withBucket();
    await put(client, 'film', 'bytes');
    const path = onlyBlob();
    renameSync(path, `${path}.away`);
    expect(await refusalOf(read(client, 'film'))).toEqual(DAMAGED);
    renameSync(`${path}.away`, path);
    expect((await read(client, 'film')).toString()).toBe('bytes');
  });
});
