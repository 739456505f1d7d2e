// What is there when the list of work of a revision is begun: no viewer of it has a function write a playlist.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OutageError } from '../../core/errors.ts';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { openingRenditions, renditionNames } from '../../core/plan/plan.ts';
import { mediaPlaylist } from '../../core/playlists/playlists.ts';
import type { Enqueue } from '../../pipeline/prewarm/queue-work.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import { videoStatus } from '../../pipeline/life/video-status.ts';
import { replan } from '../../pipeline/revisions/replan.ts';
import { currentPlanOf, planOf, revisionsOf } from '../../pipeline/revisions/revisions.ts';
import { uploadedIn } from '../support/life.ts';
import type { TestWorld } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { oldVideo, openOldVideos } from '../support/old-video.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clip: Uint8Array;
let closeOldVideos: () => Promise<void>;
beforeAll(async () => {
  closeOldVideos = await openOldVideos();
  directory = await temporaryDirectory();
  const path = join(directory.path, 'clip.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=852x480:r=5:d=5'];
  const sound = ['-f', 'lavfi', '-i', 'sine=440:r=48000:d=5'];
  await ffmpeg(...picture, ...sound, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path);
  clip = await readFile(path);
});
afterAll(async () => {
  await closeOldVideos();
  await directory.remove();
});

/** Keys in the order in which they are written. */
function noteWrites(world: TestWorld): string[] {
  const written: string[] = [];
  const { put } = world.media;
  world.media.put = async (key, ...rest) => {
    const outcome = await put(key, ...rest);
    written.push(key);
    return outcome;
  };
  return written;
}

const playlistKeys = (id: string, { rev }: Plan, names: readonly string[]): string[] =>
  names.map((rendition) => artifactKey(id, { kind: 'playlist', rev, rendition })).sort();

async function expectPlaylists(id: string, plan: Plan, { media }: TestWorld): Promise<void> {
  for (const rendition of plan.renditions) {
    const key = artifactKey(id, { kind: 'playlist', rev: plan.rev, rendition: rendition.name });
    expect([key, String(await media.get(key))]).toEqual([key, mediaPlaylist(plan, rendition)]);
  }
}

const isPlaylist = (key: string): boolean => key.endsWith('/index.m3u8');

test('all playlists are stored after the opening, and before the prewarm is started', async () => {
  const { id, world } = await uploadedIn(directory.path, clip);
  const written = noteWrites(world);
  let started = 0;
  await ingest(id, world, async () => {
    started += 1;
    await expectPlaylists(id, (await currentPlanOf(id, world.media))!, world);
  });
  expect(started).toBe(1);
  const plan = (await currentPlanOf(id, world.media))!;
  const opening = openingRenditions(plan).map(({ name }) => name);
  expect(plan.renditions.length).toBeGreaterThan(opening.length);
  const artifacts = written.filter((key) => key.startsWith('v/'));
  const others = playlistKeys(
    id,
    plan,
    renditionNames(plan).filter((name) => !opening.includes(name)),
  );
  const first = artifacts.findIndex((key) => others.includes(key));
  const before = artifacts.slice(0, first);
  expect(before.filter(isPlaylist).sort()).toEqual(playlistKeys(id, plan, opening));
  expect(before.filter((key) => /\/00000\.(ts|aac)$/.test(key))).toHaveLength(opening.length);
  expect(artifacts.slice(first, first + others.length).sort()).toEqual(others);
});

test('a playlist that cannot be stored holds nothing up, but where nothing else would be tried again', async () => {
  const failing = async (prewarm: 'all' | 'none') => {
    const { id, world } = await uploadedIn(directory.path, clip);
    world.settings.prewarm = prewarm;
    const { getTagged } = world.media;
    let isAway = true;
    world.media.getTagged = (key) => {
      if (isAway && key.endsWith('/234p/index.m3u8')) throw new TypeError('no such store');
      return getTagged(key);
    };
    const starts: string[] = [];
    const ingested = () => ingest(id, world, async ({ rev }) => void starts.push(rev));
    return { id, world, starts, ingested, comeBack: () => void (isAway = false) };
  };
  const all = await failing('all');
  await all.ingested();
  expect(all.starts).toHaveLength(1);

  const none = await failing('none');
  await expect(none.ingested()).rejects.toThrow('no such store');
  none.comeBack();
  await none.ingested();
  expect(none.starts).toEqual([]);
  expect(await videoStatus(none.id, none.world, () => '')).toMatchObject({ state: 'ready' });
  await expectPlaylists(none.id, (await currentPlanOf(none.id, none.world.media))!, none.world);
});

test('a full store keeps no playlist from being shown, nor the prewarm from being started', async () => {
  const { id, world } = await uploadedIn(directory.path, clip);
  const { put } = world.media;
  world.media.put = (key, ...rest) =>
    isPlaylist(key) ? Promise.reject(new OutageError('STORAGE_FULL')) : put(key, ...rest);
  let started = 0;
  await ingest(id, world, async () => void (started += 1));
  expect(started).toBe(1);
});

test('a revision planned anew has its playlists before its prewarm is started', async () => {
  const { id, world } = await oldVideo();
  let started = 0;
  const enqueue: Enqueue = async ({ rev }) => {
    started += 1;
    await expectPlaylists(id, (await planOf(id, rev, world.media))!, world);
  };
  await replan(id, world, enqueue, new Date());
  expect(started).toBe(1);
});

test('a revision of which nothing is made ahead of time has its playlists before it is shown to anybody', async () => {
  const { id, world } = await oldVideo({ prewarm: 'none' });
  const former = (await currentPlanOf(id, world.media))!;
  // As if nobody had watched the one before: what it holds, this one would have to hold as well.
  await world.media.delete(world.media.keys().filter((key) => /\.(ts|aac|jpg)$/.test(key)));
  const { put } = world.media;
  let shown: Plan | undefined;
  world.media.put = async (key, ...rest) => {
    const outcome = await put(key, ...rest);
    const revisions = await revisionsOf(id, world.media);
    if (!shown && revisions?.current !== former.rev) {
      shown = (await currentPlanOf(id, world.media))!;
      await expectPlaylists(id, shown, world);
    }
    return outcome;
  };
  await replan(id, world, () => Promise.reject(new Error('there is nothing to do')), new Date());
  expect(shown?.rev).toBeDefined();
});
