// Uploads by token, against the embedded S3: what may be sent, how often, for how long, and what becomes of it.

import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { s3Multipart } from '../../adapters/s3-multipart.ts';
import { s3Store } from '../../adapters/s3-store.ts';
import { signUploads } from '../../adapters/sign-upload.ts';
import { cardKey, newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { admittedUpload, uploadToken } from '../../core/access/upload-token.ts';
import { CARD } from '../../core/records/card.ts';
import { httpApi } from '../../pipeline/http/api.ts';
import { readRecord } from '../../pipeline/store.ts';
import type { World } from '../../pipeline/world.ts';
import { cleanedUp } from '../support/janitor.ts';
import { formOf } from '../support/post-form.ts';
import { answerOf, s3UnderTest } from '../support/s3-under-test.ts';
import type { S3UnderTest } from '../support/s3-under-test.ts';

type Json = any;

const BASE = 'http://localhost:3000';
const MIB = 1024 * 1024;
const SECRET = 'a secret';

let s3: S3UnderTest;
let client: S3Client;
let app: ReturnType<typeof httpApi>;
let buckets: Pick<World, 'media' | 'uploads'>;

beforeAll(async () => {
  s3 = await s3UnderTest();
  client = s3.client();
  for (const Bucket of ['uploads', 'media']) await client.send(new CreateBucketCommand({ Bucket }));
  buckets = { media: s3Store(client, 'media'), uploads: s3Store(client, 'uploads') };
  app = httpApi({
    stores: {
      ...buckets,
      multipart: s3Multipart(client, 'uploads'),
      sign: signUploads(client, 'uploads'),
    },
    uploadSecret: async () => SECRET,
    videoIdKey: async () => 'key',
    signPlayback: undefined,
    isAuthorized: ({ req }) => req.header('authorization') === 'Bearer key',
    maxUploadBytes: 20 * 1024 ** 3,
    deletionGraceSeconds: 0,
    publicBaseUrl: BASE,
  });
});
afterAll(() => s3?.close());

async function call(method: string, path: string, body?: unknown, key: string | null = 'key') {
  const answer = await app.request(path, {
    method,
    headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text ? JSON.parse(text) : undefined) as Json };
}

const grant = async (request: object): Promise<Json> => (await call('POST', '/api/uploads', request)).body;

/** The routes below a token, called as a browser calls them: without a key. */
function routesOf(token: string) {
  const at = (method: string, path: string, body?: unknown) =>
    call(method, `/api/u/${token}/s3${path}`, body, null);
  const named = (uploadId: string, key: string, rest = '') =>
    `/multipart/${encodeURIComponent(uploadId)}${rest}?key=${encodeURIComponent(key)}`;
  return {
    params: (filename: string, type: string) =>
      at('GET', `/params?${new URLSearchParams({ filename, type })}`),
    begin: (type = 'video/mp4') =>
      at('POST', '/multipart', { filename: 'film.mp4', type, metadata: { a: 1 } }),
    sign: (uploadId: string, number: number | string, key: string, size?: number) =>
      at('GET', named(uploadId, key, `/${number}`) + (size === undefined ? '' : `&size=${size}`)),
    signed: (request: object) => at('POST', '/sign', request),
    list: (uploadId: string, key: string) => at('GET', named(uploadId, key)),
    complete: (uploadId: string, key: string, parts: unknown) =>
      at('POST', named(uploadId, key, '/complete'), { parts }),
    abort: (uploadId: string, key: string) => at('DELETE', named(uploadId, key)),
  };
}

/** Begins an upload with the token and sends these bodies as its parts, each to a URL for its size or for any. */
async function send(token: string, bodies: readonly Buffer[], saysSizes = true) {
  const routes = routesOf(token);
  const { key, uploadId } = (await routes.begin()).body;
  const parts: { PartNumber: number; ETag: string }[] = [];
  // As many at once as a busy machine still accepts connections for.
  for (let from = 0; from < bodies.length; from += 50) {
    const some = bodies.slice(from, from + 50).map(async (bytes, offset) => {
      const PartNumber = from + offset + 1;
      const { url } = (await routes.sign(uploadId, PartNumber, key, saysSizes ? bytes.length : undefined))
        .body;
      const put = await fetch(url, { method: 'PUT', body: new Uint8Array(bytes) });
      return { PartNumber, ETag: put.headers.get('etag')! };
    });
    parts.push(...(await Promise.all(some)));
  }
  return { ...routes, key: key as string, uploadId: uploadId as string, parts };
}

/** Does what the janitor was asked for. */
const cleaned = () =>
  cleanedUp(buckets, { uploads: s3Multipart(client, 'uploads'), media: s3Multipart(client, 'media') });

const isStored = (id: string): Promise<boolean> =>
  client.send(new HeadObjectCommand({ Bucket: 'uploads', Key: sourceKey(id) })).then(
    () => true,
    () => false,
  );
const openUploads = async (id: string): Promise<number> => {
  const { Uploads = [] } = await client.send(
    new ListMultipartUploadsCommand({ Bucket: 'uploads', Prefix: sourceKey(id) }),
  );
  return Uploads.length;
};

const film = (sizeBytes: number) => ({ filename: 'film.mp4', contentType: 'video/mp4', sizeBytes });
const [whole, rest] = [Buffer.alloc(5 * MIB, 'a'), Buffer.alloc(1000, 'b')];

test('a file is sent in parts, and becomes the source', async () => {
  const { id, uploadToken } = await grant(film(whole.length + rest.length));
  const { complete, key, uploadId, parts } = await send(uploadToken, [whole, rest]);
  expect(await complete(uploadId, key, parts)).toEqual({
    status: 200,
    body: { location: `${BASE}/api/videos/${id}`, key: `uploads/${id}/source` },
  });
  const { Body, ContentType } = await client.send(new GetObjectCommand({ Bucket: 'uploads', Key: key }));
  expect(ContentType).toBe('video/mp4');
  expect(Buffer.concat([whole, rest]).equals(await Body!.transformToByteArray())).toBe(true);
});

test.each([
  ['in quotes, as S3 has them', (etag: string) => `"${etag}"`],
  ['without quotes', (etag: string) => etag],
])('parts may be named with their ETags %s', async (_, named) => {
  const { uploadToken } = await grant(film(10));
  const { list, complete, key, uploadId } = await send(uploadToken, [rest.subarray(0, 10)]);
  const { body: listed } = await list(uploadId, key);
  expect(listed).toEqual([{ PartNumber: 1, ETag: expect.stringMatching(/^[0-9a-f]{32}$/), Size: 10 }]);
  const parts = listed.map((part: Json) => ({ ...part, ETag: named(part.ETag) }));
  expect((await complete(uploadId, key, parts)).status).toBe(200);
});

test('parts are listed to the last, however many pages of the store they fill', async () => {
  const { uploadToken } = await grant({});
  const { list, sign, key, uploadId } = await send(uploadToken, []);
  const numbers = Array.from({ length: 1203 }, (_, index) => index + 1);
  for (let from = 0; from < numbers.length; from += 50) {
    const some = numbers.slice(from, from + 50).map(async (number) => {
      const url = await signUploads(client, 'uploads').part(key, uploadId, { number, sizeBytes: 1 });
      await fetch(url, { method: 'PUT', body: 'x' });
    });
    await Promise.all(some);
  }
  const { body } = await list(uploadId, key);
  expect(body.map((part: Json) => part.PartNumber)).toEqual(numbers);
  expect((await sign(uploadId, 1204, key, 5 * MIB)).status).toBe(200);
});

test('completing again is answered with the same, and so are completions that race', async () => {
  const { uploadToken } = await grant(film(whole.length + rest.length));
  const { complete, key, uploadId, parts } = await send(uploadToken, [whole, rest]);
  const racing = await Promise.all(Array.from({ length: 8 }, () => complete(uploadId, key, parts)));
  const again = await complete(uploadId, key, parts);
  expect(new Set([...racing, again].map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set([...racing, again].map(({ body }) => body.location)).size).toBe(1);
});

test('of two files that race for one video the first is stored, and the other is told so', async () => {
  const { id, uploadToken } = await grant(film(1000));
  const sent = await Promise.all(['a', 'b'].map((text) => send(uploadToken, [Buffer.alloc(1000, text)])));
  const ends = await Promise.all(
    sent.map(({ complete, uploadId, key, parts }) => complete(uploadId, key, parts)),
  );
  expect(ends.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(ends.find(({ status }) => status === 409)!.body.code).toBe('ALREADY_UPLOADED');
  const winner = ends.findIndex(({ status }) => status === 200);
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'uploads', Key: sourceKey(id) }));
  expect(await Body!.transformToString()).toBe('ab'[winner]!.repeat(1000));
  expect(await openUploads(id)).toBe(0);
});

