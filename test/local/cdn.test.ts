// The local CDN with protected playback, over HTTP, in front of the embedded S3.

import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { s3Store } from '../../adapters/s3-store.ts';
import { masterKey } from '../../core/artifacts/artifacts.ts';
import { playbackToken } from '../../core/access/playback-token.ts';
import type { PlaybackSecrets } from '../../core/access/playback-token.ts';
import { ensureBuckets } from '../../local/buckets.ts';
import { cdn } from '../../local/cdn.ts';
import { httpServer } from '../../local/http-server.ts';
import type { Store } from '../../pipeline/store.ts';
import { edge } from '../support/edge.ts';
import type { EdgeResponse } from '../support/edge.ts';
import { temporaryDirectory } from '../support/media.ts';
import { keyring, listenS3 } from '../support/s3-server.ts';

const ID = '0z9x8c7v6b5n4m3a2s1d0f9g8h7j6k5l4q';
const OTHER_ID = '0z9x8c7v6b5n4m3a2s1d0f9g8h7j6k5l4r';
const SECRETS: PlaybackSecrets = { current: 'a', a: 'first secret' };
const inSeconds = (seconds: number): Date => new Date(Date.now() + seconds * 1000);
const TOKEN = playbackToken(ID, inSeconds(3600), SECRETS);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let s3: Awaited<ReturnType<typeof listenS3>>;
let port: number;
let store: Store;
/** As somebody else would. */
let put: (key: string, body: string) => Promise<void>;
const madeByOrigin: string[] = [];
const server = httpServer();
const publicServer = httpServer();

beforeAll(async () => {
  directory = await temporaryDirectory();
  s3 = await listenS3({ directory: directory.path, onCreated: () => undefined });
  const { region, ...credentials } = keyring;
  const client = new S3Client({ region, credentials, endpoint: s3.endpoint, forcePathStyle: true });
  await ensureBuckets(client, { uploads: 'uploads', media: 'media' });
  store = s3Store(client, 'media');
  for (const id of [ID, OTHER_ID]) {
    await store.put(masterKey(id), '#EXTM3U\n', { contentType: 'application/vnd.apple.mpegurl' });
  }
  put = async (Key, Body) => void (await client.send(new PutObjectCommand({ Bucket: 'media', Key, Body })));
  const handler = cdn({
    client,
    bucket: 'media',
    secrets: SECRETS,
    origin: async ({ url }, response) => {
      madeByOrigin.push(url!);
      response.writeHead(200).end('made');
    },
  });
  server.on('request', (...http) => void handler(...http));
  const publicHandler = cdn({
    client,
    bucket: 'media',
    secrets: undefined,
    origin: async (_, response) => void response.writeHead(404).end('not made'),
  });
  publicServer.on('request', (...http) => void publicHandler(...http));
  publicServer.listen(0, '127.0.0.1');
  await once(publicServer, 'listening');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  for (const each of [server, publicServer]) {
    each.close();
    each.closeAllConnections();
  }
  await s3.close();
  await directory.remove();
});

