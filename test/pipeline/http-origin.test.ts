// Playback by HTTP of a video of which nothing exists but its source.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { httpOrigin } from '../../pipeline/http/origin.ts';
import { UNKNOWN_VIDEO, UNLISTED_ARTIFACT } from '../../scripts/cost-tables.ts';
import { putCard } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { worldIn } from '../support/world.ts';
import type { TestWorld } from '../support/world.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let world: TestWorld;
let app: ReturnType<typeof httpOrigin>;
const id = newVideoId(new Date());
const empty = newVideoId(new Date());
const awaited = newVideoId(new Date());

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
  world = worldIn(directory.path);
  for (const [video, source] of [
    [id, await readFile(path)],
    [empty, ''],
  ] as const) {
    await putCard(video, world);
    await world.uploads.put(sourceKey(video), source, { contentType: 'video/mp4' });
  }
  await putCard(awaited, world);
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

const answerTo = async (path: string) => {
  const answer = await app.request(path);
  return [
    answer.status,
    answer.headers.get('cache-control'),
    ((await answer.json()) as { code: string }).code,
  ];
};

test.each(['/v/x/master.m3u8', '/plans/x.json', `/v/${id}/..%2f..%2fplans`, `/v/${id}/any.m3u8`])(
  '%s is the path of no artifact, and the edge may keep that for a minute',
  async (path) => {
    expect(await answerTo(path)).toEqual([404, 'public, max-age=60', 'NOT_FOUND']);
  },
);

describe('of a video that is planned', () => {
  let rev: string;
  beforeAll(async () => {
    rev = uriIn(await (await app.request(`/v/${id}/master.m3u8`)).text()).split('/')[0]!;
    expect(rev).toMatch(/^[0-9a-f]{10}$/);
  });

  test.each([
    ['a rendition', (of: string) => `${of}/1080p/index.m3u8`],
    ['a segment after the last', (of: string) => `${of}/234p/00005.ts`],
    ['a segment in another format', (of: string) => `${of}/234p/00000.aac`],
    ['a picture of a moment after the end', (of: string) => `${of}/thumb/3600.jpg`],
    ['a sheet after the last', (of: string) => `${of}/storyboard/99.jpg`],
  ])('%s that the plan does not list is not there, which the edge may keep for a minute', async (_, path) => {
    expect(await answerTo(`/v/${id}/${path(rev)}`)).toEqual([404, 'public, max-age=60', 'NOT_FOUND']);
  });

  test('a revision that is not stored may come', async () => {
    expect(await answerTo(`/v/${id}/0123456789/234p/00000.ts`)).toEqual([404, 'no-store', 'NOT_FOUND']);
  });
});

test('what is refused costs as many requests to the store as docs/cost.md reckons with', async () => {
  const asked: string[] = [];
  const counted = (store: MemoryStore): MemoryStore => ({
    ...store,
    get: (key) => (asked.push(key), store.get(key)),
    getTagged: (key) => (asked.push(key), store.getTagged(key)),
    head: (key) => (asked.push(key), store.head(key)),
  });
  const counting = httpOrigin({ ...world, media: counted(world.media), uploads: counted(world.uploads) });
  const rev = uriIn(await (await app.request(`/v/${id}/master.m3u8`)).text()).split('/')[0]!;
  for (const [path, { requests }] of [
    [`/v/${newVideoId(new Date())}/${rev}/234p/00000.ts`, UNKNOWN_VIDEO],
    [`/v/${id}/${rev}/234p/00005.ts`, UNLISTED_ARTIFACT],
  ] as const) {
    asked.length = 0;
    expect((await counting.request(path)).status).toBe(404);
    expect(asked).toHaveLength(requests);
  }
});

test.each([
  ['that nobody knows', newVideoId(new Date())],
  ['whose file has not come yet', awaited],
])('a video %s may come, though no artifact of it is known', async (_, missing) => {
  for (const path of ['master.m3u8', 'poster.jpg', '0123456789/720p/00000.ts', '0123456789/thumb/0.jpg']) {
    expect(await answerTo(`/v/${missing}/${path}`)).toEqual([404, 'no-store', 'NOT_FOUND']);
  }
});
