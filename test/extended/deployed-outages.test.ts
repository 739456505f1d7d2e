// What the store, the layer, ffmpeg and dying machines do to videos in the cloud, and how these come right by themselves: by
// the queue's patience and the state machine's, and by the schedule that takes up what that was not enough for.

import { chmod, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { artifactKey, parseArtifactKey, revPrefix } from '../../core/artifacts/artifacts.ts';
import {
  QUEUE_KEY,
  delayKey,
  newVideoId,
  planKey,
  readyKey,
  revisionsKey,
  videoPrefix,
  workKey,
} from '../../core/artifacts/keys.ts';
import { isWholeJpeg } from '../../core/formats/jpeg.ts';
import { FIRST_RECIPE } from '../../core/recipes/first.ts';
import type { Delay } from '../../core/records/delay.ts';
import type { Queue } from '../../core/records/queue.ts';
import { prewarmedArtifacts } from '../../core/work/work.ts';
import { temporaryDirectory } from '../support/media.ts';
import { openAccount } from '../support/account/account.ts';
import type { Account } from '../support/account/account.ts';
import { sessionOf } from '../support/account/permissions.ts';
import { ServiceError } from '../support/account/state-machine.ts';
import { filmOf, firstOf, metricsIn, putsSegment, videosIn } from '../support/account/videos.ts';
import { plannedBy } from '../support/old-plan.ts';
import type { Json } from '../lib/support/variants.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let account: Account;
let videos: ReturnType<typeof videosIn>;
/** Four chunks. */
let film: Buffer;
/** Two. */
let scene: Buffer;
/** One. */
let clip: Buffer;

beforeAll(async () => {
  directory = await temporaryDirectory();
  film = await filmOf(100, directory.path);
  scene = await filmOf(40, directory.path);
  clip = await filmOf(6, directory.path);
  account = await openAccount(directory.path);
  videos = videosIn(account);
});
afterAll(async () => {
  await account?.close();
  await directory.remove();
});
afterEach(async () => {
  expect(account.denied).toEqual([]);
  allIsWell();
  // Every video has come right in the end, nobody waits, and nobody is called for nothing.
  expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]);
  expect(await queued()).toEqual([]);
  expect(await account.prewarmed()).toEqual([]);
});

function allIsWell(): void {
  account.faults.invocation = () => undefined;
  account.faults.sandbox = () => undefined;
  account.faults.s3 = () => false;
}

/** Ids of the videos of which something is to be made ahead of time. */
async function queued(): Promise<string[]> {
  const stored = (await videos.stored('media', QUEUE_KEY)).get(QUEUE_KEY);
  return stored ? (JSON.parse(stored.toString()) as Queue).lists.map(({ id }) => id) : [];
}

/** Rewrites the queue; to be used while no worker is at work. */
async function rewriteQueue(change: (queue: Queue) => Partial<Queue>): Promise<void> {
  const queue = await videos.jsonAt<Queue>(QUEUE_KEY);
  await videos.put(QUEUE_KEY, JSON.stringify({ ...queue, ...change(queue) }));
}

/** As if whatever is still to be made of a video had failed so often already: the pauses between are real time. */
const triedBefore = (id: string, times: { failures?: number; outages?: number }): Promise<void> =>
  rewriteQueue(({ lists }) => ({
    lists: lists.map((list) => {
      if (list.id !== id) return list;
      const untaken = Array.from({ length: Math.max(0, list.count - list.next) }, (_, index) => ({
        ...{ index: list.next + index, failures: 0, outages: 0 },
      }));
      const returned = [...list.returned, ...untaken].map((item) => ({ ...item, notBefore: null, ...times }));
      return { ...list, next: Math.max(list.next, list.count), returned };
    }),
  }));

/** As if all workers had last been heard of long ago. */
const silentForLong = (): Promise<void> =>
  rewriteQueue(({ workers }) => ({
    workers: workers.map((worker) => ({ ...worker, until: worker.until && new Date(0).toISOString() })),
  }));

