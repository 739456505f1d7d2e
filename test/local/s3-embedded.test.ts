// What only the embedded S3 promises: of its folder, of its process, and of the events it tells.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { S3Event } from 'aws-lambda';
import { openS3 } from '../../local/s3/server.ts';
import { formOf, signedFields } from '../support/post-form.ts';
import { spawnS3, type S3Process } from '../support/s3-process.ts';
import { keyring, listenS3 } from '../support/s3-server.ts';
import { refusalOf } from '../support/s3-under-test.ts';

const MIB = 1024 * 1024;
const mute = (): void => undefined;
// It warns that it cannot send a stream again; nor is it to.
const SILENT = { debug: mute, info: mute, warn: mute, error: mute };
/** How the SDK sends streams if it is not told otherwise: in chunks, with their checksum behind. */
const IN_CHUNKS: S3ClientConfig = { requestChecksumCalculation: 'WHEN_SUPPORTED', logger: SILENT };
const Bucket = 'films';

let parent: string;
let directory: string;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 's3-embedded-'));
  directory = join(parent, 'data', 's3');
  await mkdir(directory, { recursive: true });
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(parent, { recursive: true });
});

function clientOf(endpoint: string, changes: S3ClientConfig = {}): S3Client {
  const client = new S3Client({
    region: keyring.region,
    endpoint,
    credentials: keyring,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED', // else a presigned PUT is for an empty body only
    ...changes,
  });
  ends.push(() => client.destroy());
  return client;
}

async function listening(onCreated?: (event: S3Event) => unknown) {
  const server = await listenS3({ directory, ...(onCreated ? { onCreated } : {}) });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= server.close());
  ends.push(close);
  const client = clientOf(server.endpoint);
  await client.send(new CreateBucketCommand({ Bucket }));
  return { client, endpoint: server.endpoint, close };
}

async function spawned(): Promise<S3Process & { client: S3Client }> {
  const server = await spawnS3(directory);
  ends.push(server.kill);
  const client = clientOf(server.endpoint);
  await client.send(new CreateBucketCommand({ Bucket }));
  return { ...server, client };
}

const put = (client: S3Client, Key: string, Body: Uint8Array | string) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body }));

async function read(client: S3Client, Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return buffer(Body as Readable);
}

async function keysIn(client: S3Client): Promise<string[]> {
  const keys: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket })) {
    keys.push(...Contents.map(({ Key }) => Key!));
  }
  return keys;
}

const blobs = () => readdir(join(directory, 'blobs'));

/** Until nothing is half-written any more. */
async function settled(): Promise<void> {
  while ((await readdir(join(directory, 'incoming'))).length > 0) await sleep(10);
}

/** A PUT by a client that does as it likes with the body. */
async function beginPut(
  client: S3Client,
  Key: string,
  headers: Record<string, string>,
): Promise<ClientRequest> {
  const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key }));
  const sent = request(url, { method: 'PUT', headers });
  sent.on('error', () => undefined); // it is cut off on purpose
  return sent;
}