test('once one upload of a video is complete, what was sent of its others is gone', async () => {
  const { id, uploadToken } = await grant(film(1000));
  const [first] = [await send(uploadToken, [rest]), await send(uploadToken, [rest])];
  expect(await openUploads(id)).toBe(2);
  expect((await first.complete(first.uploadId, first.key, first.parts)).status).toBe(200);
  expect(await openUploads(id)).toBe(0);
});

test('once a video has its file there is no further form, upload or token', async () => {
  const { id, uploadToken } = await grant(film(1000));
  const { complete, key, uploadId, parts } = await send(uploadToken, [rest]);
  await complete(uploadId, key, parts);
  const refusal = { status: 409, body: { code: 'ALREADY_UPLOADED' } };
  expect(await routesOf(uploadToken).begin()).toMatchObject(refusal);
  expect(await routesOf(uploadToken).params('film.mp4', 'video/mp4')).toMatchObject(refusal);
  expect(await call('POST', `/api/uploads/${id}/tokens`)).toMatchObject(refusal);
});

describe('a limit', () => {
  test('holds for the sum of parts whose sizes nobody told; what is beyond it is forgotten', async () => {
    const { id, uploadToken } = await grant({ maxBytes: whole.length + rest.length - 1 });
    const { complete, key, uploadId, parts } = await send(uploadToken, [whole, rest], false);
    expect(await complete(uploadId, key, parts)).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
    expect([await isStored(id), await openUploads(id)]).toEqual([false, 0]);
  });

  test('is not touched by parts that are not named', async () => {
    const { id, uploadToken } = await grant({ maxBytes: whole.length + rest.length });
    const { complete, key, uploadId, parts } = await send(uploadToken, [whole, whole], false);
    expect((await complete(uploadId, key, parts.slice(0, 1))).status).toBe(200);
    expect((await call('GET', `/api/videos/${id}`)).body.sizeBytes).toBe(whole.length);
  });

  test('refuses a part before it is sent where the file cannot stay within it, and forgets the rest', async () => {
    const { id, uploadToken } = await grant({ maxBytes: whole.length + rest.length });
    const { sign, signed, key, uploadId } = await send(uploadToken, [whole]);
    expect((await sign(uploadId, 2, key, rest.length)).status).toBe(200);
    expect((await sign(uploadId, 1, key, whole.length)).status).toBe(200); // in place of what is there
    const request = { method: 'PUT', key, uploadId, partNumber: 2, size: rest.length };
    expect((await signed(request)).status).toBe(200);
    expect(await signed({ ...request, size: rest.length + 1 })).toEqual({
      status: 413,
      body: { code: 'TOO_LARGE', message: expect.stringContaining('at most 5243880 are accepted') },
    });
    expect(await openUploads(id)).toBe(0);
    expect(await sign(uploadId, 2, key, rest.length)).toMatchObject({ status: 404 });
  });

  test('that has been broken by a part of a size that nobody told ends the upload when the next one is signed', async () => {
    const { id, uploadToken } = await grant({ maxBytes: 2 * whole.length });
    const { sign, key, uploadId } = await send(uploadToken, [Buffer.alloc(2 * whole.length)], false);
    expect(await sign(uploadId, 2, key)).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
    expect(await openUploads(id)).toBe(0);
  });

  test.each([
    ['the last that it has room for', 4, undefined, 200],
    ['one after that', 5, undefined, 413],
    ['of all that is left', 4, 5 * MIB, 200],
    ['of more than is left', 4, 5 * MIB + 1, 413],
    ['of more than a file of such parts could have', 2, 10 * MIB + 1, 413],
    ['of more than S3 takes', 1, 5 * 1024 ** 3 + 1, 400],
    ['of less than nothing', 1, -1, 400],
  ])(
    'of 20 MiB answers for a part that is %s: number %i, size %s, by %i',
    async (_, number, size, status) => {
      const { uploadToken } = await grant({ maxBytes: 20 * MIB });
      const { sign, key, uploadId } = await send(uploadToken, []);
      expect((await sign(uploadId, number, key, size)).status).toBe(status);
    },
  );

  test('below the least size of a part has the size said', async () => {
    const { uploadToken } = await grant({ maxBytes: 1000 });
    const { sign, signed, key, uploadId } = await send(uploadToken, []);
    const refusal = {
      status: 400,
      body: { code: 'INVALID_REQUEST', message: expect.stringMatching(/^size: /) },
    };
    expect(await sign(uploadId, 1, key)).toMatchObject(refusal);
    expect(await signed({ method: 'PUT', key, uploadId, partNumber: 1 })).toMatchObject(refusal);
    expect((await sign(uploadId, 1, key, 1000)).status).toBe(200);
  });

  test('of a thousand bytes lets no more be stored, whatever is signed before anything is sent', async () => {
    const { id, uploadToken } = await grant({ maxBytes: 1000 });
    const { sign, begin, key } = await send(uploadToken, []);
    const ids = await Promise.all(Array.from({ length: 12 }, async () => (await begin()).body.uploadId));
    await Promise.all(
      ids.map(async (uploadId) => {
        const { url } = (await sign(uploadId, 1, key, 1000)).body;
        for (const size of [60_000, 1000]) {
          if (url) await answerOf(fetch(url, { method: 'PUT', body: 'x'.repeat(size) }));
        }
      }),
    );
    const { Uploads = [] } = await client.send(
      new ListMultipartUploadsCommand({ Bucket: 'uploads', Prefix: key }),
    );
    const multipart = s3Multipart(client, 'uploads');
    const parts = await Promise.all(Uploads.map(({ UploadId }) => multipart.parts(sourceKey(id), UploadId!)));
    const sizes = parts.flatMap((each) => each!.map(({ sizeBytes }) => sizeBytes));
    expect(sizes.length).toBeLessThanOrEqual(5);
    expect(new Set(sizes)).toEqual(new Set([1000]));
  });

  test.each([
    [1000, 201],
    [1001, 400],
  ])('of 1000 bytes answers a form with a file of %i by %i', async (sizeBytes, status) => {
    const { uploadToken } = await grant({ maxBytes: 1000 });
    const { method, url, fields } = (await routesOf(uploadToken).params('film.mp4', 'video/mp4')).body;
    const body = formOf(fields, new Blob([Buffer.alloc(sizeBytes)]), 'film.mp4');
    expect((await answerOf(fetch(url, { method, body }))).status).toBe(status);
  });

  test('of the service holds for what a token asks as well', async () => {
    expect((await call('POST', '/api/uploads', film(20 * 1024 ** 3 + 1))).body.code).toBe('TOO_LARGE');
    const { uploadToken } = await grant({ maxBytes: 1024 ** 5 });
    expect(admittedUpload(uploadToken, new Date(), SECRET).maxBytes).toBe(20 * 1024 ** 3);
  });

  test('of one request is above what a single PUT is granted for', async () => {
    expect((await grant(film(5 * 1024 ** 3))).upload).toMatchObject({ method: 'PUT' });
    expect((await grant(film(5 * 1024 ** 3 + 1))).upload).toBeNull();
  });
});