/** As if a delayed video had waited long enough; or, on a slow machine as well, not yet. */
async function waited(id: string, { isOver = true } = {}): Promise<void> {
  const delay = await videos.jsonAt<Delay>(delayKey(id));
  const retryAt = new Date(isOver ? 0 : Date.now() + 3600 * 1000).toISOString();
  await videos.put(delayKey(id), JSON.stringify({ ...delay, retryAt }));
}

/** The schedule takes the video up, and it alone: it is queued then. */
async function resumed(id: string): Promise<void> {
  await waited(id);
  expect(await account.minutesPass()).toEqual([{ payload: { resumed: [id] } }]);
  expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]); // somebody is at it
  expect(await queued()).toEqual([id]);
}

/** How often the sandboxes of the prewarm are asked from now on, for something of which chunk of a scene. */
function watchTries(): Record<string, number> {
  const tries: Record<string, number> = {};
  account.faults.sandbox = (name, request) => {
    if (!name.includes('PrewarmSandbox')) return;
    const first = firstOf(request);
    const chunk = first === 'stills' || first < SCENE_CHUNK ? first : SCENE_CHUNK;
    tries[chunk] = (tries[chunk] ?? 0) + 1;
  };
  return tries;
}

/** The first segment of a scene's second chunk. */
const SCENE_CHUNK = 10;

/** What workers print from now on. */
function watchWorkers(): () => string {
  const before = account.functions.transcode.output().length;
  return () => account.functions.transcode.output().slice(before);
}

async function expectReady(id: string): Promise<void> {
  const status = await videos.statusOf(id);
  expect(status).toMatchObject({ state: 'ready', progress: 1 });
  expect([status.error, status.delayed]).toEqual([undefined, undefined]);
  expect([...(await videos.stored('media', delayKey(id))).keys()]).toEqual([]);
}

/** Addresses of all that is made ahead of time and is not stored. */
async function missingOf({ id, playbackUrl }: { id: string; playbackUrl: string }): Promise<string[]> {
  const [plan, stored] = [await videos.planOf(id), await videos.stored('media', videoPrefix(id))];
  return prewarmedArtifacts(plan)
    .map((artifact) => artifactKey(id, artifact))
    .filter((key) => !stored.has(key))
    .map((key) => new URL(`/${key}`, playbackUrl).href);
}

const isBy =
  (...names: string[]) =>
  (request: IncomingMessage): boolean =>
    names.some((name) => sessionOf(request) === `session-of-${name}`);

const notesDelay = ({ method, url = '' }: IncomingMessage): boolean =>
  method === 'PUT' && url.includes('/plans/delayed/');

