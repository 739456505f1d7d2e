// A video's state follows from what exists, at every stage of its life.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { deriveWork } from '../../pipeline/derive/derive.ts';
import { failVideo } from '../../pipeline/life/fail-video.ts';
import { finish } from '../../pipeline/life/finish.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import type { NewList } from '../../core/work/admission.ts';
import { listVideos, videoStatus } from '../../pipeline/life/video-status.ts';
import { putCard, workIn } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { worldIn } from '../support/world.ts';

const playbackUrlOf = (id: string) => `https://cdn.example/v/${id}/master.m3u8`;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const emptyWorld = () => worldIn(directory.path);

async function grant(world: ReturnType<typeof emptyWorld>, now: Date): Promise<string> {
  const id = newVideoId(now);
  const file = { filename: 'clip.mp4', contentType: 'video/mp4', sizeBytes: 9 };
  await putCard(id, world, { ...file, createdAt: now.toISOString() });
  return id;
}

test('waiting, processing, failed, ready', async () => {
  const world = emptyWorld();
  const id = await grant(world, new Date());
  const status = () => videoStatus(id, world, playbackUrlOf);
  expect(await status()).toMatchObject({
    state: 'waiting',
    playable: false,
    progress: 0,
    durationSeconds: null,
  });

  const path = join(directory.path, 'clip.mp4');
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=640x360:r=30000/1001:d=8.5',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    path,
  );
  await world.uploads.put(sourceKey(id), await readFile(path), { contentType: 'video/mp4' });
  expect(await status()).toMatchObject({ state: 'processing', playable: false });

  const started: NewList[] = [];
  const enqueue = async (request: NewList) => void started.push(request);
  await ingest(id, world, enqueue);
  expect(started).toMatchObject([{ id }]);
  expect(await status()).toMatchObject({
    state: 'processing',
    playable: true,
    progress: 2 / 13,
    playbackUrl: `https://cdn.example/v/${id}/master.m3u8`,
    renditions: [
      { name: '360p', width: 640, height: 360, frameRate: 29.97, codecs: 'avc1.64001e' },
      { name: '234p', width: 416, height: 234, frameRate: 29.97, codecs: 'avc1.64000d' },
    ],
  });

  await failVideo(id, started[0]!.rev, 'ENCODING_FAILED', world, new Date());
  expect(await status()).toMatchObject({
    state: 'failed',
    playable: true,
    error: { code: 'ENCODING_FAILED' },
  });

  for (const work of await workIn(started[0]!, world)) await deriveWork(work, world);
  await finish(id, started[0]!.rev, world, new Date());
  const ready = await status();
  expect(ready).toMatchObject({ state: 'ready', playable: true, progress: 1 });
  expect(ready.error).toBeUndefined();
  expect(ready.cost).toMatchObject({ isEstimate: true, computeSeconds: expect.any(Number) });

  await ingest(id, world, enqueue); // a duplicate event, late
  expect(started).toHaveLength(1);
  expect(world.observed.map(({ event }) => event).filter((event) => event !== 'derived')).toEqual([
    'playable',
    'failed',
    'prewarmed',
    'ready',
  ]);
});

test('a refused source is failed, with its sentence, and ingest does not throw', async () => {
  const world = emptyWorld();
  const id = await grant(world, new Date());
  await world.uploads.put(sourceKey(id), '', { contentType: 'video/mp4' });
  await ingest(id, world, () => Promise.reject(new Error('not to be queued')));
  expect(await videoStatus(id, world, playbackUrlOf)).toMatchObject({
    state: 'failed',
    playable: false,
    error: { code: 'EMPTY_FILE', message: 'The file is empty.' },
  });
});

test('with nothing to make ahead of time a video is ready with its opening, and nothing is queued', async () => {
  const world = emptyWorld();
  world.settings.prewarm = 'none';
  const id = await grant(world, new Date());
  const path = join(directory.path, 'short.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=10:d=9', '-c:v', 'libx264', path);
  await world.uploads.put(sourceKey(id), await readFile(path), { contentType: 'video/mp4' });
  for (let event = 0; event < 2; event += 1)
    await ingest(id, world, () => Promise.reject(new Error('not to be queued')));
  expect(await videoStatus(id, world, playbackUrlOf)).toMatchObject({
    state: 'ready',
    progress: 1,
    cost: { computeSeconds: 0 },
  });
  expect(world.media.keys().filter((key) => key.endsWith('.ts'))).toHaveLength(1);
  expect(world.observed.filter(({ event }) => event === 'ready')).toHaveLength(1);
});

test('videos are listed newest first, in pages', async () => {
  const world = emptyWorld();
  const ids: string[] = [];
  for (let minute = 0; minute < 5; minute += 1)
    ids.unshift(await grant(world, new Date(Date.UTC(2026, 0, 1, 0, minute))));
  const first = await listVideos({ limit: 3, after: undefined }, world, playbackUrlOf);
  const second = await listVideos({ limit: 3, after: first.nextCursor }, world, playbackUrlOf);
  expect([first, second].map(({ videos }) => videos.map(({ id }) => id))).toEqual([
    ids.slice(0, 3),
    ids.slice(3),
  ]);
  expect(second.nextCursor).toBeUndefined();
});
