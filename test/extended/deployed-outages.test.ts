// What the store, the layer and ffmpeg do to videos in the cloud, and how these come right by themselves: by the state
// machine's patience, and by the schedule that takes up what that was not enough for.

import { chmod, open, rename, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { artifactKey, parseArtifactKey, revPrefix } from '../../core/artifacts/artifacts.ts';
import { delayKey, planKey, readyKey, revisionsKey, videoPrefix } from '../../core/artifacts/keys.ts';
import { isWholeJpeg } from '../../core/formats/jpeg.ts';
import { FIRST_RECIPE } from '../../core/recipes/first.ts';
import type { Delay } from '../../core/records/delay.ts';
import { prewarmedArtifacts } from '../../core/work/work.ts';
import { temporaryDirectory } from '../support/media.ts';
import { openAccount } from '../support/account/account.ts';
import type { Account } from '../support/account/account.ts';
import { sessionOf } from '../support/account/permissions.ts';
import { ServiceError } from '../support/account/state-machine.ts';
import { filmOf, firstOf, metricsIn, putsSegment, videosIn } from '../support/account/videos.ts';
import { plannedBy } from '../support/old-plan.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let account: Account;
let videos: ReturnType<typeof videosIn>;
/** Two chunks. */
let scene: Buffer;
/** One. */
let clip: Buffer;

beforeAll(async () => {
  directory = await temporaryDirectory();
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
  // Every video has come right in the end, and nobody waits.
  expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]);
});

function allIsWell(): void {
  account.faults.invocation = () => undefined;
  account.faults.s3 = () => false;
}

/** As if a delayed video had waited long enough. */
async function waited(id: string): Promise<void> {
  const delay = await videos.jsonAt<Delay>(delayKey(id));
  await videos.put(delayKey(id), JSON.stringify({ ...delay, retryAt: new Date(0).toISOString() }));
}

/** The schedule takes the video up, and it alone: the execution that is started then. */
async function resumed(id: string) {
  const before = videos.executionsOf(id).length;
  await waited(id);
  expect(await account.minutesPass()).toEqual([{ payload: { resumed: [id] } }]);
  expect(await account.minutesPass()).toEqual([{ payload: { resumed: [] } }]); // somebody is at it
  const [execution, ...others] = videos.executionsOf(id).slice(before);
  expect(others).toEqual([]);
  expect(execution?.name.startsWith(`${id}-`)).toBe(true);
  return execution!;
}