describe('a store that refuses what a chunk has made', () => {
  test('five times, delays the video until the schedule finds the store well again', async () => {
    const { id } = await videos.uploaded(scene);
    const [tries, printed] = [watchTries(), watchWorkers()];
    account.faults.s3 = putsSegment(19);
    await videos.prewarmed();
    expect(tries).toEqual({ 0: 1, 10: 5, stills: 2 });
    expect(await queued()).toEqual([]);
    const delayed = await videos.statusOf(id);
    expect(delayed).toMatchObject({
      ...{ state: 'processing', playable: true },
      delayed: { code: 'STORE_UNAVAILABLE', since: expect.any(String), retryAt: expect.any(String) },
    });
    expect(delayed.error).toBeUndefined();
    expect(delayed.progress).toBeGreaterThanOrEqual(1 / 2); // the other chunk was not left undone for it
    expect(delayed.progress).toBeLessThan(1);
    const { since, retryAt } = delayed.delayed;
    expect(Date.parse(retryAt) - Date.parse(since)).toBe(5000);
    expect(metricsIn(printed())).toContain('VideosDelayed by service');
    expect(metricsIn(printed())).not.toContain('VideosFailed by service');

    // It is not over yet.
    await resumed(id);
    expect((await videos.statusOf(id)).delayed).toBeUndefined();
    await triedBefore(id, { outages: 4 });
    await videos.prewarmed();
    expect(await videos.statusOf(id)).toMatchObject({
      ...{ state: 'processing', delayed: { code: 'STORE_UNAVAILABLE', since } },
    });
    expect(await videos.jsonAt(delayKey(id))).toMatchObject({ failures: 2, triedUntil: null });

    account.faults.s3 = () => false;
    await resumed(id);
    await videos.prewarmed();
    await expectReady(id);
    expect(tries).toEqual({ 0: 1, 10: 5 + 1 + 1, stills: 2 }); // what is stored is not asked for again
  });

  test('is made up for by viewers: the last piece that they have made makes the video ready', async () => {
    const video = await videos.uploaded(scene);
    await triedBefore(video.id, { outages: 4 });
    account.faults.s3 = putsSegment(19);
    await videos.prewarmed();
    const [piece = '', ...others] = await missingOf(video);
    // They see it even so; it is made again for the next one.
    expect(await account.watch(piece)).toMatchObject({ status: 200, from: 'function' });
    expect(await account.watch(piece)).toMatchObject({ status: 200, from: 'function' });

    account.faults.s3 = () => false;
    for (const url of others)
      expect(await account.watch(url)).toMatchObject({ status: 200, from: 'function' });
    expect(await videos.statusOf(video.id)).toMatchObject({
      state: 'processing',
      delayed: { code: 'STORE_UNAVAILABLE' },
    });
    expect(await account.watch(piece)).toMatchObject({ status: 200, from: 'function' });
    await expectReady(video.id);
    expect((await account.watch(video.playbackUrl)).body.toString()).toContain('AVERAGE-BANDWIDTH=');
  });

  test('and then that it was refused, is heard of when it listens again, however long that takes', async () => {
    const { id } = await videos.uploaded(clip);
    await triedBefore(id, { outages: 4 });
    const tries = watchTries();
    let notes = 0;
    account.faults.s3 = (request) => putsSegment(0)(request) || (notesDelay(request) && ++notes <= 2);
    let called = 0;
    account.faults.invocation = async () => {
      called += 1;
      if (called === 2) await triedBefore(id, { outages: 4 }); // of anything else it would be the last try
    };
    await videos.prewarmed();
    expect([tries, notes]).toEqual([{ 0: 1, stills: 1 }, 3]);
    expect(called).toBeGreaterThanOrEqual(3);
    const delayed = await videos.statusOf(id);
    expect(delayed).toMatchObject({ state: 'processing', delayed: { code: 'STORE_UNAVAILABLE' } });
    expect(delayed.error).toBeUndefined();

    account.faults.s3 = () => false;
    await resumed(id);
    await videos.prewarmed();
    await expectReady(id);
  });
});

test.each([
  ['a list of work', '.work.json', 5],
  ['the queue', `/${QUEUE_KEY}`, 20],
])('a store that does not give %s at once fails nothing', async (_, key, most) => {
  const { id } = await videos.uploaded(clip);
  let requests = 0;
  account.faults.s3 = (request) =>
    request.method === 'GET' &&
    isBy('transcode')(request) &&
    request.url!.includes(key) &&
    ++requests <= most;
  await videos.prewarmed();
  expect(requests).toBeGreaterThan(most);
  await expectReady(id);
});

