// Videos that are made ahead of time by the queue's own workers, from an upload to `ready`.

import { jest } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { revPrefix } from '../../core/artifacts/artifacts.ts';
import { QUEUE_KEY, sourceKey, workKey } from '../../core/artifacts/keys.ts';
import { OutageError } from '../../core/errors.ts';
import { QUEUE } from '../../core/records/queue.ts';
import { WORK, parseWorkList } from '../../core/records/work.ts';
import type { Call } from '../../core/work/admission.ts';
import { deriveWork } from '../../pipeline/derive/derive.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import { videoStatus } from '../../pipeline/life/video-status.ts';
import { callWorkers, enqueue, observeQueue } from '../../pipeline/prewarm/queue.ts';
import { enqueueStored } from '../../pipeline/prewarm/queue-work.ts';
import { workOff } from '../../pipeline/prewarm/worker.ts';
import type { Task } from '../../pipeline/sandbox/sandbox.ts';
import { readRecord } from '../../pipeline/store.ts';
import { cleanedUp, removeVideo } from '../support/janitor.ts';
import { putCard, uploadedIn, workIn } from '../support/life.ts';
import type { TestWorld } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clip: Buffer;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'clip.mp4');
  const pictures = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=5:d=5'];
  await ffmpeg(...pictures, '-c:v', 'libx264', '-preset', 'ultrafast', path);
  clip = await readFile(path);
});
afterAll(() => directory.remove());
afterEach(() => jest.restoreAllMocks());

/** A video that is queued, and whoever was called for it. */
async function queued() {
  const { id, world } = await uploadedIn(directory.path, clip);
  const calls: Call[] = [];
  const workers = { lanes: [2], call: async (call: Call) => void calls.push(call) };
  await ingest(id, world, (list) => enqueue(list, world, workers));
  const queue = async () => (await readRecord(world.media, QUEUE, QUEUE_KEY))!;
  return {
    ...{ id, world, calls, workers, queue },
    /** As if all pauses were over. */
    async atOnce(): Promise<void> {
      const { lists, ...rest } = await queue();
      const ready = lists.map((list) => ({
        ...list,
        returned: list.returned.map((each) => ({ ...each, notBefore: null })),
      }));
      await world.media.put(QUEUE_KEY, JSON.stringify(QUEUE.stored({ ...rest, lists: ready })), {
        contentType: 'application/json',
      });
    },
    status: () => videoStatus(id, world, () => 'https://cdn.example/'),
    work: (own: TestWorld = world, isBusy: (error: unknown) => boolean = () => false) =>
      workOff(calls.at(-1)!, own, { lanes: 2, isBusy }),
  };
}

/** The same world, in which the sandbox does with these tasks what a test says. */
const withSandbox = (world: TestWorld, before: (task: Task) => Promise<void>): TestWorld => ({
  ...world,
  sandbox: {
    run: async (task, ...rest) => {
      await before(task);
      return world.sandbox.run(task, ...rest);
    },
  },
});

const OVER = { more: false, waitSeconds: 0 };

test('a video is made by the worker that is called for it, which then sleeps', async () => {
  const { calls, queue, status, work } = await queued();
  expect(calls).toEqual([{ worker: 0, run: 1 }]);
  expect((await queue()).lists).toMatchObject([{ count: 2, next: 0, group: '' }]);
  expect(await work()).toEqual(OVER);
  expect(await status()).toMatchObject({ state: 'ready', progress: 1 });
  expect(await queue()).toMatchObject({ lists: [], running: [], workers: [{ until: null }] });
  // One that is called once more finds nothing, and does no harm.
  expect(await work()).toEqual(OVER);
});

test('a playlist that could not be stored before is there when the video is ready', async () => {
  const { id, world, queue, status, work } = await queued();
  const [{ rev } = { rev: '' }] = (await queue()).lists;
  const key = `${revPrefix(id, rev)}180p/index.m3u8`;
  const before = await world.media.get(key);
  await world.media.delete([key]);
  await work();
  expect(await status()).toMatchObject({ state: 'ready' });
  expect(await world.media.get(key)).toEqual(before);
});

