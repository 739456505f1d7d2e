// A planned video is handed on: nobody further down asks for its plan again, and its source is read once for all.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OutageError } from '../../core/errors.ts';
import { planKey } from '../../core/artifacts/keys.ts';
import { plannedVideo } from '../../pipeline/derive/planned-video.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import type { Reply } from '../../pipeline/sandbox/sandbox.ts';
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

const segment = { kind: 'segments', from: 0, to: 1, effort: 'quick', line: 'viewers' } as const;

test('those who have something made of a source at the same time read its blocks once', async () => {
  const { id, world, plan } = await plannedFile(path, directory.path);
  const read: number[] = [];
  const { readRange } = world.uploads;
  world.uploads.readRange = (key, range, ...rest) => {
    read.push(range.last + 1 - range.first);
    return readRange(key, range, ...rest);
  };
  const { ask } = plannedVideo(id, plan, world);
  const made: Reply[] = [];
  const tell = (reply: Reply) => void made.push(reply);
  await Promise.all(plan.renditions.map(({ name }) => ask({ ...segment, renditions: [name] }, tell)));
  expect(made.filter(({ kind }) => kind === 'segment')).toHaveLength(plan.renditions.length);
  // Each looks whether the source is still there, by a byte of it; planning may have left its blocks in memory.
  const total = read.reduce((sum, bytes) => sum + bytes, 0);
  expect(total).toBeLessThanOrEqual(source.length + plan.renditions.length);
});

test('what could not be read is what went wrong, for all who were reading, and is tried again by the next', async () => {
  const { id, world, plan } = await plannedFile(path, directory.path);
  const { readRange } = world.uploads;
  let isAway = true;
  world.uploads.readRange = (...asked) => {
    if (isAway) throw new OutageError('STORE_UNAVAILABLE');
    return readRange(...asked);
  };
  const { ask } = plannedVideo(id, plan, world);
  const renditions = [plan.renditions[0]!.name];
  const asked = () => ask({ ...segment, renditions }, () => undefined);
  for (const { status, ...rest } of await Promise.allSettled([asked(), asked()])) {
    expect(status).toBe('rejected');
    expect(rest).toMatchObject({ reason: { name: 'STORE_UNAVAILABLE' } });
  }
  isAway = false;
  await asked();
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