test('a video that is planned anew is delayed as well, and its next revision becomes the current one', async () => {
  const { id } = await videos.uploaded(clip);
  await videos.prewarmed();
  const OLD = '0123456789';
  const { rev } = await asOfAnotherRevision(id, OLD);
  const reply = await account.functions.maintenance.invoke({ command: 'replan', id });
  expect(reply).toMatchObject({ payload: { replanned: [{ id, outcome: 'planned', rev }] } });

  await triedBefore(id, { outages: 4 });
  account.faults.s3 = putsSegment(0);
  await videos.prewarmed();
  expect((await videos.jsonAt<{ current: string }>(revisionsKey(id))).current).toBe(OLD);
  expect(await videos.statusOf(id)).toMatchObject({ state: 'ready' });

  account.faults.s3 = () => false;
  await resumed(id);
  await videos.prewarmed();
  expect((await videos.jsonAt<{ current: string }>(revisionsKey(id))).current).toBe(rev);
  await expectReady(id);

  /** Rewrites what is stored as if it had been planned otherwise; of that, nothing is made. */
  async function asOfAnotherRevision(of: string, old: string) {
    const [plan, revisions] = [
      await videos.planOf(of),
      await videos.jsonAt<{ current: string }>(revisionsKey(of)),
    ];
    const ready = await videos.jsonAt<object>(readyKey(of, plan.rev));
    await videos.put(planKey(of, old), JSON.stringify({ ...plannedBy(plan, FIRST_RECIPE), rev: old }));
    await videos.put(readyKey(of, old), JSON.stringify(ready));
    await videos.put(revisionsKey(of), JSON.stringify({ ...revisions, current: old }));
    const made = [...(await videos.stored('media', revPrefix(of, plan.rev))).keys()];
    await videos.remove([planKey(of, plan.rev), readyKey(of, plan.rev), ...made]);
    return plan;
  }
});

describe('a chunk that a healthy ffmpeg does not make', () => {
  /** A build that gives up on the second chunk of every film. */
  async function givesUp(bin: string): Promise<void> {
    const ffmpeg = join(bin, 'ffmpeg');
    await rename(ffmpeg, `${ffmpeg}-whole`);
    const script = `#!/bin/sh
case "$*" in *'-segment_start_number 10 '*) echo 'Conversion failed!' >&2; exit 1;; esac
exec "$0-whole" "$@"
`;
    await writeFile(ffmpeg, script, { mode: 0o755 });
  }

  test('fails the video visibly after three tries; tried again by the schedule, it is ready when it can be made', async () => {
    await account.deployLayer(givesUp);
    const { id } = await videos.uploaded(scene);
    const [tries, printed] = [watchTries(), watchWorkers()];
    await videos.prewarmed();
    expect(tries).toEqual({ 0: 1, 10: 3, stills: 2 });
    const failed = await videos.statusOf(id);
    expect(failed).toMatchObject({ state: 'failed', playable: true, error: { code: 'ENCODING_FAILED' } });
    expect(failed.delayed).toBeUndefined();
    expect(metricsIn(printed())).toContain('VideosFailed by service');
    expect(printed()).toContain('Conversion failed!');

    await resumed(id);
    await triedBefore(id, { failures: 2 });
    await videos.prewarmed();
    expect(await videos.statusOf(id)).toMatchObject({ state: 'failed', error: { code: 'ENCODING_FAILED' } });
    expect(await videos.jsonAt(delayKey(id))).toMatchObject({ code: 'ENCODING_FAILED', failures: 2 });

    await account.deployLayer();
    await resumed(id);
    await videos.prewarmed();
    await expectReady(id);
    expect(tries).toEqual({ 0: 1, 10: 3 + 1 + 1, stills: 2 });
  });

  test('is tried again at an operator’s command, as the runbook says, when its time has come', async () => {
    await account.deployLayer(givesUp);
    const { id } = await videos.uploaded(scene);
    await triedBefore(id, { failures: 2 });
    await videos.prewarmed();
    expect(await videos.statusOf(id)).toMatchObject({ state: 'failed' });

    await account.deployLayer();
    const resume = () => account.functions.maintenance.invoke({ command: 'resume' });
    await waited(id, { isOver: false });
    expect(await resume()).toEqual({ payload: { resumed: [] } });
    await waited(id);
    expect(await resume()).toEqual({ payload: { resumed: [id] } });
    await videos.prewarmed();
    await expectReady(id);
  });
});

