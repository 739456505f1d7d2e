// The bundles that will run, run: every function of the synthesised assembly as Lambda would start it, and the
// synthesised state machine over them. Whatever goes wrong on the way, what comes out equals what `npm start` makes.

import { renditionsOf } from '../../core/plan/plan.ts';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  QUEUE_KEY,
  cardKey,
  firstMezzanineKey,
  firstPlanKey,
  firstReadyKey,
  mezzanineKey,
  mezzaninePrefix,
  newVideoId,
  planKey,
  readyKey,
  revisionsKey,
  revisionsPrefix,
  sourceKey,
  videoPrefix,
  workKey,
} from '../../core/artifacts/keys.ts';
import { parseArtifactKey, revPrefix } from '../../core/artifacts/artifacts.ts';
import { formatByExtension } from '../../core/formats/formats.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { FIRST_RECIPE } from '../../core/recipes/first.ts';
import { PRESENT_RECIPE } from '../../core/recipes/present.ts';
import type { Queue } from '../../core/records/queue.ts';
import type { Revisions } from '../../core/records/revisions.ts';
import type { Call } from '../../core/work/admission.ts';
import { derive } from '../../pipeline/derive/derive.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import { enqueue } from '../../pipeline/prewarm/queue.ts';
import { workOff } from '../../pipeline/prewarm/worker.ts';
import { currentPlanOf } from '../../pipeline/revisions/revisions.ts';
import { edge } from '../support/edge.ts';
import { putCard } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { planOfFirstRelease } from '../support/old-plan.ts';
import { worldIn } from '../support/world.ts';
import { openAccount } from '../support/account/account.ts';
import type { Account } from '../support/account/account.ts';
import { ServiceError } from '../support/account/state-machine.ts';
import { OWNER, filmOf, firstOf, metricsIn, putsSegment, videosIn } from '../support/account/videos.ts';
import type { Json } from '../lib/support/variants.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let account: Account;
let videos: ReturnType<typeof videosIn>;
/** Three chunks. */
let film: Buffer;
/** One. */
let clip: Buffer;

beforeAll(async () => {
  directory = await temporaryDirectory();
  film = await filmOf(70, directory.path);
  clip = await filmOf(6, directory.path);
  account = await openAccount(directory.path);
  videos = videosIn(account);
});
afterAll(async () => {
  await account?.close();
  await directory.remove();
});
afterEach(() => {
  // Permissions are written by hand, key by key: nobody lacks one.
  expect(account.denied).toEqual([]);
  account.faults.invocation = () => undefined;
  account.faults.sandbox = () => undefined;
  account.faults.s3 = () => false;
});

test('the key is asked for, and an upload carries what was announced and nothing else', async () => {
  const request = { method: 'GET', path: '/api/videos?limit=1' };
  expect(await account.api(request)).toMatchObject({ status: 401 });
  expect(await account.api({ ...request, headers: { Authorization: 'Bearer wrong' } })).toMatchObject({
    status: 403,
  });
  expect(await account.api({ ...request, headers: OWNER })).toMatchObject({
    status: 200,
    body: { videos: [] },
  });
  expect(await account.api({ method: 'POST', path: '/api/videos' })).toMatchObject({ status: 404 });

  const announced = account.events.length;
  expect(await videos.upload(clip, film)).toMatchObject({ put: 403 });
  expect(account.events).toHaveLength(announced);
});

