// What the AWS SDK presigns is accepted as it is, for as long as it says, and in no other form.

import type { IncomingMessage } from 'node:http';
import { jest } from '@jest/globals';
import { S3Client } from '@aws-sdk/client-s3';
import { signUploads } from '../../adapters/sign-upload.ts';
import { authenticate } from '../../local/s3/signature.ts';
import { targetOf } from '../../local/s3/target.ts';

const ALL_BUT_DATE = [
  ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
  ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
];
const keyring = { accessKeyId: 'AKID', secretAccessKey: 'secret', region: 'eu-central-1' };
const client = new S3Client({
  region: keyring.region,
  endpoint: 'http://127.0.0.1:9000',
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  credentials: keyring,
});

async function presigned(changes: Record<string, string> = {}) {
  const request = { contentType: 'video/mp4', sizeBytes: 1000 };
  const { url } = await signUploads(client, 'uploads').put('uploads/é ..%2f/source', request);
  const { pathname, search } = new URL(url);
  const headers: Record<string, string> = {
    host: '127.0.0.1:9000',
    'content-type': 'video/mp4',
    'content-length': '1000',
    'if-none-match': '*',
    ...changes,
  };
  const headersDistinct = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  const message = { method: 'PUT', headers, headersDistinct } as unknown as IncomingMessage;
  return (nowMs: number) => authenticate(message, targetOf(pathname + search), keyring, nowMs);
}

test('a presigned upload is accepted for an hour', async () => {
  const check = await presigned();
  expect(check(Date.now())).toEqual({ presigned: true, payload: 'unsigned' });
  expect(() => check(Date.now() + 3700_000)).toThrow('Request has expired');
});

test('each day has a key of its own, and what was signed before midnight is accepted after it', async () => {
  const midnight = Date.UTC(2026, 0, 31);
  const signedAt = async (nowMs: number) => {
    jest.useFakeTimers({ now: nowMs, doNotFake: ALL_BUT_DATE });
    return presigned();
  };
  try {
    const [before, after] = [await signedAt(midnight - 60_000), await signedAt(midnight + 60_000)];
    for (const check of [before, after, before]) {
      expect(check(midnight + 120_000)).toEqual({ presigned: true, payload: 'unsigned' });
    }
  } finally {
    jest.useRealTimers();
  }
});

test.each<Record<string, string>>([
  { 'content-length': '1001' },
  { 'content-type': 'text/html' },
  { 'if-none-match': '"etag"' },
])('a presigned upload with %j is refused', async (changes) => {
  const check = await presigned(changes);
  expect(() => check(Date.now())).toThrow('does not match');
});
