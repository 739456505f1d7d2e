// The HTTP interface, as other programs see it.

import { jest } from '@jest/globals';
import { S3Client } from '@aws-sdk/client-s3';
import { s3Multipart } from '../../adapters/s3-multipart.ts';
import { signUploads } from '../../adapters/sign-upload.ts';
import { OutageError } from '../../core/errors.ts';
import type { OutageCode } from '../../core/errors.ts';
import { cardKey, newVideoId } from '../../core/artifacts/keys.ts';
import { fitsKey } from '../../core/access/video-id.ts';
import { admittedPath, playbackToken } from '../../core/access/playback-token.ts';
import type { PlaybackSecrets } from '../../core/access/playback-token.ts';
import { httpApi } from '../../pipeline/http/api.ts';
import type { ApiOptions } from '../../pipeline/http/api.ts';
import { edge } from '../support/edge.ts';
import { memoryStore } from '../support/memory-store.ts';

const BASE = 'http://localhost:3000';
const client = new S3Client({
  region: 'eu-central-1',
  endpoint: 'http://127.0.0.1:9',
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
});

const options: ApiOptions = {
  stores: {
    media: memoryStore(),
    uploads: memoryStore(),
    // Nothing is sent here.
    multipart: { ...s3Multipart(client, 'uploads'), open: async function* () {}, begin: async () => 'begun' },
    sign: signUploads(client, 'uploads'),
  },
  uploadSecret: async () => 'secret',
  videoIdKey: async () => 'the key of ids',
  signPlayback: undefined,
  isAuthorized: ({ req }) => req.header('authorization') === 'Bearer key',
  maxUploadBytes: 1000,
  deletionGraceSeconds: 60,
  publicBaseUrl: BASE,
};
const secrets: PlaybackSecrets = { current: 'b', a: 'first', b: 'second' };
const app = httpApi(options);
const protectedApp = httpApi({
  ...options,
  signPlayback: async (id, expiresAt) => playbackToken(id, expiresAt, secrets),
});

const call = callOf(app);
const callProtected = callOf(protectedApp);