describe('a restart', () => {
  test('finds everything as it was', async () => {
    const before = await listening();
    await before.client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'kept',
        Body: 'film',
        ContentType: 'video/mp4',
        Metadata: { a: 'b' },
      }),
    );
    const begun = { Bucket, Key: 'parts' };
    const { UploadId } = await before.client.send(new CreateMultipartUploadCommand(begun));
    const first = randomBytes(5 * MIB);
    const { ETag } = await before.client.send(
      new UploadPartCommand({ ...begun, UploadId, PartNumber: 1, Body: first }),
    );
    await before.close();

    const { client } = await listening();
    const kept = await client.send(new GetObjectCommand({ Bucket, Key: 'kept' }));
    expect(kept).toMatchObject({ ContentType: 'video/mp4', Metadata: { a: 'b' } });
    expect(await text(kept.Body as Readable)).toBe('film');
    const second = await client.send(
      new UploadPartCommand({ ...begun, UploadId, PartNumber: 2, Body: 'end' }),
    );
    const Parts = [
      { PartNumber: 1, ETag },
      { PartNumber: 2, ETag: second.ETag },
    ];
    await client.send(new CompleteMultipartUploadCommand({ ...begun, UploadId, MultipartUpload: { Parts } }));
    expect((await read(client, 'parts')).equals(Buffer.concat([first, Buffer.from('end')]))).toBe(true);
  });

  test.each([1, 10, 40])('after being killed at write %i finds whole objects only', async (killedAt) => {
    const victim = await spawned();
    const bodyOf = (key: string) => Buffer.alloc(300_000, key); // told apart by what it repeats
    const half = await beginPut(victim.client, 'half', { 'content-length': '2000000' });
    half.write(Buffer.alloc(1_000_000));
    const begun = { Bucket, Key: 'parts' };
    const { UploadId } = await victim.client.send(new CreateMultipartUploadCommand(begun));
    await victim.client.send(new UploadPartCommand({ ...begun, UploadId, PartNumber: 1, Body: 'part' }));

    const acknowledged: string[] = [];
    let killed: Promise<void> | undefined;
    const writer = async (name: string) => {
      for (let i = 0; !killed; i++) {
        const key = `${name}/${i % 5}`; // some are written anew, so blobs are removed too
        await put(victim.client, key, bodyOf(key));
        acknowledged.push(key);
        if (acknowledged.length >= killedAt) killed ??= victim.kill();
      }
    };
    await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f'].map(writer));
    await killed;

    const { client } = await listening();
    const keys = await keysIn(client);
    expect(keys).toEqual(expect.arrayContaining(acknowledged));
    expect(keys).not.toContain('half');
    for (const key of keys) expect((await read(client, key)).equals(bodyOf(key))).toBe(true);
    const { Parts } = await client.send(new ListPartsCommand({ ...begun, UploadId }));
    expect(Parts).toMatchObject([{ PartNumber: 1, Size: 4 }]);
    // And what was half-written, or not in the index yet, takes no room.
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
    expect(await blobs()).toHaveLength(keys.length + 1);
  });
});

describe('an event', () => {
  test('has the shape of those of AWS', async () => {
    const events: S3Event[] = [];
    const { client } = await listening((event) => events.push(event));
    const stored = await put(client, 'a film/é+&.mp4', 'film');
    const eTag = stored.ETag!.replaceAll('"', '');
    expect(events).toEqual([
      {
        Records: [
          {
            eventVersion: '2.1',
            eventSource: 'aws:s3',
            awsRegion: 'us-east-1',
            eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
            eventName: 'ObjectCreated:Put',
            userIdentity: { principalId: expect.any(String) },
            requestParameters: { sourceIPAddress: '127.0.0.1' },
            responseElements: {
              'x-amz-request-id': stored.$metadata.requestId,
              'x-amz-id-2': expect.any(String),
            },
            s3: {
              s3SchemaVersion: '1.0',
              configurationId: expect.any(String),
              bucket: {
                name: Bucket,
                ownerIdentity: { principalId: expect.any(String) },
                arn: `arn:aws:s3:::${Bucket}`,
              },
              object: {
                key: 'a+film/%C3%A9%2B%26.mp4',
                size: 4,
                eTag,
                sequencer: expect.stringMatching(/^[0-9A-F]{16}$/),
              },
            },
          },
        ],
      },
    ]);
  });

  test('is told when the object can be read, whichever way it came, and of nothing that was refused', async () => {
    const told: string[] = [];
    const sequencers: string[] = [];
    let client: S3Client;
    const server = await listening(async ({ Records: [record] }) => {
      const { key, sequencer } = record!.s3.object;
      sequencers.push(sequencer);
      told.push(`${record!.eventName} ${key} ${await read(client, key)}`);
    });
    client = server.client;

    await put(client, 'put', '1');
    const fields = signedFields(keyring, {
      conditions: [{ bucket: Bucket }, { key: 'form' }],
      fields: { key: 'form' },
      expiresMs: Date.now() + 60_000,
    });
    const url = `${server.endpoint}/${Bucket}`;
    await fetch(url, { method: 'POST', body: formOf(fields, new Blob(['2']), 'f') });
    await fetch(url, { method: 'POST', body: formOf({ ...fields, key: 'other' }, new Blob(['2']), 'f') });
    const begun = { Bucket, Key: 'parts' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(begun));
    const { ETag } = await client.send(
      new UploadPartCommand({ ...begun, UploadId, PartNumber: 1, Body: '3' }),
    );
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await client.send(new CompleteMultipartUploadCommand({ ...begun, UploadId, MultipartUpload }));
    const refused = client.send(new PutObjectCommand({ Bucket, Key: 'put', Body: '4', IfNoneMatch: '*' }));
    expect(await refusalOf(refused)).toMatchObject({ status: 412 });
    await put(client, 'put', '5');

    while (told.length < 4) await sleep(10);
    expect(told.sort()).toEqual([
      'ObjectCreated:CompleteMultipartUpload parts 3',
      'ObjectCreated:Post form 2',
      'ObjectCreated:Put put 1',
      'ObjectCreated:Put put 5',
    ]);
    expect(sequencers).toEqual([...new Set(sequencers)].sort());
  });
});