describe('a URL for a part', () => {
  test.each([
    [10, 9, 403],
    [10, 10, 200],
    [10, 11, 403],
    [0, 0, 200],
    [0, 1, 403],
    [undefined, 11, 200],
  ])('of %s bytes answers %i bytes by %i', async (size, sent, status) => {
    const { uploadToken } = await grant({});
    const { sign, signed, key, uploadId } = await send(uploadToken, []);
    const urls = [
      (await sign(uploadId, 1, key, size)).body.url,
      (await signed({ method: 'PUT', key, uploadId, partNumber: 1, size })).body.url,
    ];
    for (const url of urls) {
      const answer = await answerOf(fetch(url, { method: 'PUT', body: new Uint8Array(sent) }));
      expect(answer.status).toBe(status);
    }
  });
});

describe('of the uploads of one video', () => {
  const openIds = async (key: string): Promise<string[]> => {
    const { Uploads = [] } = await client.send(
      new ListMultipartUploadsCommand({ Bucket: 'uploads', Prefix: key }),
    );
    return Uploads.map(({ UploadId }) => UploadId!);
  };

  test('the five that were begun last stay open', async () => {
    const { uploadToken } = await grant({});
    const { begin } = routesOf(uploadToken);
    const begun: string[] = [];
    let key = '';
    for (let index = 0; index < 8; index += 1) {
      const { body } = await begin();
      key = body.key;
      begun.push(body.uploadId);
      await new Promise((resolve) => setTimeout(resolve, 2)); // begun in another millisecond
    }
    expect(new Set(await openIds(key))).toEqual(new Set(begun.slice(3)));
  });

  test('five at most stay open of a hundred, of which twenty-five begin at once', async () => {
    const { id, uploadToken } = await grant({});
    const { begin } = routesOf(uploadToken);
    for (let round = 0; round < 4; round += 1) {
      const begun = await Promise.all(Array.from({ length: 25 }, () => begin()));
      expect(new Set(begun.map(({ status }) => status))).toEqual(new Set([200]));
      const open = await openUploads(id);
      expect(open).toBeGreaterThan(0);
      expect(open).toBeLessThanOrEqual(5);
    }
  });

  test('those that were begun with one signed request are found when a part is signed', async () => {
    const { id, uploadToken } = await grant({});
    const { sign, signed } = routesOf(uploadToken);
    const { url, key } = (await signed({ method: 'POST', key: 'film.mp4' })).body;
    for (let index = 0; index < 12; index += 1) await fetch(url, { method: 'POST' });
    const all = await openIds(key);
    expect(all).toHaveLength(12);
    expect((await sign(all[0]!, 1, key, 1000)).status).toBe(200);
    expect(await openUploads(id)).toBe(5);
    expect(await openIds(key)).toContain(all[0]);

    for (let index = 0; index < 12; index += 1) await fetch(url, { method: 'POST' });
    await signed({ method: 'POST', key: 'film.mp4' });
    expect(await openUploads(id)).toBe(4); // and one that may begin
  });
});