describe('a worker', () => {
  test('whose function is killed in the middle of a chunk is called again by the state machine', async () => {
    const { id } = await videos.uploaded(scene);
    const printed = watchWorkers();
    let [isKilled, calls] = [false, 0];
    account.faults.invocation = () => void (calls += 1);
    account.faults.s3 = (request) => {
      if (isKilled || !putsSegment(15)(request)) return false;
      isKilled = true;
      account.functions.transcode.running()[0]!.kill();
      return false;
    };
    const executions = account.executions.length;
    await videos.prewarmed();
    expect(isKilled).toBe(true);
    expect(calls).toBeGreaterThanOrEqual(2); // and then as often as a pause is over
    expect(account.executions).toHaveLength(executions);
    await expectReady(id);
    expect(metricsIn(printed())).toContain('VideosReady by service');
    expect(metricsIn(printed())).not.toContain('VideosFailed by service');
    expect(metricsIn(printed())).not.toContain('VideosDelayed by service');
  });

  test('whose time is up keeps what is whole of a chunk, and is called again for the rest', async () => {
    await account.deployLayer(takesItsTime);
    // An encoder looks two seconds ahead in this one, rather than twenty.
    const { id } = await videos.uploaded(await filmOf(40, directory.path, 20));
    let calls = 0;
    account.faults.invocation = () => void (calls += 1);
    const asked: string[][] = [];
    account.faults.sandbox = (name, { links }) => {
      const segments = Object.keys(links.segments ?? {});
      if (name.includes('PrewarmSandbox') && segments.includes('480p/19')) asked.push(segments);
    };
    const printed = watchWorkers();
    const working = videos.prewarmed();
    await untilWritten('00014.ts');
    const { transcode, prewarmSandbox } = account.functions;
    transcode.running()[0]!.hurry(67);
    prewarmSandbox.running().forEach((each) => each.hurry(62));
    await working;
    const [first, then] = asked.map((names) => names.filter((name) => name.startsWith('480p/')));
    expect(asked.length).toBeGreaterThanOrEqual(2); // more, where it takes longer to store what is whole
    expect([first![0], first!.length]).toEqual(['480p/10', 10]);
    expect(then!.length).toBeLessThan(10);
    expect(calls).toBeGreaterThanOrEqual(2);
    await expectReady(id);
    expect(metricsIn(printed())).not.toContain('VideosDelayed by service');
    await account.deployLayer();

    /** A build that encodes the second chunk of every film in the time that it takes to watch it. */
    async function takesItsTime(bin: string): Promise<void> {
      const ffmpeg = join(bin, 'ffmpeg');
      await rename(ffmpeg, `${ffmpeg}-whole`);
      const script = `#!/bin/sh
case "$*" in *'-segment_start_number 1'*) exec "$0-whole" -re "$@";; esac
exec "$0-whole" "$@"
`;
      await writeFile(ffmpeg, script, { mode: 0o755 });
    }

    /** By an encoder of the prewarm. */
    async function untilWritten(name: string): Promise<void> {
      const folder = join(directory.path, 'tmp', 'prewarmSandbox');
      while (!(await readdir(folder, { recursive: true })).some((path) => path.endsWith(`/${name}`))) {
        await sleep(100);
      }
    }
  });

  test('that was called and never came is replaced when it has been silent for too long; it does nothing when it comes late', async () => {
    const { id } = await videos.uploaded(clip);
    const lost = account.executions.at(-1)!;
    const executions = account.executions.length;
    expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]);
    expect(account.executions).toHaveLength(executions); // it is trusted to come

    await silentForLong();
    expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]);
    expect(account.executions).toHaveLength(executions + 1);
    const tries = watchTries();
    expect(await lost.run()).toMatchObject({ status: 'SUCCEEDED' });
    expect([tries, await queued()]).toEqual([{}, [id]]);
    await videos.prewarmed();
    await expectReady(id);
  });

  test('whose execution ends in the middle of its work is replaced, and the rest of its chunks is made', async () => {
    const { id } = await videos.uploaded(scene);
    const executions = account.executions.length;
    account.faults.s3 = (request) => {
      if (!putsSegment(15)(request)) return false;
      account.faults.s3 = () => false;
      account.faults.invocation = () => {
        throw new ServiceError('Runtime.ImportModuleError', 'Cannot find module');
      };
      const { transcode, prewarmSandbox } = account.functions;
      for (const each of [...transcode.running(), ...prewarmSandbox.running()]) each.kill();
      return false;
    };
    expect(await account.prewarmed()).toMatchObject([
      { status: 'FAILED', error: 'Runtime.ImportModuleError' },
    ]);
    allIsWell();
    expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]);
    expect(account.executions).toHaveLength(executions);
    expect(await videos.statusOf(id)).toMatchObject({ state: 'processing' });

    await silentForLong();
    expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]);
    expect(account.executions).toHaveLength(executions + 1);
    const tries = watchTries();
    await videos.prewarmed();
    expect(tries['10']).toBe(1);
    await expectReady(id);
  });

  test('whose execution somebody ends does its call to its end, and is replaced then', async () => {
    const { id } = await videos.uploaded(scene);
    const execution = account.executions.at(-1)!;
    const before = account.executions.length;
    const { transcode } = account.functions;
    account.faults.s3 = (request) => {
      if (!putsSegment(0)(request)) return false;
      account.faults.s3 = () => false;
      transcode.running()[0]!.hurry(67); // and it is not called again
      execution.abort();
      return false;
    };
    expect(await account.prewarmed()).toEqual([{ status: 'ABORTED' }]);
    while (transcode.running().length > 0) await sleep(100);
    expect(await queued()).toEqual([id]);
    expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]);
    expect(account.executions).toHaveLength(before); // it is trusted to be called again

    await silentForLong();
    expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]);
    expect(account.executions).toHaveLength(before + 1);
    await videos.prewarmed();
    await expectReady(id);
  });

  test('that loses sight of the queue in the middle of its work, again and again, fails nothing', async () => {
    const { id } = await videos.uploaded(clip);
    let [calls, awayUntil] = [0, 0];
    const chunks: Promise<void>[] = [];
    account.faults.invocation = () => {
      [calls, awayUntil] = [calls + 1, 0];
    };
    account.faults.sandbox = async (name) => {
      if (!name.includes('PrewarmSandbox') || calls > 4) return;
      awayUntil = performance.now() + 5000;
      const chunk = sleep(5000); // as long as the queue is away
      chunks.push(chunk);
      await chunk;
    };
    account.faults.s3 = (request) =>
      performance.now() < awayUntil && isBy('transcode')(request) && request.url!.includes(`/${QUEUE_KEY}`);
    await videos.prewarmed();
    await Promise.all(chunks);
    await expectReady(id);
  });

  test('goes on when a sandbox is killed: that only costs its chunk', async () => {
    const { id } = await videos.uploaded(scene);
    const [tries, printed] = [watchTries(), watchWorkers()];
    let isKilled = false;
    account.faults.s3 = (request) => {
      if (isKilled || !putsSegment(15)(request)) return false;
      isKilled = true;
      const isAtIt = ({ event }: { event: unknown }) => firstOf(event as Json) === 10;
      account.functions.prewarmSandbox.running().find(isAtIt)!.kill();
      return false;
    };
    await videos.prewarmed();
    expect(isKilled).toBe(true);
    expect(tries).toEqual({ 0: 1, 10: 2, stills: 2 });
    await expectReady(id);
    expect(metricsIn(printed())).not.toContain('VideosDelayed by service');
  });

  test('never has more made at once than it has lanes, and a clip that comes last does not wait for films', async () => {
    const films = [await videos.uploaded(film), await videos.uploaded(film)];
    let short: { id: string } | undefined;
    let coming: Promise<void> | undefined;
    const atOnce: number[] = [];
    const askedFor: string[] = [];
    const clipAtChunk: Promise<Json>[] = [];
    // Not until all of it is ingested: a sandbox that is silent for that long would be given up.
    const queuedClip = async () => {
      const video = await videos.upload(clip);
      while (!(await videos.isQueued(video.id))) await sleep(50);
      return video;
    };
    account.faults.sandbox = async (name, request) => {
      if (!name.includes('PrewarmSandbox')) return;
      // The lanes are taken before the clip comes.
      coming ??= queuedClip().then((video) => void (short = video));
      if (!short) await coming;
      if (request.links.id !== short!.id && request.task.kind === 'segments') {
        clipAtChunk.push(videos.statusOf(short!.id));
      }
      atOnce.push(account.functions.prewarmSandbox.running().length + 1);
      askedFor.push(request.links.id);
    };
    await videos.prewarmed();
    expect(await account.ingested()).toEqual([{ payload: null }]);
    expect(Math.max(...atOnce)).toBe(3);
    // After those that had the lanes before it came, its chunk and its pictures; but each fourth turn is the oldest's.
    expect(askedFor.slice(0, 4)).not.toContain(short!.id);
    expect(askedFor.slice(4, 6)).toEqual([short!.id, short!.id]);
    for (const { id } of [...films, short!]) await expectReady(id);
    const states = (await Promise.all(clipAtChunk)).map(({ state }) => state as string);
    expect(states).toHaveLength(8);
    expect(states[0]).toBe('processing');
    expect(states.at(-1)).toBe('ready');
  });
});