function callOf(app: ReturnType<typeof httpApi>) {
  return async (method: string, path: string, body?: unknown, key: string | null = 'key') => {
    const headers = {
      'content-type': 'application/json',
      ...(key ? { authorization: `Bearer ${key}` } : {}),
    };
    const answer = await app.request(path, {
      method,
      headers,
      ...(body ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : undefined, headers: answer.headers };
  };
}

const clip = { filename: 'clip.mp4', contentType: 'video/mp4', sizeBytes: 1000 };

test('health answers without a key', async () => {
  expect((await call('GET', '/api/health', undefined, null)).status).toBe(200);
});

test('the id of a new video fits the key, so the edge lets it pass', async () => {
  const { body } = await call('POST', '/api/uploads', clip);
  expect(fitsKey(body.id, await options.videoIdKey())).toBe(true);
  const handler = await edge('video-id', { key: await options.videoIdKey() });
  const uri = new URL(body.playbackUrl).pathname;
  expect(await handler({ request: { method: 'GET', uri } })).toEqual({ method: 'GET', uri });
});

test('an upload is granted for one key, size and type, for an hour, once', async () => {
  const { status, body } = await call('POST', '/api/uploads', clip);
  expect(status).toBe(201);
  expect(body).toMatchObject({
    playbackUrl: `${BASE}/v/${body.id}/master.m3u8`,
    statusUrl: `${BASE}/api/videos/${body.id}`,
    upload: { method: 'PUT', headers: { 'Content-Type': 'video/mp4', 'If-None-Match': '*' } },
  });
  const url = new URL(body.upload.url);
  expect(url.pathname).toBe(`/uploads/uploads/${body.id}/source`);
  expect(url.searchParams.get('X-Amz-Expires')).toBe('3600');
  expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;content-type;host;if-none-match');
  expect([...url.searchParams.keys()].filter((name) => /checksum/i.test(name))).toEqual([]);

  const state = await call('GET', `/api/videos/${body.id}`, undefined, null);
  expect(state.body).toMatchObject({ id: body.id, title: 'clip.mp4', state: 'waiting', sizeBytes: 1000 });
  expect(state.headers.get('cache-control')).toBe('no-store');
});

test('a deleted video is gone, from the list too', async () => {
  const { body } = await call('POST', '/api/uploads', clip);
  expect((await call('DELETE', `/api/videos/${body.id}`)).status).toBe(204);
  expect((await call('GET', `/api/videos/${body.id}`)).body).toEqual({
    code: 'NOT_FOUND',
    message: 'There is no such video.',
  });
  const { body: list } = await call('GET', '/api/videos?limit=100');
  expect(list.videos.map(({ id }: { id: string }) => id)).not.toContain(body.id);
});

describe('protected playback', () => {
  const grantVideo = async (): Promise<string> => (await callProtected('POST', '/api/uploads', clip)).body.id;
  const secondsFromNow = (isoTime: string): number => (Date.parse(isoTime) - Date.now()) / 1000;

  test('a token opens its video, until the time that the answer names', async () => {
    const id = await grantVideo();
    const { status, body } = await callProtected('POST', `/api/videos/${id}/tokens`, {
      expiresInSeconds: 60,
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      token: expect.stringMatching(/^b\./),
      playbackUrl: `${BASE}/v/${body.token}/${id}/master.m3u8`,
      posterUrl: null,
      storyboardUrl: null,
      expiresAt: expect.any(String),
    });
    const { pathname } = new URL(body.playbackUrl);
    const end = Date.parse(body.expiresAt);
    expect(admittedPath(pathname, new Date(end - 1), secrets)).toBe(`/v/${id}/master.m3u8`);
    expect(() => admittedPath(pathname, new Date(end), secrets)).toThrow('expired');
    expect(secondsFromNow(body.expiresAt)).toBeLessThanOrEqual(60);
  });

  test('a token for which no time is asked lasts six hours', async () => {
    const { body } = await callProtected('POST', `/api/videos/${await grantVideo()}/tokens`);
    expect(secondsFromNow(body.expiresAt)).toBeLessThanOrEqual(6 * 3600);
    expect(secondsFromNow(body.expiresAt)).toBeGreaterThan(5 * 3600);
  });

  test('no other answer names an address, for none would play', async () => {
    const granted = await callProtected('POST', '/api/uploads', clip);
    const state = await callProtected('GET', `/api/videos/${granted.body.id}`, undefined, null);
    const list = await callProtected('GET', '/api/videos?limit=1');
    expect([granted.body, state.body, list.body.videos[0]]).toMatchObject(
      Array(3).fill({ playbackUrl: null }),
    );
  });

  const WEEK = 7 * 24 * 3600;
  test.each([
    ['the longest time', { expiresInSeconds: WEEK }, 'key', 201, undefined],
    ['a longer one', { expiresInSeconds: WEEK + 1 }, 'key', 400, 'INVALID_REQUEST'],
    ['no time at all', { expiresInSeconds: 0 }, 'key', 400, 'INVALID_REQUEST'],
    ['part of a second', { expiresInSeconds: 1.5 }, 'key', 400, 'INVALID_REQUEST'],
    ['a text', { expiresInSeconds: '60' }, 'key', 400, 'INVALID_REQUEST'],
    ['a time that is misspelt', { expiresIn: 60 }, 'key', 400, 'INVALID_REQUEST'],
    ['what is not JSON', '{', 'key', 400, 'INVALID_REQUEST'],
    ['a wrong key', {}, 'wrong', 401, 'UNAUTHORIZED'],
    ['no key', {}, null, 401, 'UNAUTHORIZED'],
  ])('a token asked for with %s: %j and the key %j is answered %i', async (_, body, key, status, code) => {
    const answer = await callProtected('POST', `/api/videos/${await grantVideo()}/tokens`, body, key);
    expect(answer).toMatchObject({ status, body: code ? { code } : {} });
  });

  test('there are no tokens for a video that never was, or is deleted', async () => {
    const id = await grantVideo();
    await callProtected('DELETE', `/api/videos/${id}`);
    for (const unknown of [id, newVideoId(new Date()), 'x']) {
      const { status, body } = await callProtected('POST', `/api/videos/${unknown}/tokens`);
      expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    }
  });

  test('where playback is public there is nothing to ask for, and the answer says so', async () => {
    const { body } = await call('POST', '/api/uploads', clip);
    expect(await call('POST', `/api/videos/${body.id}/tokens`)).toMatchObject({
      status: 409,
      body: { code: 'PLAYBACK_IS_PUBLIC', message: expect.stringContaining('playbackUrl') },
    });
  });
});

test.each([
  ['POST', '/api/uploads', clip, 'wrong', 401, 'UNAUTHORIZED'],
  ['POST', '/api/uploads', clip, null, 401, 'UNAUTHORIZED'],
  ['GET', '/api/videos', undefined, null, 401, 'UNAUTHORIZED'],
  ['DELETE', '/api/videos/0', undefined, null, 401, 'UNAUTHORIZED'],
  ['POST', '/api/uploads', { ...clip, sizeBytes: -1 }, 'key', 400, 'INVALID_REQUEST'],
  ['POST', '/api/uploads', { ...clip, contentType: 'video' }, 'key', 400, 'INVALID_REQUEST'],
  ['POST', '/api/uploads', undefined, 'key', 400, 'INVALID_REQUEST'],
  ['POST', '/api/uploads', { ...clip, sizeBytes: 1001 }, 'key', 413, 'TOO_LARGE'],
  ['GET', '/api/videos?limit=0', undefined, 'key', 400, 'INVALID_REQUEST'],
  ['GET', '/api/videos/..%2f..%2fplans', undefined, 'key', 404, 'NOT_FOUND'],
  ['GET', '/api/nothing', undefined, 'key', 404, 'NOT_FOUND'],
])('%s %s with %j and the key %j is answered %i %s', async (method, path, body, key, status, code) => {
  const answer = await call(method, path, body, key);
  expect(answer).toMatchObject({ status, body: { code, message: expect.any(String) } });
});

describe('a request', () => {
  const KIB = 1024;
  const padded = (bytes: number) => JSON.stringify({ ...clip, filename: 'a' }).padEnd(bytes);

  test.each([
    ['/api/uploads', 64 * KIB, 201],
    ['/api/uploads', 64 * KIB + 1, 413],
    ['/api/videos/x/tokens', 64 * KIB + 1, 413],
  ])('to %s with a body of %i bytes is answered %i', async (path, bytes, status) => {
    const answer = await callProtected('POST', path.replace('x', newVideoId(new Date())), padded(bytes));
    expect(answer).toMatchObject({ status, body: status === 413 ? { code: 'TOO_LARGE' } : {} });
  });

  test.each([
    ['that says how large it is', { 'content-length': '200000000' }],
    ['that does not say how large it is', {}],
  ])('too large, %s, is refused before it is parsed', async (_, headers) => {
    const text = '['.repeat(65 * KIB); // would be refused as no JSON
    const answer = await app.request('/api/uploads', {
      method: 'POST',
      headers: { authorization: 'Bearer key', ...headers },
      body: new Blob([text]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: 'TOO_LARGE' });
  });

  test.each([
    ['brackets', '['.repeat(33) + ']'.repeat(33), 'nested deeper than 32 levels'],
    ['braces', '{"a":'.repeat(33) + '1' + '}'.repeat(33), 'nested deeper than 32 levels'],
    ['many values', `[${'0,'.repeat(5000)}0]`, 'more than 5000 values'],
  ])('of %s beyond the bounds is refused', async (_, body, message) => {
    expect(await call('POST', '/api/uploads', body)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', message: expect.stringContaining(message) },
    });
  });

  test('may have brackets and commas in its texts', async () => {
    const filename = `${'['.repeat(100)}"\\${','.repeat(800)}.mp4`;
    const { status, body } = await call('POST', '/api/uploads', { ...clip, filename });
    expect(status).toBe(201);
    expect((await call('GET', `/api/videos/${body.id}`)).body.title).toBe(filename);
  });

  const unknown = Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`key${index}`, 1]));
  const long = 'x'.repeat(5000);
  const types = Array.from({ length: 20 }, (_, index) => `video/${'x'.repeat(200)}${index}`);
  test.each<[string, string, unknown, string]>([
    ['POST', '/api/uploads', unknown, 'INVALID_REQUEST'],
    ['POST', '/api/uploads', { ...clip, contentType: `video/mp4;${long}` }, 'INVALID_REQUEST'],
    ['POST', '/api/uploads', { ...clip, contentTypes: types }, 'TYPE_NOT_ALLOWED'],
    ['POST', '/api/uploads', { ...clip, [long]: 1 }, 'INVALID_REQUEST'],
    ['GET', `/api/videos?limit=${long}`, undefined, 'INVALID_REQUEST'],
    ['GET', `/api/videos?cursor=${long}`, undefined, 'INVALID_REQUEST'],
    ['GET', `/api/uploads?cursor=${long}`, undefined, 'INVALID_REQUEST'],
    ['GET', `/api/videos/${long}`, undefined, 'NOT_FOUND'],
    ['GET', `/api/u/${long}/s3/params`, undefined, 'FORBIDDEN'],
  ])('%s %.20s is refused by a short sentence, whatever it holds', async (method, path, body, code) => {
    const answer = await call(method, path, body);
    expect(answer.body.code).toBe(code);
    expect(answer.body.message.length).toBeLessThanOrEqual(300);
  });
});

