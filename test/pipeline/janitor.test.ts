// What the janitor removes, and what it leaves: it goes by what exists, not by who asked.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import {
  cardKey,
  cleanupKey,
  delayKey,
  lostKey,
  mezzanineKey,
  planKey,
  sourceKey,
  tombstoneKey,
} from '../../core/artifacts/keys.ts';
import { OutageError } from '../../core/errors.ts';
import { CLEANUP } from '../../core/records/cleanup.ts';
import { createdKeys } from '../../lambdas/created-keys.ts';
import { announceDeleted } from '../../local/announcements.ts';
import { unlessUnplanned } from '../../pipeline/derive/artifacts.ts';
import { noteLost } from '../../pipeline/derive/lost.ts';
import { repeatRequests, requestCleanup, unlessDeleted } from '../../pipeline/life/cleanup.ts';
import { deleteVideo } from '../../pipeline/life/deletion.ts';
import { cleanUp } from '../../pipeline/life/janitor.ts';
import { currentPlanOf } from '../../pipeline/revisions/revisions.ts';
import type { Store } from '../../pipeline/store.ts';
import { NOTHING_UNFINISHED, WITHOUT_GRACE, cleanedUp } from '../support/janitor.ts';
import { lived, uploadedIn } from '../support/life.ts';
import type { TestWorld } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { copyOfStore } from '../support/memory-store.ts';

const JSON_TYPE = { contentType: 'application/json' };
const HOUR_MS = 3600_000;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let id: string;
let video: TestWorld;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'film.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=8', '-c:v', 'libx264', path);
  ({ id, world: video } = await uploadedIn(directory.path, await readFile(path)));
  expect(await lived({ id, world: video })).toMatchObject({ state: 'ready' });
});
afterAll(() => directory.remove());

/** Both buckets of the video, for one test. */
async function copied(): Promise<Pick<TestWorld, 'media' | 'uploads'>> {
  return { media: await copyOfStore(video.media), uploads: await copyOfStore(video.uploads) };
}

const allKeys = ({ media, uploads }: Pick<TestWorld, 'media' | 'uploads'>) => [
  ...media.keys(),
  ...uploads.keys(),
];

test('a video that is ready loses nothing by a cleanup, whoever asks for it', async () => {
  const buckets = await copied();
  const before = allKeys(buckets);
  await requestCleanup(id, buckets);
  await cleanedUp(buckets);
  expect(allKeys(buckets)).toEqual(before);
});

test('what was made of no revision that there is goes, and the rest stays', async () => {
  const buckets = await copied();
  const { media, uploads } = buckets;
  const before = allKeys(buckets);
  const { rev } = (await currentPlanOf(id, media))!;
  const swept = 'aaaaaaaaaa';
  const { etag } = (await uploads.head(sourceKey(id)))!;
  const inTheMaking = mezzanineKey(id, etag);
  const late = [
    artifactKey(id, { kind: 'segment', rev: swept, rendition: '48p', index: 0, extension: 'ts' }),
    lostKey(id, swept, '48p', 0),
    mezzanineKey(id, 'another file'),
    inTheMaking,
  ];
  for (const key of [...late, lostKey(id, rev, '48p', 0)]) await media.put(key, '{}', JSON_TYPE);
  await requestCleanup(id, buckets);
  await cleanedUp(buckets);
  expect(allKeys(buckets).sort()).toEqual([...before, inTheMaking, lostKey(id, rev, '48p', 0)].sort());
});

test('a record that cannot be read keeps a living video from being touched, and no deletion', async () => {
  const buckets = await copied();
  const { media } = buckets;
  const { rev } = (await currentPlanOf(id, media))!;
  await media.put(planKey(id, rev), 'no record', JSON_TYPE);
  await requestCleanup(id, buckets);
  const before = allKeys(buckets);
  await expect(cleanedUp(buckets)).rejects.toMatchObject({ code: 'RECORD_UNREADABLE' });
  expect(allKeys(buckets)).toEqual(before);
  await deleteVideo(id, buckets, WITHOUT_GRACE);
  await cleanedUp(buckets);
  expect(allKeys(buckets)).toEqual([]);
});

test('cut off after any of its steps, a deletion is brought to its end by the next try', async () => {
  let isWhole = false;
  for (let steps = 0; !isWhole; steps += 1) {
    const buckets = await copied();
    await deleteVideo(id, buckets, WITHOUT_GRACE);
    let left = steps;
    const cutOff = <T extends Store>(store: T): T => ({
      ...store,
      delete: async (keys) => {
        left -= 1;
        if (left < 0) throw new OutageError('STORE_UNAVAILABLE', 'away');
        await store.delete(keys);
      },
    });
    const world = { media: cutOff(buckets.media), uploads: cutOff(buckets.uploads) };
    isWhole = await cleanedUp(world).then(
      () => true,
      () => false,
    );
    if (!isWhole) {
      expect(buckets.media.keys()).toContain(tombstoneKey(id));
      await cleanedUp(buckets);
    }
    expect(allKeys(buckets)).toEqual([]);
  }
});