test.each([
  ['a segment', '180p/00000.ts', (bytes: Uint8Array) => bytes.subarray(0, 0)],
  ['a storyboard', 'storyboard.vtt', () => undefined],
])(
  '%s that was damaged or lost meanwhile is made again before the video is ready',
  async (_, name, damaged) => {
    const { id, world, queue, status, work, atOnce } = await queued();
    const [{ rev } = { rev: '' }] = (await queue()).lists;
    const key = `${revPrefix(id, rev)}${name}`;
    let isStruck = false;
    const list: TestWorld['media']['list'] = async function* (prefix, ...rest) {
      const isEnd = (await queue()).running.some(({ index }) => index === 2);
      const bytes = isEnd && !isStruck ? await world.media.get(key) : undefined;
      if (bytes) {
        isStruck = true;
        const left = damaged(bytes);
        await (left ? world.media.put(key, left, { contentType: 'video/mp2t' }) : world.media.delete([key]));
      }
      yield* world.media.list(prefix, ...rest);
    };
    const media = new Proxy(world.media, {
      get: (of, own) => (own === 'list' ? list : Reflect.get(of, own)),
    });
    await work({ ...world, media });
    expect(isStruck).toBe(true);
    await atOnce();
    expect(await work()).toEqual(OVER);
    expect(await status()).toMatchObject({ state: 'ready', progress: 1 });
    expect((await world.media.get(key))?.length).toBeGreaterThan(0);
  },
);

test('is of the group that its card says', async () => {
  const { id, world } = await uploadedIn(directory.path, clip);
  await putCard(id, world, { group: 'course-1' });
  const groups: string[] = [];
  await ingest(id, world, async ({ group }) => void groups.push(group));
  expect(groups).toEqual(['course-1']);
});

test('a list that is queued is not written anew, nor queued twice', async () => {
  const { id, world, workers, queue, calls } = await queued();
  const [{ rev } = { rev: '' }] = (await queue()).lists;
  const before = await world.media.get(workKey(id, rev));
  await world.media.put(workKey(id, rev), `${Buffer.from(before!).toString()} `, {
    contentType: 'text/plain',
  });
  await ingest(id, world, (list) => enqueue(list, world, workers));
  expect((await world.media.get(workKey(id, rev)))!.length).toBe(before!.length + 1);
  expect((await queue()).lists).toHaveLength(1);
  expect(calls).toHaveLength(1);
});

test('a worker that is out of time begins nothing, and is called again', async () => {
  const { world, queue, status, work } = await queued();
  expect(await work({ ...world, secondsLeft: () => 60 })).toEqual({ more: true, waitSeconds: 0 });
  expect((await queue()).lists).toMatchObject([{ next: 0 }]);
  expect(await work()).toEqual(OVER);
  expect(await status()).toMatchObject({ state: 'ready' });
});

test('what was begun when hardly any time was left has not failed where nothing of it is whole', async () => {
  const { world, queue, status, work } = await queued();
  let secondsLeft = 100;
  const slow = withSandbox(world, () => {
    secondsLeft = 60;
    return Promise.reject(new OutageError('TIMED_OUT'));
  });
  expect(await work({ ...slow, secondsLeft: () => secondsLeft })).toEqual({ more: true, waitSeconds: 0 });
  const [list] = (await queue()).lists;
  expect(list!.returned).toMatchObject([
    { index: 0, failures: 0, outages: 0, notBefore: null },
    { index: 1, failures: 0, outages: 0, notBefore: null },
  ]);
  expect(await work()).toEqual(OVER);
  expect(await status()).toMatchObject({ state: 'ready' });
});

test('what ends early has not ended for want of time, however late it was begun', async () => {
  const { world, queue, work } = await queued();
  let [secondsLeft, asked] = [100, 0];
  const refusing = withSandbox(world, () => {
    if ((asked += 1) > 20) secondsLeft = 60; // or it would be asked without end
    return Promise.reject(new OutageError('TIMED_OUT'));
  });
  const working = work({ ...refusing, secondsLeft: () => secondsLeft });
  const first = async () => (await queue()).lists[0]!.returned.find(({ index }) => index === 0);
  while (secondsLeft > 60 && !(await first())) await sleep(20);
  secondsLeft = 60;
  expect((await working).more).toBe(true);
  expect(await first()).toMatchObject({ failures: 1 });
});

