// A video's life in the running system: every frame of an upload comes out of its playback URL, whatever happens to the
// machine in between.

import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { bytesAt, renditionsAt } from '../support/hls.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { pictures } from '../support/stream.ts';
import {
  deleteVideo,
  startSystem,
  statusOf,
  storeClient,
  untilStatus,
  uploadFile,
} from '../support/system.ts';
import type { Granted, System } from '../support/system.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let film: string;
let system: System | undefined;

beforeAll(async () => {
  directory = await temporaryDirectory();
  film = join(directory.path, 'film.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=90', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=90'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', film],
  );
});
afterEach(() => system?.stop());
afterAll(() => directory.remove());

const dataDirectory = (name: string): string => join(directory.path, name);

/** The number of pictures of the only video rendition, and what its decoder complained of. */
async function decoded({ playbackUrl }: Granted): Promise<{ count: number; complaints: string }> {
  const { segments } = (await renditionsAt(playbackUrl)).get('360p')!;
  const path = join(directory.path, 'decoded.ts');
  await writeFile(path, Buffer.concat(await Promise.all(segments.map(({ url }) => bytesAt(url)))));
  const { times, complaints } = await pictures(path);
  return { count: times.length, complaints };
}

test('an upload plays, becomes ready, and is gone when deleted', async () => {
  system = await startSystem(dataDirectory('life'));
  const video = await uploadFile(system, film);
  const { segments } = (await renditionsAt(video.playbackUrl)).get('360p')!;
  expect(segments).toHaveLength(23);
  const early = await bytesAt(segments[17]!.url); // before prewarm comes there, or after: never another

  const ready = await untilStatus(video, ({ state }) => state !== 'processing');
  expect(ready).toMatchObject({ state: 'ready', progress: 1, durationSeconds: 90, playable: true });
  expect((await bytesAt(segments[17]!.url)).equals(early)).toBe(true);
  expect(await decoded(video)).toEqual({ count: 2250, complaints: '' });
  expect((await bytesAt(video.playbackUrl)).toString()).toContain('AVERAGE-BANDWIDTH=');

  expect((await deleteVideo(system, video)).status).toBe(204);
  expect((await fetch(video.playbackUrl)).status).toBe(404);
  expect((await fetch(video.statusUrl)).status).toBe(404);
  const client = await storeClient(system, dataDirectory('life'));
  for (const Bucket of ['instant-hls-uploads', 'instant-hls-media']) {
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  }
  expect(await system.stop()).toBe(0);
});

test('killed in the middle of everything and started again, it finishes; what was stored is whole', async () => {
  system = await startSystem(dataDirectory('killed'));
  const video = await uploadFile(system, film);
  await untilStatus(video, ({ progress }) => progress > 0.2);
  await system.kill();

  system = await startSystem(dataDirectory('killed'));
  expect(await readdir(join(dataDirectory('killed'), 'encoding'))).toEqual([]);
  const restarted = { ...video, ...movedTo(system, video) };
  expect(await statusOf(restarted)).toMatchObject({ playable: true });
  await untilStatus(restarted, ({ state }) => state === 'ready');
  expect(await decoded(restarted)).toEqual({ count: 2250, complaints: '' });
});

/** The port is another one after a restart. */
function movedTo({ baseUrl }: System, { id }: Granted): Pick<Granted, 'playbackUrl' | 'statusUrl'> {
  return { playbackUrl: `${baseUrl}/v/${id}/master.m3u8`, statusUrl: `${baseUrl}/api/videos/${id}` };
}

test('killed in the middle of an upload, the video waits, and nothing else is harmed', async () => {
  system = await startSystem(dataDirectory('upload'), { PREWARM: 'none' });
  const whole = await uploadFile(system, film);
  await untilStatus(whole, ({ state }) => state === 'ready');
  const { segments } = (await renditionsAt(whole.playbackUrl)).get('audio-0')!;
  const before = await bytesAt(segments[20]!.url);
  const sending = uploadFile(system, film).catch(() => 'cut off');
  await system.kill();
  await sending;

  system = await startSystem(dataDirectory('upload'), { PREWARM: 'none' });
  const { playbackUrl } = movedTo(system, whole);
  const after = (await renditionsAt(playbackUrl)).get('audio-0')!.segments;
  expect((await bytesAt(after[20]!.url)).equals(before)).toBe(true);
});

test.each([
  ['an empty file', '', 'EMPTY_FILE'],
  ['a text file named .mp4', 'Once upon a time.\n'.repeat(50), 'NOT_MEDIA'],
])('%s fails with its sentence, and the next video is not affected', async (_, content, code) => {
  system = await startSystem(dataDirectory(code), { PREWARM: 'none' });
  const path = join(directory.path, 'bad.mp4');
  await writeFile(path, content);
  const bad = await uploadFile(system, path);
  const failed = await untilStatus(bad, ({ state }) => state === 'failed');
  expect(failed).toMatchObject({ playable: false, error: { code, message: expect.stringMatching(/\.$/) } });
  const good = await uploadFile(system, film);
  await untilStatus(good, ({ state }) => state === 'ready');
});
