// Against a server that breaks off.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpApi } from '../../web/api.ts';
import { ApiError, ServerGone } from '../../web/request.ts';

type Answer = (response: ServerResponse) => void;

const hangsUp: Answer = (response) => response.destroy();
const breaksOff: Answer = (response) => {
  response.writeHead(200, { 'content-length': 1000 }).write('{"videos":[');
  setTimeout(() => response.destroy(), 50);
};
const isBusy: Answer = (response) => response.writeHead(503).end();
const isHtml: Answer = (response) => response.end('<!doctype html>');
const answers =
  (status: number, body: object): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

let answered: Answer[] = [];
let requests: string[] = [];
let server: Server;
const api = httpApi(() => undefined);
const { fetch } = globalThis;

beforeAll(async () => {
  server = createServer(({ method, url }, response) => {
    requests.push(`${method} ${url}`);
    answered.shift()!(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // As for a page of that server.
  globalThis.fetch = (path, init) => fetch(`http://127.0.0.1:${port}${path as string}`, init);
});
beforeEach(() => (requests = []));
afterAll(() => {
  globalThis.fetch = fetch;
  server.close();
  server.closeAllConnections();
});

test.each([
  ['hangs up', hangsUp],
  ['breaks off in the middle of its answer', breaksOff],
  ['is busy', isBusy],
  ['is behind a proxy that answers for it', isHtml],
])('a list is asked for again when the server %s', async (_, fails) => {
  answered = [fails, fails, answers(200, { videos: [] })];
  expect(await api.videos(undefined)).toEqual({ videos: [] });
  expect(requests).toEqual(Array(3).fill('GET /api/videos?limit=20'));
});

test('a server that stays away is told in the end', async () => {
  answered = [hangsUp, breaksOff, hangsUp];
  await expect(api.video('x')).rejects.toBeInstanceOf(ServerGone);
  expect(requests).toHaveLength(3);
});

test.each([
  ['a refusal', 404],
  ['a full disk', 507],
])('%s is not asked about again', async (_, status) => {
  answered = [answers(status, { code: 'CODE', message: 'A sentence.' })];
  await expect(api.video('x')).rejects.toEqual(new ApiError(status, 'CODE', 'A sentence.'));
  expect(requests).toHaveLength(1);
});

test('a deletion and a grant to watch are made again, a grant to upload is not', async () => {
  answered = [hangsUp, answers(404, { code: 'NOT_FOUND', message: 'There is no such video.' })];
  await expect(api.deleteVideo('x')).rejects.toMatchObject({ status: 404 }); // gone, which was wanted
  answered = [hangsUp, answers(201, { token: 'token' })];
  expect(await api.grantPlayback('x')).toEqual({ token: 'token' });
  requests = [];
  answered = [hangsUp];
  const file = { filename: 'a film.mp4', contentType: 'video/mp4', sizeBytes: 1 };
  await expect(api.grantUpload(file)).rejects.toBeInstanceOf(ServerGone);
  expect(requests).toEqual(['POST /api/uploads']);
});
