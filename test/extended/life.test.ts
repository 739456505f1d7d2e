// A video's life in the running system: every frame of an upload comes out of its playback URL, whatever happens to the
// machine in between.

import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QUEUE_KEY } from '../../core/artifacts/keys.ts';
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
import { keysBesideTombstones, untilGone } from '../support/upgrade.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let film: string;
let system: System | undefined;

beforeAll(async () => {
  directory = await temporaryDirectory();
  film = join(directory.path, 'film.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=60', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=60'],
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
  expect(segments).toHaveLength(30);
  const early = await bytesAt(segments[22]!.url); // before prewarm comes there, or after: never another

  const ready = await untilStatus(video, ({ state }) => state !== 'processing');
  expect(ready).toMatchObject({ state: 'ready', progress: 1, durationSeconds: 60, playable: true });
  expect((await bytesAt(segments[22]!.url)).equals(early)).toBe(true);
  expect(await decoded(video)).toEqual({ count: 1500, complaints: '' });
  expect((await bytesAt(video.playbackUrl)).toString()).toContain('AVERAGE-BANDWIDTH=');

  expect((await deleteVideo(system, video)).status).toBe(204);
  expect((await fetch(video.statusUrl)).status).toBe(404);
  const client = await storeClient(system, dataDirectory('life'));
  await untilGone(client, video);
  expect((await fetch(video.playbackUrl)).status).toBe(404);
  expect(await keysBesideTombstones(client)).toEqual([QUEUE_KEY]); // that is of all videos
  expect(await system.stop()).toBe(0);
});

test('killed in the middle of everything and started again, it finishes; what was stored is whole', async () => {
  system = await startSystem(dataDirectory('killed'));
  const video = await uploadFile(system, film);
  await untilStatus(video, ({ progress }) => progress > 0.2);
  await system.kill();

  system = await startSystem(dataDirectory('killed'));
  // But for the space that is kept aside.
  expect(await readdir(join(dataDirectory('killed'), 'encoding'))).toEqual(['reserve']);
  const restarted = { ...video, ...movedTo(system, video) };
  expect(await statusOf(restarted)).toMatchObject({ playable: true });
  await untilStatus(restarted, ({ state }) => state === 'ready');
  expect(await decoded(restarted)).toEqual({ count: 1500, complaints: '' });
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
  const before = await bytesAt(segments[13]!.url);
  const sending = uploadFile(system, film).catch(() => 'cut off');
  await system.kill();
  await sending;

  system = await startSystem(dataDirectory('upload'), { PREWARM: 'none' });
  const { playbackUrl } = movedTo(system, whole);
  const after = (await renditionsAt(playbackUrl)).get('audio-0')!.segments;
  expect((await bytesAt(after[13]!.url)).equals(before)).toBe(true);
});

test('a second process on the same folder is refused in a sentence, and harms nothing', async () => {
  system = await startSystem(dataDirectory('shared'), { PREWARM: 'none' });
  const encoding = join(dataDirectory('shared'), 'encoding', 'under way');
  await writeFile(encoding, 'what the first process is writing');
  await expect(startSystem(dataDirectory('shared'))).rejects.toThrow('is in use by another process. Stop it');
  await readFile(encoding);
});

test('stopped while it encodes, it leaves no process behind and prints no error', async () => {
  system = await startSystem(dataDirectory('stopped'));
  const video = await uploadFile(system, film);
  const { segments } = (await renditionsAt(video.playbackUrl)).get('360p')!;
  const hangUp = new AbortController();
  const hungUp = fetch(segments[13]!.url, { signal: hangUp.signal }).catch(() => 'hung up');
  const encoders = await untilEncoding(system);
  hangUp.abort();
  expect(await hungUp).toBe('hung up');
  expect(await system.stop()).toBe(0);
  while (encoders.some(isAlive)) await sleep(20); // the test's time limit is its failure
  expect(system.output()).toMatch(/^API key: key\nready: \S+\n$/);
});

/** The encoders that the system has started, once there is one. */
async function untilEncoding({ process: { pid } }: System): Promise<number[]> {
  for (;;) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    const found = children.trim().split(' ').filter(Boolean).map(Number);
    if (found.length > 0) return found;
    await sleep(5);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