test('an upload becomes ready, though a worker is throttled, one fails and one dies; the result is that of npm start', async () => {
  const video = await videos.uploaded(film);
  const { id } = video;
  expect(video.playbackUrl).toBe(`https://d111111abcdef8.cloudfront.net/v/${id}/master.m3u8`);

  // S3 announces at least once.
  await account.invokeIngest(account.events.at(-1)!);
  expect(account.executions).toHaveLength(1);
  expect(await videos.isQueued(id)).toBe(true);

  // A viewer is there before anything is prewarmed, and seeks.
  expect(await videos.statusOf(id)).toMatchObject({ state: 'processing', playable: true });
  const master = await account.watch(video.playbackUrl);
  expect(master).toMatchObject({ status: 200, from: 'bucket' });
  const variant = master.body
    .toString()
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .at(-1)!;
  const playlistUrl = new URL(variant, video.playbackUrl).href;
  const playlist = await account.watch(playlistUrl);
  expect(playlist).toMatchObject({ status: 200, from: 'bucket' });
  const names = playlist.body
    .toString()
    .split('\n')
    .filter((line) => line.endsWith('.ts'));
  expect(names).toHaveLength(35);
  const sought = new URL(names[24]!, playlistUrl).href;
  const segment = await account.watch(sought, { headers: { range: 'bytes=0-187' } });
  expect(segment).toMatchObject({
    status: 206,
    from: 'function',
    headers: { 'content-type': 'video/mp2t', 'cache-control': 'public, max-age=31536000, immutable' },
  });
  expect(segment.body).toHaveLength(188);
  expect((await account.watch(sought)).from).toBe('bucket');
  expect(await account.watch(sought.replace('/00024.', '/00035.'))).toMatchObject({
    status: 404,
    headers: { 'cache-control': 'public, max-age=60' },
  });

  const handler = await edge('video-id', { key: account.videoIdKey });
  for (const uri of [video.playbackUrl, playlistUrl, sought].map((url) => new URL(url).pathname)) {
    expect(await handler({ request: { method: 'GET', uri } })).toEqual({ method: 'GET', uri });
  }

  // All executions are taken for a while, for the worker and for those who encode.
  let throttled = 3;
  account.faults.invocation = (name) => {
    if (name.includes('Transcode') && throttled-- > 0) {
      throw new ServiceError('Lambda.TooManyRequestsException', 'Rate Exceeded.');
    }
  };
  const asked: string[] = [];
  /** The first segment of a chunk of twelve, of which only what is missing is asked for. */
  const chunkOf = (request: Json): number | 'stills' => {
    const first = firstOf(request);
    return first === 'stills' ? first : first - (first % 12);
  };
  let busy = 3;
  account.faults.sandbox = (name, request) => {
    if (!name.includes('PrewarmSandbox')) return;
    const chunk = chunkOf(request);
    const isBusy = chunk === 24 && busy-- > 0;
    asked.push(`${chunk}${isBusy ? ' in vain' : ''}`);
    if (isBusy) throw new ServiceError('TooManyRequestsException', 'Rate Exceeded.');
  };
  let dying = true;
  account.faults.s3 = (request) => {
    // However often it is tried: then its chunk fails, and is tried again.
    const failing = asked.filter((each) => each === '12').length === 1;
    if (failing && putsSegment(20)(request)) return true;
    // In the middle of its chunk: one segment is stored, this one is on its way.
    if (dying && putsSegment(26)(request)) {
      dying = false;
      account.functions.prewarmSandbox
        .running()
        .find(({ event }) => chunkOf(event as Json) === 24)!
        .kill();
    }
    return false;
  };
  await videos.prewarmed();
  const times = (what: string) => asked.filter((each) => each === what).length;
  expect([times('0'), times('12'), times('24'), times('24 in vain')]).toEqual([1, 2, 2, 3]);
  expect(await videos.isQueued(id)).toBe(false);

  const ready = await videos.statusOf(id);
  expect(ready).toMatchObject({
    state: 'ready',
    progress: 1,
    durationSeconds: 70,
    cost: { isEstimate: true },
  });
  expect(ready.error).toBeUndefined();
  expect(await account.watch(video.playbackUrl)).toMatchObject({ from: 'bucket', status: 200 });

  const [here, there] = [await videos.stored('media', `v/${id}/`), await madeByNpmStart(film, id)];
  expect([...here.keys()]).toEqual([...there.keys()]);
  const pictures = 2 + 1 + 3; // the revision's poster and the lasting one, track, sheets
  // Playlists and segments of three pictures and two sounds.
  expect(here.size).toBe(1 + 5 + 5 * 35 + pictures);
  // Where it is short of bits x264 decides by what its threads have done so far; and what is asked for again of a chunk is a run
  // of its own, which begins elsewhere.
  const segmentIn = (key: string) => {
    const artifact = parseArtifactKey(key)?.artifact;
    return artifact?.kind === 'segment' ? artifact : undefined;
  };
  const isExact = (key: string): boolean =>
    !key.includes('/234p/') && !key.endsWith('/master.m3u8') && (segmentIn(key)?.index ?? 0) < 12;
  const differs = (key: string): boolean => {
    const [ours, theirs] = [here.get(key)!, there.get(key)!];
    if (isExact(key)) return !ours.equals(theirs);
    const segment = segmentIn(key);
    if (!segment) return false;
    const { count } = formatByExtension(segment.extension)!;
    return count(ours) === undefined || count(ours) !== count(theirs);
  };
  expect([...here.keys()].filter(isExact).length).toBeGreaterThan(4 * 12);
  expect([...here.keys()].filter(differs)).toEqual([]);
  const [own, other] = [here, there].map((made) =>
    made
      .get(`v/${id}/master.m3u8`)!
      .toString()
      // As many bits as its segments have.
      .replaceAll(/BANDWIDTH=\d+/g, 'BANDWIDTH=…'),
  );
  expect(own).toBe(other);
  expect(here.get(`v/${id}/master.m3u8`)!.toString()).toContain('AVERAGE-BANDWIDTH=');

  const page = await account.api({ method: 'GET', path: `/watch/${id}?t=3` });
  expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=UTF-8' } });
  expect(page.body).toContain('<meta property="og:title" content="film.mp4" />');
  expect((await account.api({ method: 'GET', path: `/embed/${newVideoId(new Date())}` })).status).toBe(404);

  // What was observed goes to CloudWatch in the log lines of whoever observed it.
  expect(metricsIn(account.functions.ingest.output())).toContain('TimeToPlayable by service');
  expect(metricsIn(account.functions.origin.output())).toContain('DeriveTime by service,kind');
  expect(metricsIn(account.functions.transcode.output())).toContain('VideoSecondsPerGBSecond by service');
  expect(metricsIn(account.functions.transcode.output())).toContain('VideosReady by service');
  // Every instance has a /tmp of its own.
  const temporary = join(directory.path, 'tmp', 'sandbox');
  const left = await Promise.all((await readdir(temporary)).map((name) => readdir(join(temporary, name))));
  expect(left.length).toBeGreaterThan(0);
  expect(left.flat()).toEqual([]);

  expect((await videos.deleteVideo(id)).status).toBe(204);
  expect((await account.api({ method: 'GET', path: `/api/videos/${id}` })).status).toBe(404);
  await videos.cleaned();
  await videos.gracePasses();
  expect(await videos.keysOf(id)).toEqual([]);
});