// Executions that were begun before an update call the functions of after it.
test.each<[string, (id: string, rev: string) => Promise<unknown[]>]>([
  ['each item of a list', (id, rev) => videos.jsonAt(workKey(id, rev))],
  ['a list', async (id, rev) => [{ id, rev, bucket: account.buckets.media, workKey: workKey(id, rev) }]],
])('`transcode` queues what an execution of before calls it with: %s', async (_, eventsOf) => {
  const { id } = await videos.uploaded(clip);
  const { rev } = await videos.planOf(id);
  await videos.remove([QUEUE_KEY]); // there was none
  const executions = account.executions.length;
  const { transcode } = account.functions;
  for (const event of await eventsOf(id, rev)) {
    expect(await transcode.invoke(event)).toEqual({ payload: { more: false } });
    expect(await queued()).toEqual([id]);
    const deleted = { ...(event as object), id: newVideoId(new Date()) };
    expect(await transcode.invoke(deleted)).toEqual({ payload: { more: false } });
    expect(await queued()).toEqual([id]);
  }
  expect(account.executions).toHaveLength(executions);
  expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]);
  expect(account.executions).toHaveLength(executions + 1);
  await videos.prewarmed();
  await expectReady(id);
});

describe('a layer whose', () => {
  const chmodAll = async (bin: string, mode: number): Promise<void> => {
    for (const name of ['ffmpeg', 'ffprobe']) await chmod(join(bin, name), mode);
  };
  /** Rewrites what the binaries say they are for (`e_machine` of ELF). */
  async function ofAnotherArchitecture(bin: string): Promise<void> {
    const [X86_64, AARCH64] = [62, 183];
    for (const name of ['ffmpeg', 'ffprobe']) {
      const file = await open(join(bin, name), 'r+');
      await file.write(Uint8Array.of(process.arch === 'arm64' ? X86_64 : AARCH64, 0), 0, 2, 18);
      await file.close();
    }
  }
  afterEach(() => account.deployLayer());

  test.each<[string, string, (bin: string) => Promise<void>]>([
    ['ffprobe is missing', 'ffprobe', (bin) => rm(join(bin, 'ffprobe'))],
    ['ffmpeg is missing', 'ffmpeg', (bin) => rm(join(bin, 'ffmpeg'))],
    ['binaries may not be executed', 'ff', (bin) => chmodAll(bin, 0o644)],
    ['binaries are for another architecture', 'ff', ofAnotherArchitecture],
  ])('%s refuses no upload: it is delayed until there is the right one', async (_, name, change) => {
    await account.deployLayer(change);
    const before = account.functions.ingest.output().length;
    const video = await videos.uploaded(clip);
    const { id } = video;
    expect(await queued()).toEqual([]);
    const delayed = await videos.statusOf(id);
    expect(delayed).toMatchObject({
      ...{ state: 'processing', playable: false },
      delayed: { code: 'TOOL_UNAVAILABLE' },
    });
    expect(delayed.error).toBeUndefined();
    const log = account.functions.ingest.output().slice(before);
    expect(log).toContain(`try of ${join(directory.path, 'opt', 'bin', name)}`);
    expect(metricsIn(log)).toContain('VideosDelayed by service');

    for (const path of ['master.m3u8', 'poster.jpg']) {
      const asked = await account.watch(new URL(path, video.playbackUrl).href);
      expect(asked).toMatchObject({ status: 503, headers: { 'cache-control': 'no-store' } });
      expect(JSON.parse(asked.body.toString())).toMatchObject({ code: 'TOOL_UNAVAILABLE' });
    }
    expect([...(await videos.stored('media', videoPrefix(id))).keys()]).toEqual([]);

    await account.deployLayer();
    await resumed(id);
    await videos.prewarmed();
    await expectReady(id);
  });

  test('ffmpeg goes missing when a video is planned makes no empty picture and no empty segment', async () => {
    const video = await videos.uploaded(clip);
    const { id } = video;
    const made = await videos.stored('media', videoPrefix(id));
    const pictures = [...made.keys()].filter((key) => key.endsWith('.jpg'));
    expect(pictures.length).toBeGreaterThan(0);
    await videos.remove(pictures);

    await account.deployLayer((bin) => rm(join(bin, 'ffmpeg')));
    await triedBefore(id, { outages: 4 });
    const tries = watchTries();
    await videos.prewarmed();
    expect(tries).toEqual({ 0: 1, stills: 1 });
    expect(await videos.statusOf(id)).toMatchObject({
      ...{ state: 'processing', playable: true },
      delayed: { code: 'TOOL_UNAVAILABLE' },
    });
    for (const url of [new URL('poster.jpg', video.playbackUrl).href, ...(await missingOf(video))]) {
      // The track of the storyboard follows from the plan.
      expect([url, (await account.watch(url)).status]).toEqual([url, url.endsWith('.vtt') ? 200 : 503]);
    }
    const kept = [...(await videos.stored('media', videoPrefix(id))).keys()];
    expect(kept.filter((key) => !made.has(key) && !key.endsWith('.vtt'))).toEqual([]);

    await account.deployLayer();
    await resumed(id);
    await videos.prewarmed();
    await expectReady(id);
    const stored = [...(await videos.stored('media', videoPrefix(id)))];
    for (const [key, bytes] of stored) {
      expect(parseArtifactKey(key)).toBeDefined();
      expect(bytes.length).toBeGreaterThan(0);
      if (key.endsWith('.jpg')) expect(isWholeJpeg(bytes)).toBe(true);
    }
  });
});