test('a list that was written anew after it was queued, and has more items, is worked off as it is', async () => {
  const { world, queue, status, work } = await queued();
  const [{ id, rev } = { id: '', rev: '' }] = (await queue()).lists;
  const key = workKey(id, rev);
  const [chunk, stills] = parseWorkList(Buffer.from((await world.media.get(key))!).toString(), key);
  const part = (from: number, to: number) => ({
    ...chunk!,
    what: { kind: 'chunk' as const, from, to, renditions: null },
  });
  const parts = [part(0, 1), part(1, 2), part(2, 3)];
  expect(chunk!.what).toMatchObject({ from: 0, to: 3 });
  const list = [...parts, stills!].map((item) => WORK.stored(item));
  await world.media.put(key, JSON.stringify(list), { contentType: 'application/json' });
  const begun: number[] = [];
  const noted = withSandbox(world, async (task) => {
    if (task.kind === 'segments') begun.push(task.from);
  });
  expect(await work(noted)).toEqual(OVER);
  expect(begun.sort()).toEqual([...new Set(begun)]); // none twice; of those that `ingest` has made none at all
  expect(begun).toContain(2);
  expect(await queue()).toMatchObject({ lists: [], running: [] });
  expect(await status()).toMatchObject({ state: 'ready' });
});

test('what had time enough, and nothing of it is whole, has failed', async () => {
  const { world, queue, work } = await queued();
  let secondsLeft = 900;
  const slow = withSandbox(world, () => {
    secondsLeft = 60;
    return Promise.reject(new OutageError('TIMED_OUT'));
  });
  expect((await work({ ...slow, secondsLeft: () => secondsLeft })).more).toBe(true);
  const [list] = (await queue()).lists;
  expect(list!.returned[0]).toMatchObject({ index: 0, failures: 1 });
});

test('where no machine is free nothing has failed, and the worker makes room as well', async () => {
  const { world, queue, status, work } = await queued();
  const busy = new OutageError('TOOL_UNAVAILABLE', 'Rate Exceeded.');
  const crowded = withSandbox(world, () => Promise.reject(busy));
  const shift = await work(crowded, (error) => error === busy);
  expect(shift.more).toBe(true);
  expect(shift.waitSeconds).toBeGreaterThan(0);
  const [list] = (await queue()).lists;
  expect(list!.returned).toMatchObject([
    { index: 0, failures: 0, outages: 0 },
    { index: 1, failures: 0, outages: 0 },
  ]);
  expect(await work()).toEqual(OVER);
  expect(await status()).toMatchObject({ state: 'ready' });
});

test('a video that is deleted takes its list with it', async () => {
  const { id, world, queue, work } = await queued();
  let deleted = false;
  const deleting = withSandbox(world, async () => {
    if (!deleted) await removeVideo(id, world);
    deleted = true;
  });
  expect(await work(deleting)).toEqual(OVER);
  expect(await queue()).toMatchObject({ lists: [], running: [] });
  await cleanedUp(world);
  expect(world.media.keys()).toEqual([QUEUE_KEY]);
});

test('a video that was deleted with its list is nobody’s failure, and one whose source alone is gone fails visibly', async () => {
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const deleted = await queued();
  await removeVideo(deleted.id, deleted.world);
  expect(await deleted.work()).toEqual(OVER);
  expect(console.error).not.toHaveBeenCalled();

  const sourceless = await queued();
  await sourceless.world.uploads.delete([sourceKey(sourceless.id)]);
  expect(await sourceless.work()).toEqual(OVER);
  expect(await sourceless.status()).toMatchObject({ state: 'failed', playable: true });
});

test('what an outage keeps from being made delays the video; the rest is made', async () => {
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const { world, queue, status, work, atOnce } = await queued();
  const away = withSandbox(world, async ({ kind }) => {
    if (kind === 'segments') throw new OutageError('STORE_UNAVAILABLE');
  });
  // With pauses for which it is not kept.
  let shift = await work(away);
  for (let calls = 1; shift.more && calls < 20; calls += 1) {
    expect(shift.waitSeconds).toBeGreaterThan(0);
    await atOnce();
    shift = await work(away);
  }
  expect(await queue()).toMatchObject({ lists: [], running: [] });
  expect(await status()).toMatchObject({ state: 'processing', delayed: { code: 'STORE_UNAVAILABLE' } });
  expect(world.media.keys().filter((key) => key.endsWith('.jpg')).length).toBeGreaterThan(0);
});