test('a browser that knows no type says so by an empty text, and the file goes as application/octet-stream', async () => {
  const { status, body } = await call('POST', '/api/uploads', { ...clip, contentType: '' });
  expect(status).toBe(201);
  expect(body.upload.headers['Content-Type']).toBe('application/octet-stream');
  for (const type of ['&type=', '']) {
    const form = await call('GET', `/api/u/${body.uploadToken}/s3/params?filename=00001.mts${type}`);
    expect(form.body.fields['Content-Type']).toBe('application/octet-stream');
  }
  const request = { method: 'POST', key: '00001.mts', contentType: '' };
  const signed = await call('POST', `/api/u/${body.uploadToken}/s3/sign`, request);
  expect(signed.body.headers).toEqual({ 'Content-Type': 'application/octet-stream' });
});

test.each<[string, string[], number]>([
  ['00001.MTS', ['video/*'], 201],
  ['film.mkv', ['video/mp4', 'video/x-matroska'], 201],
  ['film.mkv', ['video/mp4'], 415],
  ['song.flac', ['video/*'], 415],
  ['film', ['video/*'], 415],
  ['film.constructor', ['video/*'], 415],
  ['film', ['application/octet-stream'], 201],
])(
  'of %s without a type, where %j are allowed, the name tells: %i',
  async (filename, contentTypes, status) => {
    for (const contentType of ['', 'application/octet-stream']) {
      const answer = await call('POST', '/api/uploads', { ...clip, filename, contentType, contentTypes });
      expect(answer.status).toBe(status);
      if (status === 415) expect(answer.body.message).toMatch(/^The (type of the )?file is .+\.$/);
    }
  },
);

