// The API signs with what Secrets Manager holds, asked over HTTP as in the cloud.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { admittedPath } from '../../core/access/playback-token.ts';
import type { PlaybackSecrets } from '../../core/access/playback-token.ts';
import { signPlaybackFromEnvironment } from '../../lambdas/sign-playback.ts';
import { httpServer } from '../../local/http-server.ts';
import { secretsManager } from '../../local/secrets-manager.ts';

const ID = '0z9x8c7v6b5n4m3a2s1d0f9g8h7j6k5l4q';
const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:playback';
const held: Record<string, PlaybackSecrets> = {};
const handler = secretsManager(held);
let requests = 0;
const server = httpServer((...http) => {
  requests += 1;
  void handler(...http);
});
const inherited = { ...process.env };

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${(server.address() as AddressInfo).port}/path`,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'secret',
    PLAYBACK_SECRET_ARN: ARN,
  });
});
afterEach(() => jest.useRealTimers());
afterAll(() => {
  process.env = inherited;
  server.close();
  server.closeAllConnections();
});

test('with public playback there is nothing to sign with', () => {
  process.env['PLAYBACK'] = 'public';
  expect(signPlaybackFromEnvironment()).toBeUndefined();
});

test('a secret is kept for a minute, then a rotation is seen', async () => {
  process.env['PLAYBACK'] = 'token';
  jest.useFakeTimers({ advanceTimers: true });
  const sign = signPlaybackFromEnvironment()!;
  const inAnHour = new Date(Date.now() + 3600_000);
  await expect(sign(ID, inAnHour)).rejects.toThrow('not found in the store');

  held[ARN] = { current: 'a', a: 'first' };
  const early = await sign(ID, inAnHour);
  const before = requests;
  held[ARN] = { current: 'b', a: 'first', b: 'second' };
  jest.setSystemTime(Date.now() + 50_000);
  expect(await sign(ID, inAnHour)).toBe(early);
  expect(requests).toBe(before);

  jest.setSystemTime(Date.now() + 11_000);
  const late = await sign(ID, inAnHour);
  expect(late).toMatch(/^b\./);
  for (const token of [early, late]) {
    expect(admittedPath(`/v/${token}/${ID}/master.m3u8`, new Date(), held[ARN])).toBe(`/v/${ID}/master.m3u8`);
  }
});

test('a mode that is none, or a mode without its secret, ends the start with a sentence', () => {
  process.env['PLAYBACK'] = 'private';
  expect(signPlaybackFromEnvironment).toThrow('PLAYBACK is "private"; it can be public, token.');
  process.env['PLAYBACK'] = 'token';
  delete process.env['PLAYBACK_SECRET_ARN'];
  expect(signPlaybackFromEnvironment).toThrow('PLAYBACK_SECRET_ARN is not set');
});