test('a sandbox that tells of what it has not stored, and runs out of time, is not asked without end', async () => {
  const { id, world, queue } = await queued();
  const [{ rev } = { rev: '' }] = (await queue()).lists;
  const lying: TestWorld = {
    ...world,
    sandbox: {
      async run(task, _, tell) {
        if (task.kind !== 'segments') throw new Error('is asked for segments');
        const [rendition = ''] = task.renditions;
        await tell({ kind: 'segment', rendition, index: 1, made: { outcome: 'stored' } });
        throw new OutageError('TIMED_OUT');
      },
    },
  };
  const [chunk] = await workIn({ id, rev }, world);
  await expect(deriveWork(chunk!, lying)).rejects.toMatchObject({ code: 'TIMED_OUT' });
});

test('of two calls of a worker at once the video comes whole', async () => {
  const { queue, status, work, atOnce } = await queued();
  await Promise.all([work(), work()]);
  await atOnce();
  expect(await work()).toEqual(OVER);
  expect(await queue()).toMatchObject({ lists: [], running: [] });
  expect(await status()).toMatchObject({ state: 'ready' });
});

test('what ends while the queue is being written is settled by the next write', async () => {
  const { world, queue, work } = await queued();
  const busy = new OutageError('TOOL_UNAVAILABLE', 'Rate Exceeded.');
  const crowded = withSandbox(world, async ({ kind }) => {
    await sleep(kind === 'segments' ? 100 : 300);
    throw busy;
  });
  const put: TestWorld['media']['put'] = async (key, ...rest) => {
    const result = await world.media.put(key, ...rest);
    if (key === QUEUE_KEY) await sleep(400);
    return result;
  };
  const media = new Proxy(world.media, { get: (of, name) => (name === 'put' ? put : Reflect.get(of, name)) });
  const shift = await work({ ...crowded, media }, (error) => error === busy);
  expect(shift.more).toBe(true);
  expect(await queue()).toMatchObject({ running: [] });
});

test('in the place of a worker that was ended another is called', async () => {
  const { world, calls, workers, queue, status, work } = await queued();
  await callWorkers(world, workers);
  expect(calls).toHaveLength(1); // it may be on its way
  const { workers: all, ...rest } = await queue();
  const lost = all.map((each) => ({ ...each, until: new Date(0).toISOString() }));
  await world.media.put(QUEUE_KEY, JSON.stringify(QUEUE.stored({ ...rest, workers: lost })), {
    contentType: 'application/json',
  });
  await callWorkers(world, workers);
  expect(calls.at(-1)).toEqual({ worker: 0, run: 2 });
  expect(await workOff(calls[0]!, world, { lanes: 2, isBusy: () => false })).toEqual(OVER);
  expect(await status()).toMatchObject({ state: 'processing' });
  expect(await work()).toEqual(OVER);
  expect(await status()).toMatchObject({ state: 'ready' });
});

test('a list that lies in the store is queued as it is, and nothing is where there is none', async () => {
  const { id, world, calls, workers, queue, work, status } = await queued();
  const [{ rev } = { rev: '' }] = (await queue()).lists;
  await world.media.delete([QUEUE_KEY]);
  await enqueueStored({ id, rev: '0123456789' }, world);
  expect(await world.media.get(QUEUE_KEY)).toBeUndefined();
  await enqueueStored({ id, rev }, world);
  await callWorkers(world, workers);
  expect(calls).toHaveLength(2);
  expect(await work()).toEqual(OVER);
  expect(await status()).toMatchObject({ state: 'ready' });
});

test('how long the queue is, how old, and since when it stands still is observed while there is one', async () => {
  const { world, work, queue } = await queued();
  const [{ queuedAt } = { queuedAt: '' }] = (await queue()).lists;
  world.observed.length = 0;
  await observeQueue(world, new Date(Date.parse(queuedAt) + 7000));
  expect(world.observed).toEqual([{ event: 'queued', lists: 1, secondsWaited: 7, secondsStill: 7 }]);
  await work();
  world.observed.length = 0;
  await observeQueue(world, new Date());
  expect(world.observed).toEqual([]);
});