test('a deleted video is out of reach, can be had back, and goes when its grace time is over', async () => {
  const { id, playbackUrl } = await videos.uploaded(clip);
  await videos.prewarmed();
  const { rev, renditions } = await videos.planOf(id);
  const playlist = new URL(`${rev}/${renditions[0]!.name}/index.m3u8`, playbackUrl).href;
  const before = account.forgotten.length;
  const restore = () => account.api({ method: 'POST', path: `/api/videos/${id}/restore`, headers: OWNER });
  const isPlaying = async () =>
    Promise.all([playbackUrl, playlist].map(async (url) => (await account.watch(url)).status));

  expect((await videos.deleteVideo(id)).status).toBe(204);
  await videos.cleaned();
  expect(account.forgotten.slice(before)).toEqual([`/v/${id}/*`]);
  expect(await isPlaying()).toEqual([404, 404]);
  expect((await account.api({ method: 'GET', path: `/watch/${id}` })).status).toBe(404);

  expect((await account.api({ method: 'POST', path: `/api/videos/${id}/restore` })).status).toBe(401);
  expect(await restore()).toMatchObject({ status: 200, body: { id, state: 'ready' } });
  expect(await isPlaying()).toEqual([200, 200]);
  await videos.cleaned();
  for (const reply of await account.minutesPass()) expect(reply).not.toHaveProperty('error');
  await videos.cleaned();
  expect([...(await videos.stored('media', 'tombstones/')).keys()]).toEqual([]);
  expect(await videos.statusOf(id)).toMatchObject({ state: 'ready', progress: 1 });

  expect((await videos.deleteVideo(id)).status).toBe(204);
  await videos.cleaned();
  await videos.gracePasses();
  expect(await videos.keysOf(id)).toEqual([]);
  expect(account.forgotten.slice(before)).toEqual(Array(3).fill(`/v/${id}/*`));
  expect((await restore()).status).toBe(404);
});