/** What the state machine calls from now on: `transcode` with which segments first, `finish` with which outcomes. */
function watchCalls(): { chunks: Record<string, number>; outcomes: string[][] } {
  const calls = { chunks: {} as Record<string, number>, outcomes: [] as string[][] };
  account.faults.invocation = (name, payload) => {
    if (!name.includes('Transcode')) return void calls.outcomes.push(payload.outcomes);
    const first = firstOf(payload);
    calls.chunks[first] = (calls.chunks[first] ?? 0) + 1;
  };
  return calls;
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

describe('a store that refuses what a chunk has made', () => {
  test('for longer than the state machine is patient, delays the video until the schedule finds it well again', async () => {
    const { video, execution } = await videos.uploaded(scene);
    const { id } = video;
    const calls = watchCalls();
    account.faults.s3 = putsSegment(19);
    expect(await execution.run()).toMatchObject({ status: 'SUCCEEDED' });
    expect(calls).toEqual({
      chunks: { 0: 1, 10: 1 + 10, stills: 1 },
      outcomes: [['done', 'STORE_UNAVAILABLE']],
    });
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
    expect(metricsIn(account.functions.finish.output())).toContain('VideosDelayed by service');
    expect(metricsIn(account.functions.finish.output())).not.toContain('VideosFailed by service');

    // It is not over yet.
    const second = await resumed(id);
    expect((await videos.statusOf(id)).delayed).toBeUndefined();
    expect(await second.run()).toMatchObject({ status: 'SUCCEEDED' });
    const again = await videos.statusOf(id);
    expect(again).toMatchObject({ state: 'processing', delayed: { code: 'STORE_UNAVAILABLE', since } });
    expect(await videos.jsonAt(delayKey(id))).toMatchObject({ failures: 2, triedUntil: null });

    account.faults.s3 = () => false;
    const third = await resumed(id);
    expect(await third.run()).toMatchObject({ status: 'SUCCEEDED' });
    expect(calls.outcomes.at(-1)).toEqual(['done']);
    await expectReady(id);
    expect(new Set([execution, second, third].map(({ name }) => name)).size).toBe(3);
  });

  test('is made up for by viewers: the last piece that they have made makes the video ready', async () => {
    const { video, execution } = await videos.uploaded(scene);
    account.faults.s3 = putsSegment(19);
    expect(await execution.run()).toMatchObject({ status: 'SUCCEEDED' });
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

  test('and then that it was refused, is heard of when it listens again', async () => {
    const { video, execution } = await videos.uploaded(clip);
    const calls = watchCalls();
    const { invocation } = account.faults;
    account.faults.s3 = isBy('transcode', 'finish');
    account.faults.invocation = (name, payload) => {
      if (calls.outcomes.length === 20) account.faults.s3 = () => false;
      return invocation(name, payload);
    };
    expect(await execution.run()).toMatchObject({ status: 'SUCCEEDED' });
    expect(calls.chunks).toEqual({ 0: 11, stills: 11 });
    expect(calls.outcomes).toEqual(Array.from({ length: 21 }, () => ['STORE_UNAVAILABLE']));
    const delayed = await videos.statusOf(video.id);
    expect(delayed).toMatchObject({ state: 'processing', delayed: { code: 'STORE_UNAVAILABLE' } });
    expect(delayed.error).toBeUndefined();

    expect(await (await resumed(video.id)).run()).toMatchObject({ status: 'SUCCEEDED' });
    await expectReady(video.id);
  });
});

test('a store that does not give a list of work at once fails nothing', async () => {
  const { video, execution } = await videos.uploaded(clip);
  let refusals = 0;
  account.faults.s3 = ({ url = '' }) => url.includes('.work.json') && ++refusals <= 5;
  expect(await execution.run()).toMatchObject({ status: 'SUCCEEDED' });
  expect(refusals).toBe(6);
  await expectReady(video.id);
});

test('a video that is planned anew is delayed as well, and its next revision becomes the current one', async () => {
  const { video, execution } = await videos.uploaded(clip);
  const { id } = video;
  expect(await execution.run()).toMatchObject({ status: 'SUCCEEDED' });
  const OLD = '0123456789';
  const { rev } = await asOfAnotherRevision(id, OLD);
  const reply = await account.functions.maintenance.invoke({ command: 'replan', id });
  expect(reply).toMatchObject({ payload: { replanned: [{ id, outcome: 'planned', rev }] } });

  account.faults.s3 = putsSegment(0);
  expect(await videos.executionsOf(id).at(-1)!.run()).toMatchObject({ status: 'SUCCEEDED' });
  expect((await videos.jsonAt<{ current: string }>(revisionsKey(id))).current).toBe(OLD);
  expect(await videos.statusOf(id)).toMatchObject({ state: 'ready' });

  account.faults.s3 = () => false;
  expect(await (await resumed(id)).run()).toMatchObject({ status: 'SUCCEEDED' });
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

  test('fails the execution and the video visibly; tried again by the schedule, it is ready when it can be made', async () => {
    await account.deployLayer(givesUp);
    const { video, execution } = await videos.uploaded(scene);
    const { id } = video;
    const calls = watchCalls();
    expect(await execution.run()).toMatchObject({ status: 'FAILED', error: 'ChunksFailed' });
    expect(calls).toEqual({ chunks: { 0: 1, 10: 3, stills: 1 }, outcomes: [['done', 'failed']] });
    const failed = await videos.statusOf(id);
    expect(failed).toMatchObject({ state: 'failed', playable: true, error: { code: 'ENCODING_FAILED' } });
    expect(failed.delayed).toBeUndefined();
    expect(metricsIn(account.functions.finish.output())).toContain('VideosFailed by service');

    expect(await (await resumed(id)).run()).toMatchObject({ status: 'FAILED', error: 'ChunksFailed' });
    expect(await videos.statusOf(id)).toMatchObject({ state: 'failed', error: { code: 'ENCODING_FAILED' } });
    expect(await videos.jsonAt(delayKey(id))).toMatchObject({ code: 'ENCODING_FAILED', failures: 2 });

    await account.deployLayer();
    expect(await (await resumed(id)).run()).toMatchObject({ status: 'SUCCEEDED' });
    await expectReady(id);
  });

  test('is made when the list is run again by hand, as the runbook says; then nothing waits', async () => {
    const { video, execution } = await videos.uploaded(clip);
    account.faults.invocation = (name) => {
      if (name.includes('Transcode')) throw new ServiceError('FfmpegError', 'segments 0 to 1: exited with 1');
    };
    expect(await execution.run()).toMatchObject({ status: 'FAILED', error: 'ChunksFailed' });
    expect(await videos.statusOf(video.id)).toMatchObject({ state: 'failed' });

    allIsWell();
    const again = account.startAgain(execution, 'again');
    expect(await again.run()).toMatchObject({ status: 'SUCCEEDED' });
    await expectReady(video.id);
  });
});

// Executions that were begun before an update call the functions of after it.
test.each([
  ['a revision', true],
  ['no revision', false],
])('`finish` understands what an execution of before outcomes tells it of %s', async (_, namesRevision) => {
  const { video, execution } = await videos.uploaded(clip);
  const { id, rev, workKey } = execution.input;
  const tell = (failed: boolean) =>
    account.functions.finish.invoke({ id, ...(namesRevision ? { rev } : {}), failed });
  expect(await tell(true)).toEqual({ payload: null });
  expect(await videos.statusOf(video.id)).toMatchObject({
    state: 'failed',
    error: { code: 'ENCODING_FAILED' },
  });
  expect(await tell(false)).toMatchObject({ error: { errorMessage: expect.stringContaining('is missing') } });

  for (const item of await videos.jsonAt<unknown[]>(workKey)) {
    expect(await account.functions.transcode.invoke(item)).toEqual({ payload: null });
  }
  expect(await tell(false)).toEqual({ payload: null });
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
    const { video, execution } = await videos.uploaded(clip);
    const { id } = video;
    expect(execution).toBeUndefined();
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
    expect(await (await resumed(id)).run()).toMatchObject({ status: 'SUCCEEDED' });
    await expectReady(id);
  });

  test('ffmpeg goes missing when a video is planned makes no empty picture and no empty segment', async () => {
    const { video, execution } = await videos.uploaded(clip);
    const { id } = video;
    const made = await videos.stored('media', videoPrefix(id));
    const pictures = [...made.keys()].filter((key) => key.endsWith('.jpg'));
    expect(pictures.length).toBeGreaterThan(0);
    await videos.remove(pictures);

    await account.deployLayer((bin) => rm(join(bin, 'ffmpeg')));
    const calls = watchCalls();
    expect(await execution.run()).toMatchObject({ status: 'SUCCEEDED' });
    expect(calls).toEqual({ chunks: { 0: 11, stills: 11 }, outcomes: [['TOOL_UNAVAILABLE']] });
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
    expect(await (await resumed(id)).run()).toMatchObject({ status: 'SUCCEEDED' });
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
  const notesDelay = ({ method, url = '' }: IncomingMessage): boolean =>
    method === 'PUT' && url.includes('/plans/delayed/');

  test('does not give the file is delayed, and the event is done with', async () => {
    account.faults.s3 = readsSource;
    const { video, execution } = await videos.uploaded(clip); // `ingest` ends without an error
    expect(execution).toBeUndefined();
    const delayed = await videos.statusOf(video.id);
    expect(delayed).toMatchObject({ state: 'processing', delayed: { code: 'STORE_UNAVAILABLE' } });
    expect(delayed.error).toBeUndefined();

    account.faults.s3 = () => false;
    expect(await (await resumed(video.id)).run()).toMatchObject({ status: 'SUCCEEDED' });
    await expectReady(video.id);
  });

  test('takes no word of it either is announced again by Lambda, as `ingest` ends in an error', async () => {
    account.faults.s3 = (request) => readsSource(request) || notesDelay(request);
    const { id } = await videos.upload(clip);
    expect(await account.ingested()).toMatchObject([{ error: { errorType: 'STORE_UNAVAILABLE' } }]);
    expect((await videos.statusOf(id)).delayed).toBeUndefined();

    account.faults.s3 = () => false;
    expect(await account.invokeIngest(account.events.at(-1)!)).toEqual({ payload: null });
    expect(await videos.executionsOf(id)[0]!.run()).toMatchObject({ status: 'SUCCEEDED' });
    await expectReady(id);
  });
});
