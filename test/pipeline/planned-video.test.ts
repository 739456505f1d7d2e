// A planned video is handed on: nobody further down asks for its plan again, and one range server serves its source.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OutageError } from '../../core/errors.ts';
import { planKey } from '../../core/artifacts/keys.ts';
import { plannedVideo } from '../../pipeline/derive/planned-video.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { plannedFile } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let path: string;
let source: Buffer;
beforeAll(async () => {
  directory = await temporaryDirectory();
  path = join(directory.path, 'clip.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=192x108:r=25:d=5'];
  const sound = ['-f', 'lavfi', '-i', 'sine=440:r=48000:d=5'];
  await ffmpeg(...picture, ...sound, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path);
  source = await readFile(path);
});
afterAll(() => directory.remove());

const bodyAt = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer());

test('those who read a source at the same time are served by one server, and its blocks are read once', async () => {
  const { id, world, plan } = await plannedFile(path, directory.path);
  const { withSource } = plannedVideo(id, plan, world);
  const bothAreIn = Promise.withResolvers<void>();
  const urls: string[] = [];
  const reads = await Promise.all(
    [1, 2].map(() =>
      withSource(async ({ url, readBytes }) => {
        urls.push(url);
        if (urls.length === 2) bothAreIn.resolve();
        await bothAreIn.promise;
        expect((await bodyAt(url)).equals(source)).toBe(true);
        return readBytes();
      }),
    ),
  );
  expect(new Set(urls).size).toBe(1);
  // Planning may have left some of them in memory.
  expect(Math.max(...reads)).toBeLessThanOrEqual(source.length);
});

test('the server goes with the last who uses it, and whoever comes later has another', async () => {
  const { id, world, plan } = await plannedFile(path, directory.path);
  const { withSource } = plannedVideo(id, plan, world);
  const first = await withSource(({ url }) => Promise.resolve(url));
  await expect(fetch(first)).rejects.toThrow('fetch failed');
  const second = await withSource(async ({ url }) => {
    expect((await bodyAt(url)).equals(source)).toBe(true);
    return url;
  });
  expect(second).not.toBe(first);
  await expect(withSource(() => Promise.reject(new Error('its own')))).rejects.toThrow('its own');
});

test('what could not be read is what went wrong, for all who were reading, and is tried again by the next', async () => {
  const { id, world, plan } = await plannedFile(path, directory.path);
  const { readRange } = world.uploads;
  let isAway = true;
  world.uploads.readRange = (...asked) => {
    if (isAway) throw new OutageError('STORE_UNAVAILABLE');
    return readRange(...asked);
  };
  const { withSource } = plannedVideo(id, plan, world);
  const given = await Promise.allSettled(
    [1, 2].map(() =>
      withSource(({ url }) => bodyAt(url).catch(() => Promise.reject(new Error('ffmpeg’s word')))),
    ),
  );
  for (const { status, ...rest } of given) {
    expect(status).toBe('rejected');
    expect(rest).toMatchObject({ reason: { name: 'STORE_UNAVAILABLE' } });
  }
  isAway = false;
  expect((await withSource(({ url }) => bodyAt(url))).equals(source)).toBe(true);
});

test('ingest of a video that is planned reads the plan to compare the file with it, and to have it in hand', async () => {
  const { id, world, plan } = await plannedFile(path, directory.path);
  const asked: string[] = [];
  const { get, getTagged } = world.media;
  world.media.get = (key) => (asked.push(key), get(key));
  world.media.getTagged = (key) => (asked.push(key), getTagged(key));
  await ingest(id, world, () => Promise.resolve());
  expect(asked.filter((key) => key === planKey(id, plan.rev))).toHaveLength(2);
});