test('a list that cannot be read fails the video visibly', async () => {
  const { id } = await videos.uploaded(clip);
  const [list] = (await videos.jsonAt<Queue>(QUEUE_KEY)).lists;
  await videos.remove([workKey(id, list!.rev)]);
  await videos.prewarmed();
  expect(await videos.statusOf(id)).toMatchObject({ state: 'failed', error: { code: 'ENCODING_FAILED' } });
  expect((await videos.deleteVideo(id)).status).toBe(204);
  await videos.cleaned();
});

test.each([
  ['before it is taken from the queue', undefined],
  ['before its first chunk is encoded', 'PrewarmSandbox'],
])('deleted %s, a video is nobody’s failure, and leaves nothing', async (_, step) => {
  const { id } = await videos.uploaded(clip);
  let isDeleted = false;
  const deleteIt = async (): Promise<void> => {
    if (isDeleted) return;
    isDeleted = true;
    expect((await videos.deleteVideo(id)).status).toBe(204);
    await videos.cleaned();
  };
  if (step) account.faults.sandbox = (name) => (name.includes(step) ? deleteIt() : undefined);
  else await deleteIt();
  await videos.prewarmed();
  await videos.cleaned();
  await videos.gracePasses();
  expect(isDeleted).toBe(true);
  expect(await videos.keysOf(id)).toEqual([]);
  expect(await videos.isQueued(id)).toBe(false);
});