test('256 MiB pass through in much less memory, up and down', async () => {
  const server = await spawned();
  await put(server.client, 'small', 'x');
  const idleBytes = await server.peakBytes();
  const piece = randomBytes(MIB);
  const body = Readable.from(Array.from({ length: 256 }, () => piece));
  const stored = await clientOf(server.endpoint, IN_CHUNKS).send(
    new PutObjectCommand({ Bucket, Key: 'large', Body: body, ContentLength: 256 * MIB }),
  );
  const { Body } = await server.client.send(new GetObjectCommand({ Bucket, Key: 'large' }));
  const md5 = createHash('md5');
  for await (const chunk of Body as Readable) md5.update(chunk as Buffer);
  expect(stored.ETag).toBe(`"${md5.digest('hex')}"`);
  expect((await server.peakBytes()) - idleBytes).toBeLessThan(128 * MIB);
});

test('no key and no bucket becomes a path', async () => {
  const { client, endpoint, close } = await listening();
  const keys = [
    '../../outside',
    '..%2f..%2foutside',
    '/tmp/outside',
    '..\\outside',
    'nul\0byte',
    '..',
    `${parent}/x`,
  ];
  for (const key of keys) await put(client, key, key);
  for (const key of keys) expect((await read(client, key)).toString()).toBe(key);
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
  expect(Contents!.map(({ Key }) => decodeURIComponent(Key!)).sort()).toEqual([...keys].sort());
  for (const name of ['..', '.', '%2e%2e', 'a%2fb', 'A']) {
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'k' }));
    const sent = request(`${endpoint}/`, { path: `/${name}/k${new URL(url).search}`, method: 'PUT' });
    sent.end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect([name, answer.statusCode]).toEqual([name, 403]); // signed for another path
    answer.resume();
  }
  for (const name of ['UPPER', 'a_b', 'ab', '.a.']) {
    const made = client.send(new CreateBucketCommand({ Bucket: name }));
    expect(await refusalOf(made)).toEqual({ status: 400, code: 'InvalidBucketName' });
  }
  await close();

  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  expect(await readdir(parent)).toEqual(['data']);
  expect(await readdir(join(parent, 'data'))).toEqual(['s3']);
  expect((await readdir(directory)).sort()).toEqual(['blobs', 'incoming', 'index.sqlite', 'reserve']);
  for (const blob of await blobs()) expect(blob).toMatch(uuid);
});

