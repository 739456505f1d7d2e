// What the system makes at its start leaves nothing behind, and says when videos could not play.

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rehearse } from '../../local/rehearsal.ts';
import { binaries, temporaryDirectory } from '../support/media.ts';
import { worldIn } from '../support/world.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

let stage: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  stage = join(directory.path, 'rehearsal');
});
beforeEach(() => mkdir(stage));
afterAll(() => directory.remove());

test('a rehearsal leaves nothing, neither in its folder nor in the buckets that it is for', async () => {
  const world = worldIn(directory.path);
  await rehearse(stage, binaries, world);
  expect(await readdir(directory.path)).not.toContain('rehearsal');
  expect([world.uploads.keys(), world.media.keys(), world.observed]).toEqual([[], [], []]);
});

test('one that fails says why, and leaves nothing either', async () => {
  const world = worldIn(directory.path);
  world.tools.binaries = { ...binaries, ffprobePath: '/nowhere/ffprobe' };
  await expect(rehearse(stage, binaries, world)).rejects.toThrow('The film did not become ready.');
  expect(await readdir(directory.path)).not.toContain('rehearsal');
});
