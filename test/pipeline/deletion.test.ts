// A deletion from the request to the end: its grace time, the way back, and what the CDN has to forget.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import {
  TOMBSTONES,
  cardKey,
  revisionsKey,
  sourceKey,
  tombstoneKey,
  videoPrefix,
} from '../../core/artifacts/keys.ts';
import { OutageError } from '../../core/errors.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { TOMBSTONE } from '../../core/records/tombstone.ts';
import { derive, deriveWork } from '../../pipeline/derive/derive.ts';
import { requestCleanup } from '../../pipeline/life/cleanup.ts';
import { deleteVideo, goOnWithDeletions, restoreVideo } from '../../pipeline/life/deletion.ts';
import { cleanUp } from '../../pipeline/life/janitor.ts';
import { resumeDelayed } from '../../pipeline/life/resume.ts';
import { videoStatus } from '../../pipeline/life/video-status.ts';
import { currentPlanOf } from '../../pipeline/revisions/revisions.ts';
import { readRecord } from '../../pipeline/store.ts';
import type { Store } from '../../pipeline/store.ts';
import { NOTHING_UNFINISHED } from '../support/janitor.ts';
import { lived, uploadedIn, workIn } from '../support/life.ts';
import type { TestWorld } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { copyOfStore } from '../support/memory-store.ts';

const JSON_TYPE = { contentType: 'application/json' };
const NOW = new Date('2026-11-29T12:00:00Z');
const HOUR = 3600;
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const DAY_OF_GRACE = { now: NOW, graceSeconds: 24 * HOUR };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let id: string;
let video: TestWorld;
let plan: Plan;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'film.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=8', '-c:v', 'libx264', path);
  ({ id, world: video } = await uploadedIn(directory.path, await readFile(path)));
  expect(await lived({ id, world: video })).toMatchObject({ state: 'ready' });
  plan = (await currentPlanOf(id, video.media))!;
});
afterAll(() => directory.remove());

/** The video in a world of its own, and its janitor. */
async function copied() {
  const world = {
    ...video,
    media: await copyOfStore(video.media),
    uploads: await copyOfStore(video.uploads),
  };
  const { media, uploads } = world;
  const forgotten: string[] = [];
  const cdn = { isBusy: false };
  const janitorWorld = (own: Store = media) => ({
    ...{ media: own, uploads, unfinished: NOTHING_UNFINISHED },
    cdn: {
      forget: async (prefix: string) => {
        if (!cdn.isBusy) forgotten.push(prefix);
        return !cdn.isBusy;
      },
    },
  });
  return {
    ...{ world, media, uploads, forgotten, cdn },
    allKeys: () => [...media.keys(), ...uploads.keys()],
    status: () => videoStatus(id, world, () => 'https://cdn.example/'),
    stage: async () => (await readRecord(media, TOMBSTONE, tombstoneKey(id)))?.stage,
    /** As often as its own writes call it. */
    async janitor(now: Date, own?: Store): Promise<void> {
      for (let last: string | undefined, etag = await etagIn(media); etag !== last;) {
        await cleanUp(id, janitorWorld(own), now);
        [last, etag] = [etag, await etagIn(media)];
      }
    },
  };
}

const goOn = (world: Pick<TestWorld, 'media'>, now: Date) =>
  goOnWithDeletions(world, { now, isTimeUp: () => false }, () => Promise.resolve());

const etagIn = async (media: Store) => (await media.head(tombstoneKey(id)))?.etag;

const playlist = (rendition = '48p'): Artifact => ({ kind: 'playlist', rev: plan.rev, rendition });
const segment = (index: number): Artifact => ({
  ...{ kind: 'segment', rev: plan.rev, rendition: '48p', index, extension: 'ts' },
});
const entrancesIn = (keys: string[]) =>
  keys.filter((key) => /\.m3u8$|^v\/\w+\/(poster|storyboard)/.test(key));