describe('a body', () => {
  test('that breaks off leaves nothing behind', async () => {
    const { client } = await listening();
    const sent = await beginPut(client, 'broken', { 'content-length': '1000000' });
    sent.write(Buffer.alloc(500_000));
    while ((await readdir(join(directory, 'incoming'))).length === 0) await sleep(10);
    sent.destroy();
    await settled();
    expect([await keysIn(client), await blobs()]).toEqual([[], []]);
  });

  test('that comes slowly holds nobody up, and may take its time', async () => {
    const { client } = await listening();
    const slow = await beginPut(client, 'slow', { 'content-length': '3' });
    slow.write('1');
    while ((await readdir(join(directory, 'incoming'))).length === 0) await sleep(10);
    await put(client, 'fast', 'x');
    expect(await keysIn(client)).toEqual(['fast']);
    slow.end('23');
    await once(slow, 'response');
    expect((await read(client, 'slow')).toString()).toBe('123');
  });

  test('that goes on past its declared length is never stored so', async () => {
    const { client, endpoint } = await listening();
    const url = new URL(await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'longer' })));
    const socket = connect(Number(new URL(endpoint).port), '127.0.0.1');
    socket.write(
      `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 5\r\n\r\n`,
    );
    socket.end('12345 and more that is no request\r\n\r\n');
    // To HTTP the rest is another request, and a bad one. The first may have been answered before.
    expect(await text(socket)).toContain('HTTP/1.1 400');
    await settled();
    const stored = await read(client, 'longer').catch(() => undefined);
    expect([undefined, '12345']).toContain(stored?.toString());
  });

  test.each([
    ['is longer than declared', '6\r\n123456\r\n0\r\n\r\n', 'IncompleteBody'],
    ['is shorter than declared', '4\r\n1234\r\n0\r\n\r\n', 'IncompleteBody'],
    ['breaks off inside a chunk', '5\r\n123', 'IncompleteBody'],
    ['has a chunk longer than its size', '4\r\n12345\r\n0\r\n\r\n', 'IncompleteBody'],
    ['has no chunks', 'hello\r\n', 'IncompleteBody'],
    ['lacks the checksum it announced', '5\r\n12345\r\n0\r\n\r\n', 'MalformedTrailerError'],
    [
      'is not what its checksum says',
      '5\r\n12345\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
      'BadDigest',
    ],
  ])('in chunks that %s leaves nothing behind', async (_, chunks, code) => {
    const { endpoint } = await listening();
    const tampering = clientOf(endpoint, IN_CHUNKS);
    tampering.middlewareStack.add(
      (next) => (args) => {
        const sent = args.request as { body: unknown; headers: Record<string, string> };
        sent.body = chunks;
        sent.headers['content-length'] = String(chunks.length);
        delete sent.headers['transfer-encoding'];
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    const sent = tampering.send(
      new PutObjectCommand({
        Bucket,
        Key: 'chunked',
        Body: Readable.from([Buffer.alloc(5)]),
        ContentLength: 5,
      }),
    );
    expect(await refusalOf(sent)).toEqual({ status: 400, code });
    await settled();
    expect(await blobs()).toEqual([]);
  });

  test('above 5 GiB is refused before it is sent', async () => {
    const { client } = await listening();
    const sent = await beginPut(client, 'huge', { 'content-length': String(5 * 1024 ** 3 + 1) });
    sent.flushHeaders();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const [chunk] = (await once(answer, 'data')) as [Buffer];
    expect([answer.statusCode, chunk.toString()]).toEqual([400, expect.stringContaining('EntityTooLarge')]);
    answer.on('error', () => undefined);
    sent.destroy();
  });
});

test('who reads an object reads it to its end, though it is replaced or deleted meanwhile', async () => {
  const { client } = await listening();
  // In two parts, of which the second is not open yet when the first fills all buffers on its way.
  const bytes = randomBytes(16 * MIB);
  const begun = { Bucket, Key: 'read' };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(begun));
  const Parts = [];
  for (const [i, Body] of [bytes.subarray(0, -5), bytes.subarray(-5)].entries()) {
    const PartNumber = i + 1;
    const { ETag } = await client.send(new UploadPartCommand({ ...begun, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...begun, UploadId, MultipartUpload: { Parts } }));
  const open = async () =>
    (await client.send(new GetObjectCommand({ Bucket, Key: 'read' }))).Body as Readable;
  const readers = [await open(), await open()];
  await put(client, 'read', 'other');
  expect((await read(client, 'read')).toString()).toBe('other');
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'read' }));
  for (const reader of readers) expect((await buffer(reader)).equals(bytes)).toBe(true);
  while ((await blobs()).length > 0) await sleep(10);
});

test('a folder belongs to one process at a time', async () => {
  const first = await spawned();
  await put(first.client, 'mine', 'x');
  const half = await beginPut(first.client, 'half', { 'content-length': '4' });
  half.write('12');
  while ((await readdir(join(directory, 'incoming'))).length === 0) await sleep(10);

  await expect(openS3({ directory, keyring })).rejects.toThrow(
    `${join(directory, 'index.sqlite')} could not be opened: another process is using it.`,
  );

  half.end('34');
  await once(half, 'response');
  expect(await keysIn(first.client)).toEqual(['half', 'mine']);
  await first.kill();
  const { client } = await listening();
  expect((await read(client, 'half')).toString()).toBe('1234');
});