test('what is asked for while it is at work is left for the next run', async () => {
  const buckets = await copied();
  const { media, uploads } = buckets;
  const { rev } = (await currentPlanOf(id, media))!;
  const late = artifactKey(id, { kind: 'segment', rev, rendition: '48p', index: 99, extension: 'ts' });
  await deleteVideo(id, buckets, WITHOUT_GRACE);
  const meanwhile: Store = {
    ...media,
    delete: async (keys) => {
      if (keys.some((key) => key.startsWith('v/')) && !media.keys().includes(late)) {
        await media.put(late, 'late', JSON_TYPE);
        await expect(unlessUnplanned(id, rev, media)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
      await media.delete(keys);
    },
  };
  await cleanUp(id, { media: meanwhile, uploads, unfinished: NOTHING_UNFINISHED });
  expect(allKeys(buckets).sort()).toEqual([cleanupKey(id), tombstoneKey(id), late]);
  await cleanedUp(buckets);
  expect(allKeys(buckets)).toEqual([]);
});

test('what is noted of a segment while the plans go, goes with them', async () => {
  const buckets = await copied();
  const { media, uploads } = buckets;
  const plan = (await currentPlanOf(id, media))!;
  await deleteVideo(id, buckets, WITHOUT_GRACE);
  let isNoted = false;
  const meanwhile: Store = {
    ...media,
    delete: async (keys) => {
      if (keys.includes(planKey(id, plan.rev)) && !isNoted) {
        isNoted = true;
        await noteLost(id, plan, { rendition: '48p', index: 0 }, 'held', media);
      }
      await media.delete(keys);
    },
  };
  await cleanUp(id, { media: meanwhile, uploads, unfinished: NOTHING_UNFINISHED });
  expect([isNoted, allKeys(buckets)]).toEqual([true, [tombstoneKey(id)]]);
});

test('the copy of a file that comes while it looks for copies stays', async () => {
  const buckets = await copied();
  const { media, uploads } = buckets;
  const other = Buffer.from('another file');
  const copy = mezzanineKey(id, createHash('md5').update(other).digest('hex'));
  const replaced: Store = {
    ...uploads,
    head: async (key) => {
      const found = await uploads.head(key);
      await uploads.put(key, other, JSON_TYPE);
      await media.put(copy, 'its copy', JSON_TYPE);
      return found;
    },
  };
  await requestCleanup(id, buckets);
  await cleanUp(id, { media, uploads: replaced, unfinished: NOTHING_UNFINISHED });
  expect(media.keys()).toContain(copy);
});

test('a tombstone is enough: the card goes with the rest', async () => {
  const buckets = await copied();
  const { media } = buckets;
  await media.put(
    tombstoneKey(id),
    JSON.stringify(CLEANUP.stored({ askedAt: NOW.toISOString() })),
    JSON_TYPE,
  );
  await cleanedUp(buckets);
  expect(allKeys(buckets)).toEqual([]);
});

test('who writes of a video after its deletion has that removed', async () => {
  const buckets = await copied();
  await deleteVideo(id, buckets, WITHOUT_GRACE);
  await cleanedUp(buckets);
  await buckets.media.put(delayKey(id), '{}', JSON_TYPE);
  await expect(unlessDeleted(id, buckets)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(buckets.media.keys()).toContain(cleanupKey(id));
  await cleanedUp(buckets);
  expect(allKeys(buckets)).toEqual([]);
});

const NOW = new Date('2026-11-29T12:00:00Z');

test('what was asked for and not done in six hours is asked for again', async () => {
  const { media } = await copied();
  await requestCleanup(id, { media });
  const asked = await media.get(cleanupKey(id));
  const agedBy = (ms: number): Store => ({
    ...media,
    head: async (key) => {
      const found = await media.head(key);
      return found && { ...found, lastModified: new Date(NOW.getTime() - ms) };
    },
  });
  const options = { now: NOW, isTimeUp: () => false };
  await repeatRequests({ media: agedBy(5 * HOUR_MS) }, options);
  expect(await media.get(cleanupKey(id))).toBe(asked);
  await repeatRequests({ media: agedBy(7 * HOUR_MS) }, { ...options, isTimeUp: () => true });
  expect(await media.get(cleanupKey(id))).toBe(asked);
  await repeatRequests({ media: agedBy(7 * HOUR_MS) }, options);
  expect(await media.get(cleanupKey(id))).not.toBe(asked);
});

test('a disk that is too full for a tombstone keeps nobody from deleting; another outage does', async () => {
  const buckets = await copied();
  const { media } = buckets;
  const failing = (code: 'STORAGE_FULL' | 'STORE_UNAVAILABLE'): Store => ({
    ...media,
    put: () => Promise.reject(new OutageError(code, 'no')),
  });
  await expect(deleteVideo(id, { media: failing('STORE_UNAVAILABLE') }, WITHOUT_GRACE)).rejects.toMatchObject(
    {
      code: 'STORE_UNAVAILABLE',
    },
  );
  expect(await media.head(cardKey(id))).toBeDefined();
  const quiet = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  await deleteVideo(id, { media: failing('STORAGE_FULL') }, WITHOUT_GRACE);
  quiet.mockRestore();
  expect(await media.head(cardKey(id))).toBeUndefined();
  // Though nothing can be written, what is left of it is found, and goes.
  const announced: string[] = [];
  await announceDeleted({ media: failing('STORAGE_FULL') }, (event) => announced.push(...createdKeys(event)));
  expect(announced).toEqual([cleanupKey(id)]);
  await cleanUp(id, { ...buckets, media: failing('STORAGE_FULL'), unfinished: NOTHING_UNFINISHED });
  expect(allKeys(buckets)).toEqual([]);
});
