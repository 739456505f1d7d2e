// Playback by HTTP of a video of which nothing exists but its source.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { httpOrigin } from '../../pipeline/http/origin.ts';
import { putCard } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { worldIn } from '../support/world.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let app: ReturnType<typeof httpOrigin>;
const id = newVideoId(new Date());
const empty = newVideoId(new Date());

beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'clip.mp4');
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=640x360:r=25:d=9',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    path,
  );
  const world = worldIn(directory.path);
  for (const [video, source] of [
    [id, await readFile(path)],
    [empty, ''],
  ] as const) {
    await putCard(video, world);
    await world.uploads.put(sourceKey(video), source, { contentType: 'video/mp4' });
  }
  app = httpOrigin(world);
});
afterAll(() => directory.remove());

const uriIn = (playlist: string): string =>
  playlist
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .at(-1)!;

test('a player walks from the multivariant playlist to the last segment', async () => {
  const master = await app.request(`/v/${id}/master.m3u8`);
  expect(master.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
  expect(master.headers.get('cache-control')).toBe('public, max-age=2');
  expect(master.headers.get('access-control-allow-origin')).toBe('*');

  const playlistPath = `/v/${id}/${uriIn(await master.text())}`;
  const playlist = await app.request(playlistPath);
  expect(playlist.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');

  const segmentPath = playlistPath.replace('index.m3u8', uriIn(await playlist.text()));
  expect(segmentPath).toMatch(/234p\/00004\.ts$/);
  const segment = Buffer.from(await (await app.request(segmentPath)).arrayBuffer());
  expect(segment[0]).toBe(0x47);

  const part = await app.request(segmentPath, { headers: { range: 'bytes=188-375' } });
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 188-375/${segment.length}`]);
  expect(Buffer.from(await part.arrayBuffer()).equals(segment.subarray(188, 376))).toBe(true);

  const head = await app.request(segmentPath, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'video/mp2t', '']);
  expect((await app.request(segmentPath, { headers: { range: 'bytes=99999999-' } })).status).toBe(416);
});

test('a refused source is answered with its sentence, for any player to see', async () => {
  const answer = await app.request(`/v/${empty}/master.m3u8`);
  expect([answer.status, await answer.json()]).toEqual([
    422,
    { code: 'EMPTY_FILE', message: 'The file is empty.' },
  ]);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

test.each([
  '/v/x/master.m3u8',
  `/v/${newVideoId(new Date())}/master.m3u8`,
  '/plans/x.json',
  `/v/${id}/..%2f..%2fplans`,
])('%s is not there', async (path) => {
  expect((await app.request(path)).status).toBe(404);
});