describe('a type', () => {
  test.each([
    ['video/mp4', ['video/*'], 200],
    ['VIDEO/MP4', ['video/mp4'], 200],
    ['video/mp4; codecs="avc1"', ['audio/mp4', 'video/mp4'], 200],
    ['video/mp4', ['audio/*', 'video/webm'], 415],
    ['videos/mp4', ['video/*'], 415],
    ['image/png', undefined, 200],
  ])('%s where %j are allowed is answered %i', async (type, contentTypes, status) => {
    const { uploadToken } = await grant({ contentTypes });
    expect((await routesOf(uploadToken).begin(type)).status).toBe(status);
    expect((await routesOf(uploadToken).params('film', type)).status).toBe(status);
  });

  test('is held by the form too', async () => {
    const { uploadToken } = await grant({ contentTypes: ['video/*'] });
    const { url, fields } = (await routesOf(uploadToken).params('film.mp4', 'video/mp4')).body;
    const body = formOf({ ...fields, 'Content-Type': 'text/html' }, new Blob(['x']), 'film.mp4');
    expect(await answerOf(fetch(url, { method: 'POST', body }))).toMatchObject({ status: 403 });
  });
});

describe('a token', () => {
  const parts = [{ PartNumber: 1, ETag: 'x' }];
  const calls = (token: string, key: string, uploadId: string) => {
    const routes = routesOf(token);
    return Promise.all([
      routes.sign(uploadId, 1, key, 1000),
      routes.list(uploadId, key),
      routes.complete(uploadId, key, parts),
      routes.abort(uploadId, key),
    ]);
  };

  test('opens nothing of another video', async () => {
    const [mine, theirs] = [await grant(film(1000)), await grant(film(1000))];
    const { key, uploadId } = await send(theirs.uploadToken, [rest]);
    for (const answer of await calls(mine.uploadToken, key, uploadId)) {
      expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    }
    const own = await calls(mine.uploadToken, sourceKey(mine.id), uploadId);
    expect(own.map(({ status }) => status)).toEqual([404, 404, 404, 200]);
    expect(await openUploads(theirs.id)).toBe(1);
  });

  const changed: [string, (token: string) => string][] = [
    ['of another id', (token) => newVideoId(new Date()) + token.slice(34)],
    ['with another limit', (token) => token.replace(/^(\w+\.\d+)\.\d+/, '$1.9999999')],
    ['with other types', (token) => token.replace(/^(\w+\.\d+\.\d+)\.[\w-]*/, '$1.')],
    ['that lasts longer', (token) => token.replace(/^(\w+)\.\d+/, '$1.9999999999')],
    ['with another signature', (token) => token.replace(/.{43}$/, 'A'.repeat(43))],
    ['that is none', () => 'none'],
  ];
  test.each(changed)('%s is refused', async (_, change) => {
    const { uploadToken } = await grant({ ...film(1000), contentTypes: ['video/*'] });
    expect(await routesOf(change(uploadToken)).begin()).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN' },
    });
    expect((await routesOf(uploadToken).begin()).status).toBe(200);
  });

  test('that has ended is refused by a code of its own, and a new one goes on with the parts', async () => {
    const { id, uploadToken: first } = await grant({ ...film(1000), contentTypes: ['video/*'] });
    const { key, uploadId } = await send(first, [rest]);
    const ended = uploadToken(
      { id, maxBytes: 1000, contentTypes: [], expiresAt: new Date(Date.now() - 1000) },
      SECRET,
    );
    for (const answer of await calls(ended, key, uploadId)) {
      expect(answer).toMatchObject({ status: 403, body: { code: 'UPLOAD_TOKEN_EXPIRED' } });
    }
    const { status, body } = await call('POST', `/api/uploads/${id}/tokens`, { expiresInSeconds: 60 });
    expect(status).toBe(201);
    expect(body.uploadUrl).toBe(`${BASE}/api/u/${body.uploadToken}`);
    expect(admittedUpload(body.uploadToken, new Date(), SECRET)).toEqual({
      id,
      maxBytes: 1000,
      contentTypes: ['video/*'],
      expiresAt: new Date(body.uploadExpiresAt.slice(0, 19) + 'Z'),
    });
    const { list, complete } = routesOf(body.uploadToken);
    expect((await complete(uploadId, key, (await list(uploadId, key)).body)).status).toBe(200);
  });

  test.each([
    ['twelve hours unless asked', {}, 12 * 3600],
    ['as long as asked', { expiresInSeconds: 60 }, 60],
  ])('lasts %s', async (_, request, seconds) => {
    const { uploadExpiresAt } = await grant(request);
    expect((Date.parse(uploadExpiresAt) - Date.now()) / 1000).toBeGreaterThan(seconds - 30);
    expect((Date.parse(uploadExpiresAt) - Date.now()) / 1000).toBeLessThanOrEqual(seconds);
  });
});