test('whatever is wrong with a request is said in words', async () => {
  const { body } = await call('POST', '/api/uploads', clip);
  const { paths } = (await call('GET', '/api/openapi.json')).body;
  const wrong = [
    '?',
    '',
    'a b/c',
    '/^x$/',
    null,
    -1,
    1.5,
    [],
    ['?'],
    [''],
    {},
    [{ PartNumber: 1, ETag: 'a b' }],
  ];
  const messages: string[] = [];
  for (const [path, operations] of Object.entries<Record<string, any>>(paths)) {
    if (path.includes('uploadId') || !/^\/(uploads|videos|u|session)/.test(path)) continue;
    const filled = path.replace('{token}', body.uploadToken).replace('{id}', body.id);
    for (const [method, { parameters = [], requestBody }] of Object.entries(operations)) {
      const { properties = {} } = requestBody?.content['application/json'].schema ?? {};
      const names = Object.keys(properties);
      const bodies = names.flatMap((name) => wrong.map((value) => ({ ...clip, key: 'k', [name]: value })));
      const queries = parameters
        .filter((parameter: { in?: string }) => parameter.in === 'query')
        .flatMap(({ name }: { name: string }) =>
          wrong.map((value) => `?${name}=${encodeURIComponent(String(value))}`),
        );
      if (!['get', 'post'].includes(method)) continue;
      for (const query of ['', ...queries]) {
        for (const body of requestBody ? [undefined, '{', '[]', ...bodies] : [undefined]) {
          const answer = await call(method.toUpperCase(), `/api${filled}${query}`, body);
          if (answer.status >= 400) messages.push(answer.body.message);
        }
      }
    }
  }
  const parts = [{ PartNumber: 1, ETag: 'a b' }];
  const complete = `/api/u/${body.uploadToken}/s3/multipart/x/complete?key=uploads/${body.id}/source`;
  messages.push((await call('POST', complete, { parts })).body.message);
  expect(messages.length).toBeGreaterThan(50);
  expect(messages.filter((message) => /pattern|\/\^|regex/i.test(message))).toEqual([]);
});

test.each<[OutageCode, number, string | null]>([
  ['STORE_UNAVAILABLE', 503, '5'],
  ['STORAGE_FULL', 507, null],
])('an outage, %s, is answered %i, and says when to ask again: %s', async (code, status, retryAfter) => {
  const head = () => Promise.reject(new OutageError(code));
  const away = { ...options.stores, media: { ...memoryStore(), head } };
  jest.spyOn(console, 'error').mockImplementationOnce(() => undefined);
  const answer = await callOf(httpApi({ ...options, stores: away }))(
    'DELETE',
    `/api/videos/${newVideoId(new Date())}`,
  );
  expect(answer).toMatchObject({ status, body: { code, message: expect.any(String) } });
  expect(answer.headers.get('retry-after')).toBe(retryAfter);
});

test('a title stays on its line and in its order, in the state and in the list; the card keeps the name', async () => {
  const filename = 'photo\u202Egpj\u2028.exe\ud800';
  const { body } = await call('POST', '/api/uploads', { ...clip, filename });
  const title = 'photogpj .exe\ufffd';
  expect((await call('GET', `/api/videos/${body.id}`)).body.title).toBe(title);
  expect((await call('GET', '/api/videos?limit=1')).body.videos[0].title).toBe(title);
  const card = await options.stores.media.get(cardKey(body.id));
  expect(JSON.parse(Buffer.from(card!).toString()).filename).toBe(filename);
});