/** The path is sent as it is: fetch would resolve what climbs. */
async function ask(
  path: string,
  { method = 'GET', headers = {}, at = port }: { method?: string; headers?: object; at?: number } = {},
) {
  const asked = request({ host: '127.0.0.1', port: at, path, method, headers: { ...headers } }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

const askPublic = (path: string) => ask(path, { at: (publicServer.address() as AddressInfo).port });

test.each([
  ['GET', {}, 200, '#EXTM3U\n'],
  ['GET', { range: 'bytes=1-3' }, 206, 'EXT'],
  ['HEAD', {}, 200, ''],
  ['OPTIONS', { origin: 'https://example.com', 'access-control-request-method': 'GET' }, 204, ''],
])('a token opens its video to %s with %j', async (method, headers, status, body) => {
  const answer = await ask(`/v/${TOKEN}/${ID}/master.m3u8`, { method, headers });
  expect(answer).toMatchObject({ status, body, headers: { 'access-control-allow-origin': '*' } });
});

describe('to somebody who holds it already', () => {
  const path = `/v/${TOKEN}/${ID}/master.m3u8`;
  let etag: string;
  beforeAll(async () => {
    etag = (await ask(path)).headers.etag!;
    expect(etag).toMatch(/^"\w+"$/);
  });

  test.each(['GET', 'HEAD'])('%s is answered 304, however that is said', async (method) => {
    for (const held of [etag, `W/${etag}`, `"other", W/"another" , ${etag}`, '*']) {
      const answer = await ask(path, { method, headers: { 'if-none-match': held, range: 'bytes=0-1' } });
      expect(answer).toMatchObject({
        status: 304,
        body: '',
        headers: { etag, 'access-control-allow-origin': '*' },
      });
      expect(answer.headers).not.toHaveProperty('content-length');
    }
  });

  test('and to somebody who holds another, it is sent', async () => {
    for (const held of ['"other"', 'W/"other", "another"', etag.slice(1, -1)]) {
      expect(await ask(path, { headers: { 'if-none-match': held } })).toMatchObject({
        status: 200,
        body: '#EXTM3U\n',
      });
    }
  });
});

test('where playback is public, an artifact that is not stored is asked of the origin', async () => {
  expect(await askPublic(`/v/${ID}/master.m3u8`)).toMatchObject({ status: 200, body: '#EXTM3U\n' });
  expect(await askPublic(`/v/${ID}/poster.jpg`)).toMatchObject({ status: 404, body: 'not made' });
});

describe.each(['//v', '/v/', '/v/x/..', '/v/%2e', '/v/x/%2e%2e'])('where playback is public, %s', (start) => {
  test.each(['GET', 'HEAD', 'OPTIONS'])(
    'is no path of an artifact: %s is refused as the edge refuses it',
    async (method) => {
      const uri = `${start}/${ID}/master.m3u8`;
      const refusal = (await (await edge('video-id', {}))({ request: { method, uri } })) as EdgeResponse;
      expect(refusal.statusCode).toBe(404);
      expectSame(
        await ask(uri, { method, at: (publicServer.address() as AddressInfo).port }),
        refusal,
        method,
      );
    },
  );
});

test('what is not stored is made, and the origin sees no token', async () => {
  const rest = `${ID}/0123456789/360p/00007.ts`;
  expect(await ask(`/v/${TOKEN}/${rest}?t=1`)).toMatchObject({ status: 200, body: 'made' });
  expect(madeByOrigin).toEqual([`/v/${rest}`]);
});

const REFUSED = [
  ['no token', `/v/${ID}/master.m3u8`],
  ["another video's token", `/v/${TOKEN}/${OTHER_ID}/master.m3u8`],
  ['a token that has ended', `/v/${playbackToken(ID, inSeconds(-1), SECRETS)}/${ID}/master.m3u8`],
  ['a path that climbs to another video', `/v/${TOKEN}/${ID}/../${OTHER_ID}/master.m3u8`],
  ['a path that climbs in disguise', `/v/${TOKEN}/${ID}/%2e%2e/${OTHER_ID}/master.m3u8`],
] as const;

test.each([
  ['half of what was stored', (key: string) => put(key, '0123')],
  ['nothing at all', (key: string) => store.put(key, '', { contentType: 'video/mp2t' })],
])('%s is not passed on: the origin makes it again', async (_, damage) => {
  const key = `v/${ID}/0123456789/360p/00008.ts`;
  const path = `/v/${TOKEN}${key.slice(1)}`;
  await store.put(key, '01234567', { contentType: 'video/mp2t' });
  expect(await ask(path)).toMatchObject({ status: 200, body: '01234567' });
  await damage(key);
  expect(await ask(path)).toMatchObject({ status: 200, body: 'made' });
});

describe.each(REFUSED)('with %s', (_, path) => {
  test.each(['GET', 'HEAD', 'OPTIONS'])('%s is refused as the edge refuses it', async (method) => {
    const handler = await edge('playback-token', { a: SECRETS.a });
    const refusal = (await handler({ request: { method, uri: path } })) as EdgeResponse;
    const answer = await ask(path, { method, headers: { range: 'bytes=0-1' } });
    expectSame(answer, refusal, method);
  });
});

function expectSame(answer: Awaited<ReturnType<typeof ask>>, refusal: EdgeResponse, method: string): void {
  expect(answer.status).toBe(refusal.statusCode);
  expect(answer.body).toBe(method === 'HEAD' ? '' : refusal.body.data);
  const {
    date,
    connection,
    'keep-alive': keptAlive,
    'content-length': length,
    'transfer-encoding': chunks,
    ...own
  } = answer.headers;
  expect(own).toEqual(
    Object.fromEntries(Object.entries(refusal.headers).map(([name, { value }]) => [name, value])),
  );
}