test('of a file that another has replaced nothing more is read', async () => {
  const store = s3Store(client, 'uploads');
  const key = sourceKey(newVideoId(new Date()));
  const put = (text: string) => store.put(key, text, { contentType: 'video/mp4' });
  const read = async (etag: string | undefined) => {
    const range = { first: 0, last: 2, etag };
    const pieces: Uint8Array[] = [];
    for await (const bytes of await store.readRange(key, range, new AbortController().signal))
      pieces.push(bytes);
    return Buffer.concat(pieces).toString();
  };
  await put('one');
  const { etag } = (await store.head(key))!;
  expect(await read(etag)).toBe('one');
  await put('two');
  await expect(read(etag)).rejects.toMatchObject({ status: 409, code: 'SOURCE_REPLACED' });
  expect(await read(undefined)).toBe('two');
});

test('a video that is deleted takes the parts that were sent with it, and nothing can be added', async () => {
  const { id, uploadToken } = await grant(film(1000));
  const { complete, key, uploadId, parts } = await send(uploadToken, [rest]);
  const { url } = (await routesOf(uploadToken).sign(uploadId, 1, key, 1)).body;
  expect((await call('DELETE', `/api/videos/${id}`)).status).toBe(204);
  await cleaned();
  expect(await openUploads(id)).toBe(0);
  expect(await answerOf(fetch(url, { method: 'PUT', body: 'x' }))).toMatchObject({ code: 'NoSuchUpload' });
  const gone = { status: 404, body: { code: 'NOT_FOUND' } };
  expect(await complete(uploadId, key, parts)).toMatchObject(gone);
  expect(await routesOf(uploadToken).begin()).toMatchObject(gone);
  expect(await routesOf(uploadToken).params('film.mp4', 'video/mp4')).toMatchObject(gone);
  expect(await call('POST', `/api/uploads/${id}/tokens`)).toMatchObject(gone);
});