describe('a video of one plan, as it was before there were revisions', () => {
  /** Copied before it was planned: what is cut from lies at its old place as well. */
  let video: Json;
  /** Its plan as it is made now, and the revision that took this one's place in the past. */
  let plan: Plan;
  const OLD = '0123456789';
  const segmentOf = (rev: string): string =>
    new URL(`${rev}/${renditionsOf(plan, 'video')[0]!.name}/00000.ts`, video.playbackUrl).href;
  const master = async (): Promise<string> => (await account.watch(video.playbackUrl)).body.toString();
  const maintain = async (command: object): Promise<Json> => {
    const reply = await account.functions.maintenance.invoke(command);
    if (!('payload' in reply)) throw new Error(JSON.stringify(reply));
    return reply.payload;
  };

  beforeAll(async () => {
    video = await videos.uploaded(await transportStream());
    await videos.prewarmed();
    plan = await videos.planOf(video.id);
    expect(plan.source).toMatchObject({ kind: 'mezzanine', reason: 'CONTAINER' });
  });

  test('planned a moment ago, it would be planned just so again', async () => {
    const { id } = video;
    const { rev } = plan;
    const replanned = [{ id, outcome: 'unchanged', rev, recipe: PRESENT_RECIPE.name }];
    expect(await maintain({ command: 'replan', id })).toEqual({ replanned, failed: [] });
    expect(await videos.isQueued(id)).toBe(false);
  });

  test('plays on while it is made anew under the present recipe', async () => {
    const { id } = video;
    const { rev } = plan;
    await asOfOnePlan();
    expect(await videos.statusOf(id)).toMatchObject({ state: 'ready', playable: true });
    expect(await maintain({ command: 'recipes', id })).toMatchObject({
      revisions: [{ rev: OLD, recipe: FIRST_RECIPE.name, role: 'current', isReady: true }],
    });

    expect(await maintain({ command: 'replan', all: true })).toMatchObject({
      replanned: expect.arrayContaining([{ id, outcome: 'planned', rev, recipe: PRESENT_RECIPE.name }]),
    });
    expect(await videos.isQueued(id)).toBe(true);
    expect(await videos.statusOf(id)).toMatchObject({ state: 'ready', progress: 1 });
    expect(await master()).toContain(`${OLD}/`);

    // What is not stored of the present revision is still made, from the copy at its old place.
    await videos.remove([new URL(segmentOf(OLD)).pathname.slice(1)]);
    expect(await account.watch(segmentOf(OLD))).toMatchObject({ status: 200, from: 'function' });

    await videos.prewarmed();
    expect(await master()).toContain(`${rev}/`);
    expect(await master()).not.toContain(OLD);
    expect(await account.watch(segmentOf(rev))).toMatchObject({ status: 200, from: 'bucket' });
    expect(await account.watch(segmentOf(OLD))).toMatchObject({ status: 200, from: 'bucket' });
  });

  test('loses its old revision when its grace time is over, and nothing else', async () => {
    const { id } = video;
    const { rev } = plan;
    expect(await account.dayPasses()).toEqual([
      { payload: { swept: 0, kept: 1, failed: [], isComplete: true } },
    ]);
    expect((await account.watch(segmentOf(OLD))).status).toBe(200);

    const revisions = await videos.jsonAt<Revisions>(revisionsKey(id));
    const eightDaysAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000).toISOString();
    const former = revisions.former.map((each) => ({ ...each, graceFrom: eightDaysAgo }));
    await videos.put(revisionsKey(id), JSON.stringify({ ...revisions, former }));
    expect(await account.dayPasses()).toEqual([
      { payload: { swept: 1, kept: 0, failed: [], isComplete: true } },
    ]);

    const left = [...(await videos.stored('media', '')).keys()].filter((key) => key.includes(id));
    const gone = [firstPlanKey(id), firstReadyKey(id), firstMezzanineKey(id)];
    expect(left.filter((key) => key.includes(OLD) || gone.includes(key))).toEqual([]);
    expect((await account.watch(segmentOf(OLD))).status).toBe(404);
    expect(await account.watch(new URL(`${OLD}/poster.jpg`, video.playbackUrl).href)).toMatchObject({
      status: 302,
      headers: { location: '../poster.jpg' },
    });
    expect(await account.watch(segmentOf(rev))).toMatchObject({ status: 200, from: 'bucket' });
    expect(await videos.statusOf(id)).toMatchObject({ state: 'ready', progress: 1 });

    expect((await videos.deleteVideo(id)).status).toBe(204);
    await videos.cleaned();
    await videos.gracePasses();
    expect(await videos.keysOf(id)).toEqual([]);
  });

  /** Without an index, so that it is copied. */
  async function transportStream(): Promise<Buffer> {
    const path = join(directory.path, 'clip.ts');
    await ffmpeg(
      ...['-f', 'lavfi', '-i', 'testsrc2=s=426x240:r=25:d=6', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=6'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-c:a', 'mp2', '-shortest', path],
    );
    return readFile(path);
  }

  /** Rewrites what is stored as commit 8e3bc33 stored it, and the copy as the commits before 2661e34 did. */
  async function asOfOnePlan(): Promise<void> {
    const { id } = video;
    const { rev, source } = plan;
    const [made, records] = [
      await videos.stored('media', videoPrefix(id)),
      await videos.stored('media', revisionsPrefix(id)),
    ];
    const copies = await videos.stored('media', mezzaninePrefix(id));
    for (const [key, bytes] of made) {
      if (key.startsWith(revPrefix(id, rev))) await videos.put(key.replace(rev, OLD), bytes);
    }
    const playlist = made.get(`${videoPrefix(id)}master.m3u8`)!.toString();
    await videos.put(`${videoPrefix(id)}master.m3u8`, playlist.replaceAll(rev, OLD));
    const { version: _, ...first } = planOfFirstRelease(plan);
    const { key: copy, etag: _etag, ...rest } = source;
    await videos.put(firstPlanKey(id), JSON.stringify({ ...first, rev: OLD, source: rest }));
    const { readyAt, storedBytes } = JSON.parse(records.get(readyKey(id, rev))!.toString());
    await videos.put(firstReadyKey(id), JSON.stringify({ readyAt, storedBytes }));
    expect(copy).toBe(mezzanineKey(id, source.etag!));
    await videos.put(firstMezzanineKey(id), copies.get(copy!)!);
    const all = [...made.keys(), ...records.keys(), ...copies.keys()];
    await videos.remove(all.filter((key) => !key.endsWith('master.m3u8')));
  }
});

test('a file that is no video is refused with its sentence, and nothing is started', async () => {
  const video = await videos.uploaded(Buffer.from('Once upon a time.\n'.repeat(50)));
  expect(await videos.isQueued(video.id)).toBe(false);
  expect(await videos.statusOf(video.id)).toMatchObject({
    state: 'failed',
    playable: false,
    error: { code: 'NOT_MEDIA', message: expect.stringMatching(/\.$/) },
  });
  expect(await account.watch(video.playbackUrl)).toMatchObject({ status: 422, from: 'function' });
});