describe('an upload that is announced while the store', () => {
  const readsSource = (request: IncomingMessage): boolean =>
    request.method === 'GET' && /\/source(\?|$)/.test(request.url!) && isBy('ingest')(request);

  test('does not give the file is delayed, and the event is done with', async () => {
    account.faults.s3 = readsSource;
    const { id } = await videos.uploaded(clip); // `ingest` ends without an error
    expect(await queued()).toEqual([]);
    const delayed = await videos.statusOf(id);
    expect(delayed).toMatchObject({ state: 'processing', delayed: { code: 'STORE_UNAVAILABLE' } });
    expect(delayed.error).toBeUndefined();

    account.faults.s3 = () => false;
    await resumed(id);
    await videos.prewarmed();
    await expectReady(id);
  });

  test('takes no word of it either is announced again by Lambda, as `ingest` ends in an error', async () => {
    account.faults.s3 = (request) => readsSource(request) || notesDelay(request);
    const { id } = await videos.upload(clip);
    expect(await account.ingested()).toMatchObject([{ error: { errorType: 'STORE_UNAVAILABLE' } }]);
    expect((await videos.statusOf(id)).delayed).toBeUndefined();

    account.faults.s3 = () => false;
    expect(await account.invokeIngest(account.events.at(-1)!)).toEqual({ payload: null });
    expect(await queued()).toEqual([id]);
    await videos.prewarmed();
    await expectReady(id);
  });
});