test('a file that is completed while its video is being deleted does not stay', async () => {
  const ids = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const { id, uploadToken } = await grant(film(1000));
      const { complete, key, uploadId, parts } = await send(uploadToken, [rest]);
      const deletion = () => call('DELETE', `/api/videos/${id}`);
      const completion = () => complete(uploadId, key, parts);
      await Promise.all(index % 2 === 0 ? [deletion(), completion()] : [completion(), deletion()]);
      return id;
    }),
  );
  await cleaned();
  const ends = await Promise.all(ids.map(async (id) => [await isStored(id), await openUploads(id)]));
  expect(ends).toEqual(ends.map(() => [false, 0]));
});

test('uploads that are not complete are listed in pages, the newest video first, until they are given up', async () => {
  const begun: string[] = [];
  for (let index = 0; index < 3; index += 1) {
    const { id, uploadToken } = await grant(film(1000));
    await routesOf(uploadToken).begin();
    begun.unshift(id);
    await new Promise((resolve) => setTimeout(resolve, 2)); // ids are in the order of their milliseconds
  }
  const first = (await call('GET', '/api/uploads?limit=2')).body;
  expect(first.uploads.map(({ id }: Json) => id)).toEqual(begun.slice(0, 2));
  expect(Date.now() - Date.parse(first.uploads[0].begunAt)).toBeLessThan(60_000);
  const next = (await call('GET', `/api/uploads?limit=100&cursor=${encodeURIComponent(first.nextCursor)}`))
    .body;
  expect(next.uploads[0].id).toBe(begun[2]);
  expect(next.nextCursor).toBeUndefined();

  expect((await call('DELETE', `/api/uploads/${begun[0]}`)).status).toBe(204);
  expect((await call('GET', '/api/uploads?limit=1')).body.uploads[0].id).toBe(begun[1]);
  expect((await call('GET', `/api/videos/${begun[0]}`)).body.state).toBe('waiting');
});