test('within its grace time it is out of reach, and stored', async () => {
  const { world, media, uploads, janitor, forgotten, status, stage, allKeys } = await copied();
  expect(entrancesIn(allKeys())).not.toEqual([]);
  await deleteVideo(id, world, DAY_OF_GRACE);
  await media.delete([artifactKey(id, segment(1))]);
  await expect(status()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await janitor(at(1));
  expect(await stage()).toBe('unreachable');
  expect(entrancesIn(allKeys())).toEqual([]);
  expect(await media.head(artifactKey(id, segment(0)))).toBeDefined();
  expect(await uploads.head(sourceKey(id))).toBeDefined();
  // Nothing is made of it for anybody.
  for (const artifact of [{ kind: 'multivariant' } as const, playlist(), segment(1)]) {
    await expect(derive(id, artifact, world)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
  const [chunk] = await workIn({ id, rev: plan.rev }, world);
  await expect(deriveWork(chunk!, world)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(entrancesIn(allKeys())).toEqual([]);
  // Whoever asks the janitor meanwhile costs the CDN nothing.
  await requestCleanup(id, world);
  await janitor(at(2));
  expect(forgotten).toEqual([`/${videoPrefix(id)}`]);
});

test('what is stored of a playlist while it is being deleted goes, and is answered to nobody', async () => {
  const { world, media, janitor, allKeys } = await copied();
  await media.delete([artifactKey(id, playlist())]);
  const put: Store['put'] = async (key, ...rest) => {
    if (key === artifactKey(id, playlist())) {
      await deleteVideo(id, world, DAY_OF_GRACE);
      await janitor(at(1));
    }
    return media.put(key, ...rest);
  };
  const late = { ...world, media: { ...media, put } };
  await expect(derive(id, playlist(), late)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await janitor(at(2));
  expect(entrancesIn(allKeys())).toEqual([]);
});

test('restored, it is ready as before, goes on where it was stopped, and leaves no trace of the deletion', async () => {
  const { world, media, janitor, status, allKeys } = await copied();
  const before = allKeys();
  const wasReady = await status();
  await deleteVideo(id, world, DAY_OF_GRACE);
  await janitor(at(1));
  await restoreVideo(id, world, at(HOUR));
  await restoreVideo(id, world, at(HOUR + 1));
  expect(await status()).toEqual(wasReady);
  const missing = before.filter((key) => !allKeys().includes(key));
  expect(missing).not.toEqual([]);
  await janitor(at(HOUR + 2));
  const options = { enqueue: () => Promise.resolve(), now: at(HOUR + 300), isTimeUp: () => false };
  expect(await resumeDelayed(world, options)).toEqual({ resumed: [id] });
  await janitor(at(HOUR + 301));
  expect(await media.get(tombstoneKey(id))).toBeUndefined();
  expect(await resumeDelayed(world, options)).toEqual({ resumed: [] });
  for (const artifact of [{ kind: 'multivariant' } as const, playlist()]) {
    const key = artifactKey(id, artifact);
    expect(Buffer.from(await derive(id, artifact, world))).toEqual(
      Buffer.from((await video.media.get(key))!),
    );
  }
  await restoreVideo(id, world, at(HOUR + 302)); // of one that is there, nothing
  expect(await status()).toEqual(wasReady);
});

test('restored before it was ready, it is queued again', async () => {
  const { world, media, janitor } = await copied();
  await media.delete([`plans/${id}/${plan.rev}.ready.json`]);
  await deleteVideo(id, world, DAY_OF_GRACE);
  await janitor(at(1));
  await restoreVideo(id, world, at(2));
  const queued: string[] = [];
  const enqueue = async ({ rev }: { rev: string }) => void queued.push(rev);
  await resumeDelayed(world, { enqueue, now: at(300), isTimeUp: () => false });
  expect(queued).toEqual([plan.rev]);
});

test('deleted again, it has a new grace time', async () => {
  const { world, media, janitor, status } = await copied();
  await deleteVideo(id, world, DAY_OF_GRACE);
  await restoreVideo(id, world, at(HOUR));
  await deleteVideo(id, world, { now: at(2 * HOUR), graceSeconds: 24 * HOUR });
  await janitor(at(24 * HOUR + 1)); // when the first would be over
  expect(await media.get(revisionsKey(id))).toBeDefined();
  await restoreVideo(id, world, at(25 * HOUR));
  expect(await status()).toMatchObject({ state: 'ready' });
});

test('deleted twice, it has the grace time of the first', async () => {
  const { world, media, janitor } = await copied();
  await deleteVideo(id, world, DAY_OF_GRACE);
  await deleteVideo(id, world, { now: at(HOUR), graceSeconds: 24 * HOUR });
  await janitor(at(24 * HOUR + 1));
  expect(await media.get(revisionsKey(id))).toBeUndefined();
});

test('deleted again without a grace time, it goes at once', async () => {
  const { world, janitor, allKeys } = await copied();
  await deleteVideo(id, world, DAY_OF_GRACE);
  await janitor(at(1));
  await deleteVideo(id, world, { now: at(HOUR), graceSeconds: 0 });
  await janitor(at(HOUR));
  expect(allKeys()).toEqual([tombstoneKey(id)]);
});

test('when its grace time is over all of it goes, at the CDN too, and last the tombstone, when no link is valid', async () => {
  const { world, uploads, janitor, forgotten, allKeys, stage } = await copied();
  await deleteVideo(id, world, { now: NOW, graceSeconds: 60 });
  await janitor(at(1));
  await janitor(at(61));
  expect(allKeys()).toEqual([tombstoneKey(id)]);
  expect(await stage()).toBe('purged');
  expect(forgotten).toEqual([`/${videoPrefix(id)}`, `/${videoPrefix(id)}`]);
  await expect(restoreVideo(id, world, at(62))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  // By a link that was given before; and its event is lost.
  await uploads.put(sourceKey(id), 'late', JSON_TYPE);
  await goOn(world, at(1800));
  await janitor(at(1800));
  expect(await stage()).toBe('purged');
  await janitor(at(2 * HOUR));
  expect(allKeys()).toEqual([]);
  expect(forgotten).toHaveLength(2);
});

test('without a grace time it goes at once, and the CDN is told once', async () => {
  const { world, janitor, forgotten, allKeys } = await copied();
  await deleteVideo(id, world, { now: NOW, graceSeconds: 0 });
  await janitor(at(0));
  expect(allKeys()).toEqual([tombstoneKey(id)]);
  expect(forgotten).toEqual([`/${videoPrefix(id)}`]);
});

test('a CDN that takes no more is told later, some videos at a time', async () => {
  const { world, media, janitor, forgotten, cdn, stage } = await copied();
  cdn.isBusy = true;
  await deleteVideo(id, world, DAY_OF_GRACE);
  await janitor(at(1));
  expect(await stage()).toBe('hidden');
  const others = Array.from({ length: 40 }, (_, index) => `${String(index).padStart(2, '0')}${id.slice(2)}`);
  for (const other of others) {
    await media.put(tombstoneKey(other), (await media.get(tombstoneKey(id)))!, JSON_TYPE);
  }
  const calledAt = async (other: string) =>
    (await readRecord(media, TOMBSTONE, tombstoneKey(other)))!.calledAt;
  const calledNow = async (now: Date) => {
    await goOn(world, now);
    const called = await Promise.all([id, ...others].map(calledAt));
    return called.filter((time) => time === now.toISOString()).length;
  };
  expect(await calledNow(at(60))).toBe(0);
  expect(await calledNow(at(300))).toBe(30);
  expect(await calledNow(at(301))).toBe(11);
  cdn.isBusy = false;
  await janitor(at(302));
  expect([await stage(), forgotten.length]).toEqual(['unreachable', 1]);
});

test('however many janitors are at it at once, the CDN is told once each time', async () => {
  const { world, media, uploads, forgotten, allKeys, janitor } = await copied();
  await deleteVideo(id, world, DAY_OF_GRACE);
  const cdn = { forget: async (prefix: string) => forgotten.push(prefix) > 0 };
  const many = (now: Date) =>
    Promise.all(
      Array.from({ length: 4 }, () =>
        cleanUp(id, { media, uploads, unfinished: NOTHING_UNFINISHED, cdn }, now),
      ),
    );
  await many(at(1));
  expect(forgotten).toHaveLength(1);
  await many(at(24 * HOUR));
  await janitor(at(24 * HOUR));
  expect([allKeys(), forgotten.length]).toEqual([[], 2]);
});

test('each deletion is called for when its time has come', async () => {
  const { world, media, janitor, stage } = await copied();
  await deleteVideo(id, world, DAY_OF_GRACE);
  const isCalledAt = async (seconds: number): Promise<boolean> => {
    const before = await media.head(tombstoneKey(id));
    await goOn(world, at(seconds));
    // A store that is polled tells by the ETag that there is something new.
    return (await media.head(tombstoneKey(id)))!.etag !== before!.etag;
  };
  expect([await isCalledAt(5 * HOUR), await isCalledAt(7 * HOUR)]).toEqual([false, true]);
  await janitor(at(7 * HOUR));
  expect([await isCalledAt(23 * HOUR), await isCalledAt(24 * HOUR)]).toEqual([false, true]);
  await janitor(at(24 * HOUR));
  expect(await stage()).toBeUndefined(); // its links were over long ago
});

test.each([
  ['is asked for back', false, false],
  ['is back, and goes on', true, false],
  ['is back, and of which nothing is left to be done', true, true],
])('one that %s, while a janitor removes its card, is there', async (_, isOver, isGone) => {
  const { world, media, janitor, status, allKeys } = await copied();
  const before = allKeys().length;
  await deleteVideo(id, world, DAY_OF_GRACE);
  const restoring: Store = {
    ...media,
    delete: async (keys) => {
      if (keys.includes(cardKey(id))) {
        await restoreVideo(id, world, at(1));
        if (isOver) await goOn(world, at(2));
        if (isGone) await media.delete([tombstoneKey(id)]);
      }
      await media.delete(keys);
    },
  };
  await cleanUp(id, { media: restoring, uploads: world.uploads, unfinished: NOTHING_UNFINISHED }, at(1));
  await janitor(at(3));
  await goOn(world, at(4));
  await janitor(at(5));
  expect(await status()).toMatchObject({ state: 'ready' });
  expect(allKeys()).toHaveLength(before);
});

test('one that is restored while it is being deleted is back within minutes', async () => {
  const { world, media, janitor, status, stage } = await copied();
  const slow: Store = {
    ...media,
    delete: async (keys) => {
      await restoreVideo(id, world, at(1));
      await janitor(at(1));
      await media.delete(keys);
    },
  };
  await deleteVideo(id, { media: slow }, DAY_OF_GRACE);
  await expect(status()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  for (const minutes of [5, 10]) {
    await goOn(world, at(60 * minutes));
    await janitor(at(60 * minutes));
  }
  expect([await stage(), (await status()).state]).toEqual([undefined, 'ready']);
});

test('a janitor that looked before it was restored, and goes on when that is over, removes nothing', async () => {
  const { world, media, uploads, status } = await copied();
  await deleteVideo(id, world, DAY_OF_GRACE);
  await requestCleanup(id, world);
  let isRestored = false;
  const slow: Store = {
    ...media,
    head: async (key) => {
      const found = await media.head(key);
      if (key === cardKey(id) && !isRestored) {
        isRestored = true;
        await restoreVideo(id, world, at(1));
        await goOn(world, at(2));
        await media.delete([tombstoneKey(id)]);
      }
      return found;
    },
  };
  await cleanUp(id, { media: slow, uploads, unfinished: NOTHING_UNFINISHED }, at(3));
  expect([isRestored, (await status()).state]).toEqual([true, 'ready']);
});

test('one that is deleted just when a janitor looks has its grace time', async () => {
  const { world, media, uploads, stage } = await copied();
  await requestCleanup(id, world);
  let isDeleted = false;
  const slow: Store = {
    ...media,
    get: async (key) => {
      const found = await media.get(key);
      if (key === tombstoneKey(id) && !isDeleted) {
        isDeleted = true;
        await deleteVideo(id, world, DAY_OF_GRACE);
      }
      return found;
    },
  };
  await cleanUp(id, { media: slow, uploads, unfinished: NOTHING_UNFINISHED }, at(1));
  expect([isDeleted, await stage()]).toEqual([true, 'unreachable']);
  await restoreVideo(id, world, at(2));
  expect(await media.get(revisionsKey(id))).toBeDefined();
});

test('deleted again before it is back in full, it is deleted', async () => {
  const { world, media, janitor, status, stage } = await copied();
  await deleteVideo(id, world, DAY_OF_GRACE);
  const failing = { media: { ...media, put: putsNo(cardKey(id), media) } };
  await expect(restoreVideo(id, failing, at(1))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await deleteVideo(id, world, { now: at(2), graceSeconds: 24 * HOUR });
  await janitor(at(3));
  await goOn(world, at(300));
  await janitor(at(300));
  expect(await stage()).toBe('unreachable');
  await expect(status()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await restoreVideo(id, world, at(301));
  expect(await status()).toMatchObject({ state: 'ready' });
});

const putsNo =
  (refused: string, media: Store): Store['put'] =>
  (key, ...rest) => {
    if (key === refused) throw new OutageError('STORE_UNAVAILABLE', 'away');
    return media.put(key, ...rest);
  };

test('a deletion of which the CDN is not told for a day is heard of', async () => {
  const { world, janitor, cdn } = await copied();
  cdn.isBusy = true;
  await deleteVideo(id, world, DAY_OF_GRACE);
  await janitor(at(1));
  await goOn(world, at(23 * HOUR));
  await janitor(at(23 * HOUR));
  await expect(goOn(world, at(25 * HOUR))).rejects.toThrow(id);
});

test('whoever restores it in its last second has all of it, or nothing', async () => {
  for (const isFirst of [true, false]) {
    const { world, media, janitor, allKeys, status } = await copied();
    await deleteVideo(id, world, DAY_OF_GRACE);
    await janitor(at(1));
    // Its own clock is a second behind.
    const restore = () => restoreVideo(id, world, at(24 * HOUR - 1));
    if (isFirst) {
      await restore();
      await janitor(at(24 * HOUR));
      expect(await status()).toMatchObject({ state: 'ready' });
      expect(await media.get(revisionsKey(id))).toBeDefined();
      continue;
    }
    const meanwhile: Store = {
      ...media,
      delete: async (keys) => {
        await expect(restore()).rejects.toMatchObject({ code: 'NOT_FOUND' });
        await media.delete(keys);
      },
    };
    await janitor(at(24 * HOUR), meanwhile);
    expect(allKeys().filter((key) => !key.startsWith(TOMBSTONES))).toEqual([]);
  }
});

test('ten thousand objects go, after whichever of its steps the janitor is ended', async () => {
  const { rev } = plan;
  let steps = 0;
  for (let isWhole = false; !isWhole; steps += 1) {
    const { world, media, allKeys, janitor } = await copied();
    for (let index = 0; index < 10_000; index += 1) {
      const many: Artifact = { kind: 'segment', rev, rendition: '48p', index, extension: 'ts' };
      await media.put(artifactKey(id, many), 'x', JSON_TYPE);
    }
    await deleteVideo(id, world, { now: NOW, graceSeconds: 0 });
    let left = steps;
    const step = async (): Promise<void> => {
      left -= 1;
      if (left < 0) throw new OutageError('STORE_UNAVAILABLE', 'ended');
    };
    const ended: Store = {
      ...media,
      put: (...args) => step().then(() => media.put(...args)),
      // By one request, S3 removes a thousand.
      delete: async (keys) => {
        for (let from = 0; from < keys.length; from += 1000) {
          await step();
          await media.delete(keys.slice(from, from + 1000));
        }
      },
    };
    isWhole = await janitor(at(3 * HOUR), ended).then(
      () => true,
      () => false,
    );
    await janitor(at(3 * HOUR));
    await goOn(world, at(4 * HOUR));
    await janitor(at(4 * HOUR));
    expect(allKeys()).toEqual([]);
  }
  expect(steps).toBeGreaterThan(15);
});