test('a record that cannot be read keeps nothing else from being listed, fails the sweep visibly, and can be deleted', async () => {
  const id = newVideoId(new Date());
  await videos.put(
    cardKey(id),
    JSON.stringify({ version: 1, maxBytes: 1, createdAt: new Date().toISOString() }),
  );
  for (const rev of ['0123456789', '1123456789']) await videos.put(planKey(id, rev), '{}');
  await videos.put(revisionsKey(id), 'Once upon a time.');
  const unreadable = `The record ${revisionsKey(id)} cannot be read: it is not JSON.`;

  const { status, body } = await account.api({ method: 'GET', path: '/api/videos', headers: OWNER });
  expect(status).toBe(200);
  expect(body.videos.filter((video: Json) => video.error?.code === 'RECORD_UNREADABLE')).toMatchObject([
    { id, state: 'failed', playable: false, error: { message: unreadable } },
  ]);
  expect(await account.dayPasses()).toMatchObject([
    { error: { errorMessage: `Videos that could not be swept: 1. The first: video ${id}: ${unreadable}` } },
  ]);
  expect(account.functions.maintenance.output()).toContain(`video ${id}, sweep:`);

  expect((await videos.deleteVideo(id)).status).toBe(204);
  await videos.cleaned();
  expect(await account.dayPasses()).toEqual([
    { payload: { swept: 0, kept: 0, failed: [], isComplete: true } },
  ]);
});

test('no role allows what is another function’s to do', () => {
  const { uploads, media } = account.buckets;
  const id = newVideoId(new Date());
  const allowed = (name: keyof Account['functions'], action: string, key: string, bucket = media): boolean =>
    account.may(name)(action, `arn:aws:s3:::${bucket}/${key}`);
  expect(allowed('api', 's3:PutObject', sourceKey(id), uploads)).toBe(true);
  expect(allowed('transcode', 's3:PutObject', `v/${id}/master.m3u8`)).toBe(true);

  expect(allowed('api', 's3:PutObject', `v/${id}/master.m3u8`)).toBe(false);
  for (const name of ['ingest', 'origin', 'transcode', 'maintenance'] as const) {
    expect(allowed(name, 's3:PutObject', sourceKey(id), uploads)).toBe(false);
    expect(allowed(name, 's3:PutObject', cardKey(id))).toBe(false);
  }
  expect(allowed('authorizer', 's3:GetObject', sourceKey(id), uploads)).toBe(false);
  // Who decodes what strangers have sent may do nothing at all.
  for (const name of ['sandbox', 'prewarmSandbox'] as const) {
    const may = account.may(name);
    for (const action of ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:ListBucket']) {
      for (const bucket of [uploads, media]) {
        expect(may(action, `arn:aws:s3:::${bucket}`)).toBe(false);
        expect(may(action, `arn:aws:s3:::${bucket}/${sourceKey(id)}`)).toBe(false);
        expect(may(action, `arn:aws:s3:::${bucket}/v/${id}/master.m3u8`)).toBe(false);
      }
    }
    expect(may('lambda:InvokeFunction', 'arn:aws:lambda:us-east-1:123456789012:function:any')).toBe(false);
  }
  expect(
    account.may('origin')('states:StartExecution', 'arn:aws:states:us-east-1:123456789012:stateMachine:any'),
  ).toBe(false);
});

/** The same, by the pipeline and one worker in this process, as `npm start` has it; keys as if the video had this id. */
async function madeByNpmStart(file: Buffer, id: string): Promise<Map<string, Buffer>> {
  const world = worldIn(directory.path);
  const own = newVideoId(new Date());
  await putCard(own, world);
  await world.uploads.put(sourceKey(own), file, { contentType: 'video/mp4' });
  const calls: Call[] = [];
  const workers = { lanes: [1], call: async (call: Call) => void calls.push(call) };
  await ingest(own, world, async (list) => {
    // The viewer's segments, as above, before the list is worked off.
    const rendition = renditionsOf((await currentPlanOf(own, world.media))!, 'video').at(-1)!.name;
    const { rev } = list;
    await derive(own, { kind: 'segment', rev, rendition, index: 12, extension: 'ts' }, world);
    await enqueue(list, world, workers);
  });
  expect(calls).toHaveLength(1);
  expect(await workOff(calls[0]!, world, { lanes: 1, isBusy: () => false })).toMatchObject({ more: false });
  const made = new Map<string, Buffer>();
  for (const key of world.media.keys().filter((each) => each.startsWith('v/'))) {
    made.set(key.replace(own, id), Buffer.from((await world.media.get(key))!));
  }
  return made;
}