test('the name that a browser tells is the title of a video that was granted without one', async () => {
  const name = 'Fête – ürlaub 🎬.mp4';
  const { id, uploadToken } = await grant({});
  expect((await call('GET', `/api/videos/${id}`)).body).toMatchObject({ title: 'Untitled', sizeBytes: null });
  const { url, fields } = (await routesOf(uploadToken).params(name, 'video/mp4')).body;
  await fetch(url, { method: 'POST', body: formOf(fields, new Blob(['x']), name) });
  expect((await call('GET', `/api/videos/${id}`)).body).toMatchObject({ title: name, sizeBytes: 1 });

  const named = await grant(film(1));
  const other = (await routesOf(named.uploadToken).params(name.repeat(50), 'video/mp4')).body;
  const answer = await fetch(other.url, {
    method: 'POST',
    body: formOf(other.fields, new Blob(['x']), name),
  });
  expect(answer.status).toBe(201);
  expect((await call('GET', `/api/videos/${named.id}`)).body.title).toBe('film.mp4');
});

test.each<[object, string | null]>([
  [{ ...film(1000), group: 'Customer_7.eu-west' }, 'Customer_7.eu-west'],
  [{ group: 'a'.repeat(64) }, 'a'.repeat(64)], // a token alone
  [film(1000), null],
])('a video granted by %j has the group %j', async (request, group) => {
  const { id } = await grant(request);
  expect((await readRecord(buckets.media, CARD, cardKey(id)))?.group ?? null).toBe(group);
  // Whoever knows the id may ask for its state: that does not name a customer.
  expect((await call('GET', `/api/videos/${id}`)).body).not.toHaveProperty('group');
});

