// The HTTP interface, as other programs see it.

import { S3Client } from '@aws-sdk/client-s3';
import { signUploads } from '../../adapters/sign-upload.ts';
import { httpApi } from '../../pipeline/http-api.ts';
import { memoryStore } from '../support/memory-store.ts';

const BASE = 'http://localhost:3000';
const client = new S3Client({
  region: 'eu-central-1',
  endpoint: 'http://127.0.0.1:9',
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
});

const buckets = { media: memoryStore(), uploads: memoryStore() };
const app = httpApi({
  buckets,
  sign: signUploads(client, 'uploads'),
  isAuthorized: ({ req }) => req.header('authorization') === 'Bearer key',
  maxUploadBytes: 1000,
  publicBaseUrl: BASE,
});

async function call(method: string, path: string, body?: unknown, key: string | null = 'key') {
  const headers = { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) };
  const answer = await app.request(path, {
    method,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : undefined, headers: answer.headers };
}

const clip = { filename: 'clip.mp4', contentType: 'video/mp4', sizeBytes: 1000 };

test('health answers without a key', async () => {
  expect((await call('GET', '/api/health', undefined, null)).status).toBe(200);
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