test.each(['', 'a'.repeat(65), 'a/b', 'course 7', 'é', 'a\n', 7, null])(
  'the group %j is refused, by its name',
  async (group) => {
    expect(await call('POST', '/api/uploads', { group })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', message: expect.stringMatching(/^group: ./) },
    });
  },
);

test.each<[string, string, unknown, number, string]>([
  ['POST', '/api/uploads', { filename: 'film.mp4', contentType: 'video/mp4' }, 400, 'INVALID_REQUEST'],
  ['POST', '/api/uploads', { maxByte: 10 }, 400, 'INVALID_REQUEST'],
  ['POST', '/api/uploads', { ...film(11), maxBytes: 10 }, 413, 'TOO_LARGE'],
  ['POST', '/api/uploads', { ...film(11), contentTypes: ['audio/*'] }, 415, 'TYPE_NOT_ALLOWED'],
  ['POST', '/api/uploads', { contentTypes: ['*'] }, 400, 'INVALID_REQUEST'],
  ['POST', '/api/uploads', { expiresInSeconds: 3 * 24 * 3600 + 1 }, 400, 'INVALID_REQUEST'],
  ['GET', '/api/uploads?cursor=x', undefined, 400, 'INVALID_REQUEST'],
  ['DELETE', `/api/uploads/${newVideoId(new Date())}`, undefined, 404, 'NOT_FOUND'],
  ['POST', `/api/uploads/${newVideoId(new Date())}/tokens`, undefined, 404, 'NOT_FOUND'],
])('%s %s with %j is answered %i %s', async (method, path, body, status, code) => {
  expect(await call(method, path, body)).toMatchObject({ status, body: { code } });
});

test.each(['GET /api/uploads', 'DELETE /api/uploads/x', 'POST /api/uploads/x/tokens'])(
  '%s needs the key',
  async (route) => {
    const [method, path] = route.split(' ') as [string, string];
    expect(await call(method, path, undefined, null)).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHORIZED' },
    });
  },
);

test('what the parts are not is told, and the upload can still be completed', async () => {
  const { uploadToken } = await grant(film(whole.length + rest.length));
  const { sign, complete, key, uploadId, parts } = await send(uploadToken, [rest, rest]);
  const refusal = {
    status: 400,
    body: { code: 'INVALID_REQUEST', message: expect.stringMatching(/^parts/) },
  };
  expect(await complete(uploadId, key, [])).toMatchObject(refusal);
  expect(await complete(uploadId, key, parts)).toMatchObject(refusal); // the first is below 5 MiB
  expect(await complete(uploadId, key, [{ ...parts[0], ETag: '0'.repeat(32) }])).toMatchObject(refusal);
  expect((await sign(uploadId, 10_001, key)).body.code).toBe('INVALID_REQUEST');
  expect((await complete(uploadId, key, parts.slice(1))).status).toBe(200);
});
