// A video that an earlier release planned, planned anew: the revision that viewers have stays until the new one holds all
// that it holds, and goes after its grace time. With buckets in memory and real ffmpeg.

import { SourceError } from '../../core/errors.ts';
import { artifactKey, masterKey, revPrefix } from '../../core/artifacts/artifacts.ts';
import {
  cardKey,
  errorKey,
  firstReadyKey,
  firstWorkKey,
  planKey,
  readyKey,
  revisionsKey,
  sourceKey,
  workKey,
} from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { PrewarmExtent } from '../../core/plan/plan-for.ts';
import { FIRST_RECIPE } from '../../core/recipes/first.ts';
import { PRESENT_RECIPE } from '../../core/recipes/present.ts';
import { PLAN } from '../../core/records/plan.ts';
import { REVISIONS } from '../../core/records/revisions.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { workFor } from '../../core/work/work.ts';
import { derive, deriveWork } from '../../pipeline/derive/derive.ts';
import { failVideo } from '../../pipeline/life/fail-video.ts';
import { finish } from '../../pipeline/life/finish.ts';
import { sweepRevision } from '../../pipeline/revisions/grace.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import { planSource } from '../../pipeline/life/plan-source.ts';
import { refuse } from '../../pipeline/life/planning.ts';
import { recipesOfVideo } from '../../pipeline/revisions/recipe-report.ts';
import { changeRevisions, onlyRevision, planOf, revisionsOf } from '../../pipeline/revisions/revisions.ts';
import { createRecord } from '../../pipeline/store.ts';
import type { Store } from '../../pipeline/store.ts';
import { executed, lived, workIn } from '../support/life.ts';
import type { TestWorld } from '../support/life.ts';
import { cleanedUp, removeVideo } from '../support/janitor.ts';
import { plannedBy } from '../support/old-plan.ts';
import {
  GRACE_SECONDS,
  OLD,
  json,
  asOnlyPlan,
  KEPT,
  statusOf,
  textOf,
  without,
  segmentOf,
  oldVideo,
  copyOf,
  replanned,
  succeeded,
  stored,
  swept,
  wasCutOff,
  failingAfter,
  openOldVideos,
  unplannedVideo,
} from '../support/old-video.ts';
import type { Video } from '../support/old-video.ts';

let close: () => Promise<void>;
beforeAll(async () => {
  close = await openOldVideos();
});
afterAll(() => close());

describe.each(KEPT)('a plan that was kept %s', (_, keep) => {
  test('stays the current one, with all that belongs to it, until everything of the new one exists', async () => {
    const video = await oldVideo({ keep });
    const { id, world, old } = video;
    const { media } = world;
    const before = without(await stored(video), revisionsKey(id));
    const expectUntouched = async () => {
      const now = await stored(video);
      for (const [key, bytes] of before) expect([key, now.get(key)]).toEqual([key, bytes]);
    };

    const { answer, requests } = await replanned(video);
    expect(answer).toEqual({ id, outcome: 'planned', rev: expect.any(String), recipe: PRESENT_RECIPE.name });
    const { rev } = answer;
    expect(requests).toMatchObject([{ id, rev, group: '', count: expect.any(Number) }]);
    const work = await workIn({ id, rev }, world);
    expect(work).toEqual(workFor(id, (await planOf(id, rev, media))!));
    for (const item of work) {
      expect(await revisionsOf(id, media)).toMatchObject({ current: OLD, next: { rev }, former: [] });
      await expectUntouched();
      await expect(finish(id, rev, world, new Date())).rejects.toThrow('is missing');
      await deriveWork(item, world);
    }
    expect(await revisionsOf(id, media)).toMatchObject({ current: OLD, next: { rev }, former: [] });
    await expectUntouched();

    const now = new Date();
    await finish(id, rev, world, now);
    const at = now.toISOString();
    expect(await revisionsOf(id, media)).toEqual({
      ...{ current: rev, next: null },
      former: [{ rev: OLD, supersededAt: at, graceFrom: at, copy: null, isSwept: false }],
    });
    expect(await textOf(masterKey(id), video)).toContain(`\n${rev}/360p/index.m3u8\n`);
    expect(await textOf(masterKey(id), video)).not.toContain(OLD);
    for (const artifact of segmentsOf(old)) {
      const key = artifactKey(id, artifact);
      expect((await stored(video)).get(key)).toBe(before.get(key));
    }
    expect(await statusOf(video)).toMatchObject({ state: 'ready', progress: 1 });
    expect((await replanned(video)).answer).toEqual({ ...answer, outcome: 'unchanged' });
  });

  test('is swept after its grace time and not before', async () => {
    const video = await oldVideo({ keep });
    const { id, world } = video;
    await derive(id, { kind: 'thumb', rev: OLD, seconds: 3 }, world);
    const rev = await succeeded(video);
    expect(world.media.keys()).toContain(artifactKey(id, { kind: 'thumb', rev, seconds: 3 }));
    const early = await stored(video);
    expect(await swept(video, GRACE_SECONDS - 60)).toEqual({ swept: 0, kept: 1, failed: [] });
    expect(await stored(video)).toEqual(early);

    expect(await swept(video, GRACE_SECONDS + 60)).toEqual({ swept: 1, kept: 0, failed: [] });
    expect(await revisionsOf(id, world.media)).toEqual(onlyRevision(rev));
    expect(world.media.keys().filter((key) => key.startsWith('plans/'))).toEqual([
      planKey(id, rev),
      readyKey(id, rev),
      workKey(id, rev),
      revisionsKey(id),
    ]);
    expect(world.media.keys().filter((key) => key.startsWith(revPrefix(id, OLD)))).toEqual([]);
    expect(await statusOf(video)).toMatchObject({ state: 'ready', progress: 1 });
    await expect(derive(id, { kind: 'poster', rev: OLD }, world)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await swept(video, GRACE_SECONDS + 60)).toEqual({ swept: 0, kept: 0, failed: [] });
  });
});

test.each<[string, string, (video: Video) => unknown]>([
  ['is gone', 'SOURCE_GONE', ({ id, world }) => world.uploads.delete([sourceKey(id)])],
  ['was replaced', 'SOURCE_REPLACED', ({ id, world }) => world.uploads.put(sourceKey(id), 'garbage', json)],
  ['would be refused now', 'TOO_LONG', ({ world }) => void (world.settings.maxDurationSeconds = 8)],
])('a video whose source %s stays as it is', async (_, code, happen) => {
  const video = await oldVideo();
  const before = await stored(video);
  const status = await statusOf(video);
  await happen(video);
  await expect(replanned(video)).rejects.toMatchObject({ code });
  expect(await stored(video)).toEqual(before);
  const { state, error, playable } = await statusOf(video);
  expect({ state, error, playable }).toEqual({ state: 'ready', playable: true, error: undefined });
  expect(status.state).toBe('ready');
});

test('planned anew twice, what is made already is kept, and no plan is made besides', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const first = await replanned(video, new Date(1));
  const [item] = await workIn(first.requests[0]!, world);
  await deriveWork(item!, world);
  const made = await stored(video);
  const second = await replanned(video, new Date(2));
  expect(second.answer).toEqual(first.answer);
  // A list that is queued is not queued twice.
  expect(second.requests).toEqual(first.requests);
  expect(await stored(video)).toEqual(made);
  for (const request of [...first.requests, ...second.requests]) await executed(request, world);
  expect(await revisionsOf(id, world.media)).toMatchObject({
    ...{ current: first.answer.rev, next: null },
    former: [{ rev: OLD }],
  });
});

/** The same decisions, and the name that a release before gave them. */
async function storedByReleaseBefore({ id, world }: Video, plan: Plan, rev: string): Promise<void> {
  await world.media.put(planKey(id, rev), JSON.stringify({ version: 3, ...plan, rev }), json);
}

test('what the release before planned by the present recipe is left as it is', async () => {
  const video = await unplannedVideo();
  const { id, world } = video;
  const source = await world.uploads.head(sourceKey(id));
  const { plan } = await planSource(id, source!, world);
  await storedByReleaseBefore({ ...video, old: plan }, plan, OLD);
  await createRecord(world.media, REVISIONS, revisionsKey(id), onlyRevision(OLD));
  const before = await stored({ ...video, old: plan });
  const { answer, requests } = await replanned({ ...video, old: plan });
  expect(answer).toEqual({ id, outcome: 'unchanged', rev: OLD, recipe: PRESENT_RECIPE.name });
  expect(requests).toEqual([]);
  expect(await stored({ ...video, old: plan })).toEqual(before);
});

test('a next revision that the release before began by the present recipe is gone on with', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const { plan } = await planSource(id, (await world.uploads.head(sourceKey(id)))!, world);
  const rev = 'cccccccccc';
  await storedByReleaseBefore(video, plan, rev);
  const next = { rev, askedAt: new Date(0).toISOString() };
  await changeRevisions(id, world.media, (before) => ({ ...before, next }));
  const segment = artifactKey(id, segmentOf({ ...plan, rev }, '360p', 1));
  await derive(id, segmentOf({ ...plan, rev }, '360p', 1), world);
  const made = (await stored(video)).get(segment);
  const { answer, requests } = await replanned(video);
  expect(answer).toEqual({ id, outcome: 'planned', rev, recipe: PRESENT_RECIPE.name });
  for (const request of requests) await executed(request, world);
  expect(await revisionsOf(id, world.media)).toMatchObject({ current: rev, next: null });
  expect((await stored(video)).get(segment)).toBe(made);
  expect(await planOf(id, plan.rev, world.media)).toBeUndefined();
});

const ABANDONED = 'bbbbbbbbbb';

/** A video whose next revision, by a recipe of another release, is half made. */
async function withNext(video: Video): Promise<Plan> {
  const { id, world, old } = video;
  const next = { ...plannedBy(old, { ...FIRST_RECIPE, name: 'other' }), rev: ABANDONED };
  await createRecord(world.media, PLAN, planKey(id, ABANDONED), next);
  await changeRevisions(id, world.media, (before) => ({
    ...before,
    next: { rev: ABANDONED, askedAt: new Date(0).toISOString() },
  }));
  await derive(id, segmentOf(next, '360p', 1), world);
  return next;
}

const ofAbandoned = ({ world }: Video): string[] =>
  world.media.keys().filter((key) => key.includes(ABANDONED));

test('planned anew in another way while the next revision is made, that is abandoned and nothing of it stays', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const next = await withNext(video);
  const underWay = derive(id, segmentOf(next, '480p', 1), world).catch(({ code }: { code: string }) => code);
  const { answer } = await replanned(video);
  expect(await underWay).toBe('NOT_FOUND');
  await cleanedUp(world);
  expect(await revisionsOf(id, world.media)).toMatchObject({
    current: OLD,
    next: { rev: answer.rev },
    former: [],
  });
  expect(ofAbandoned(video)).toEqual([]);

  // What its worker does when it comes to its end.
  await expect(finish(id, ABANDONED, world, new Date())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await failVideo(id, ABANDONED, 'ENCODING_FAILED', world, new Date());
  expect(ofAbandoned(video)).toEqual([]);
  expect(await statusOf(video)).toMatchObject({ state: 'ready' });
});

test('planned anew as it is while the next revision is made, it keeps what it is and the next is abandoned', async () => {
  const video = await oldVideo();
  const rev = await succeeded(video);
  await withNext(video);
  expect((await replanned(video)).answer).toMatchObject({ outcome: 'unchanged', rev });
  expect(await revisionsOf(video.id, video.world.media)).toMatchObject({ current: rev, next: null });
  expect(ofAbandoned(video)).toEqual([]);
});

test.each<PrewarmExtent>(['lowest', 'none'])(
  'with %s made ahead of time, the new revision holds what viewers had of the old one before it is the current one',
  async (prewarm) => {
    const video = await oldVideo({ prewarm });
    const { id, world, old } = video;
    const watched: Artifact[] = [
      segmentOf(old, '480p', 1),
      segmentOf(old, '480p', 2),
      segmentOf(old, '360p', 2),
      { kind: 'thumb', rev: OLD, seconds: 4 },
    ];
    for (const artifact of watched) await derive(id, artifact, world);
    const { answer, requests } = await replanned(video);
    const { rev } = answer;
    expect(requests).toHaveLength(1);
    const successors = watched.map((artifact) => artifactKey(id, { ...artifact, rev } as Artifact));
    const work = await workIn(requests[0]!, world);
    for (const item of work) {
      expect(await revisionsOf(id, world.media)).toMatchObject({ current: OLD, next: { rev } });
      await deriveWork(item, world);
    }
    expect(world.media.keys()).toEqual(expect.arrayContaining(successors));
    expect(world.media.keys()).not.toContain(artifactKey(id, { ...watched[0]!, rev, index: 0 } as Artifact));
    await executed(requests[0]!, world);
    expect(await revisionsOf(id, world.media)).toMatchObject({
      current: rev,
      former: [{ rev: OLD, graceFrom: expect.any(String) }],
    });
  },
);

test('a former revision that viewers had more made of is not swept until the current one holds that, too', async () => {
  const video = await oldVideo({ prewarm: 'lowest' });
  const { id, world, old } = video;
  const rev = await succeeded(video);
  await derive(id, segmentOf(old, '480p', 1), world);
  const successor = artifactKey(id, { ...segmentOf(old, '480p', 1), rev } as Artifact);
  expect(world.media.keys()).not.toContain(successor);
  expect(await swept(video, GRACE_SECONDS + 60)).toEqual({ swept: 0, kept: 1, failed: [] });
  expect(world.media.keys()).toEqual(
    expect.arrayContaining([artifactKey(id, segmentOf(old, '480p', 1)), successor]),
  );
  expect(await swept(video, GRACE_SECONDS + 60)).toEqual({ swept: 1, kept: 0, failed: [] });
  expect(world.media.keys().filter((key) => key.includes(OLD))).toEqual([]);
});

test.each(KEPT)(
  'a sweep that is cut off is brought to its end by the next, of a plan kept %s',
  async (_, keep) => {
    const video = await oldVideo({ keep });
    const { id } = video;
    const rev = await succeeded(video);
    const [former] = (await revisionsOf(id, video.world.media))!.former;
    for (let [calls, isWhole] = [1, false]; !isWhole; calls += 1) {
      const copy = await copyOf(video);
      const { media } = copy.world;
      isWhole = await sweepRevision(id, former!.rev, failingAfter(calls, media)).then(() => true, wasCutOff);
      await sweptInTime(copy);
      expect(await revisionsOf(id, media)).toEqual(onlyRevision(rev));
      expect(media.keys().filter((key) => key.includes(OLD))).toEqual([]);
      expect(media.keys().filter((key) => key.startsWith('plans/'))).toEqual([
        ...[planKey(id, rev), readyKey(id, rev), workKey(id, rev), revisionsKey(id)],
      ]);
    }
  },
);

test('a next revision whose abandoning is cut off goes with the sweeps to come', async () => {
  const video = await oldVideo();
  await withNext(video);
  for (let [calls, isWhole] = [1, false]; !isWhole; calls += 1) {
    const copy = await copyOf(video);
    const world = { ...copy.world, media: failingAfter(calls, copy.world.media) };
    isWhole = await replanned({ ...copy, world: world as TestWorld }).then(() => true, wasCutOff);
    const { requests } = await replanned(copy);
    for (const request of requests) await executed(request, copy.world);
    await sweptInTime(copy);
    expect(ofAbandoned(copy)).toEqual([]);
  }
});

/** By two sweeps: what was cut off may have to be listed by one before its grace time is over for the other. */
async function sweptInTime(video: Video): Promise<void> {
  for (const seconds of [0, GRACE_SECONDS + 60]) {
    expect(await swept(video, seconds)).toMatchObject({ failed: [] });
  }
}

test.each<[string, (id: string, rev: string) => string]>([
  ['its plan', planKey],
  ['its place among the revisions', revisionsKey],
  ['its list of work', workKey],
])('a video that is deleted just before or after %s is stored leaves nothing', async (_, keyOf) => {
  const video = await oldVideo();
  const { id } = video;
  const { rev } = (await replanned(await copyOf(video))).answer;
  for (const isBefore of [true, false]) {
    const copy = await copyOf(video);
    const { media, uploads } = copy.world;
    const put: Store['put'] = async (key, ...rest) => {
      const isIt = key === keyOf(id, rev);
      if (isIt && isBefore) await removeVideo(id, { media, uploads });
      const outcome = await media.put(key, ...rest);
      if (isIt && !isBefore) await removeVideo(id, { media, uploads });
      return outcome;
    };
    const world = { ...copy.world, media: { ...media, put } };
    await expect(replanned({ ...copy, world })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await cleanedUp({ media, uploads });
    expect([...media.keys(), ...uploads.keys()]).toEqual([]);
  }
});

test('a video that is deleted while its next revision is made leaves nothing', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const { answer, requests } = await replanned(video);
  const next = (await planOf(id, answer.rev, world.media))!;
  const [item] = await workIn(requests[0]!, world);
  const underWay = [deriveWork(item!, world), derive(id, segmentOf(next, '480p', 2), world)];
  const ended = Promise.allSettled(underWay);
  await removeVideo(id, world);
  await ended;
  await expect(finish(id, next.rev, world, new Date())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(failVideo(id, next.rev, 'ENCODING_FAILED', world, new Date())).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  await cleanedUp(world);
  expect([...world.media.keys(), ...world.uploads.keys()]).toEqual([]);
});

test('finish may come twice, and late for a former revision: what viewers get stays', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const rev = await succeeded(video);
  const now = new Date();
  await finish(id, rev, world, now);
  const before = without(await stored(video), readyKey(id, rev));
  await finish(id, rev, world, now);
  expect(without(await stored(video), readyKey(id, rev))).toEqual(before);
  expect(await textOf(masterKey(id), video)).toContain('AVERAGE-BANDWIDTH=');

  const all = without(await stored(video), readyKey(id, OLD));
  await finish(id, OLD, world, now);
  expect(without(await stored(video), readyKey(id, OLD))).toEqual(all);
  expect(await revisionsOf(id, world.media)).toMatchObject({ current: rev, former: [{ rev: OLD }] });
});

test('a next revision that cannot be completed is for operators to see, and the video stays ready', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const { answer, requests } = await replanned(video);
  const { rev } = answer;
  const master = await textOf(masterKey(id), video);
  await failVideo(id, rev, 'ENCODING_FAILED', world, new Date());
  expect(await statusOf(video)).toMatchObject({ state: 'ready', progress: 1 });
  expect((await statusOf(video)).error).toBeUndefined();
  expect(await textOf(masterKey(id), video)).toBe(master);
  expect(await recipesOfVideo(id, world, GRACE_SECONDS)).toMatchObject({
    revisions: [
      { rev: OLD, recipe: '1', role: 'current', isReady: true },
      { rev, recipe: PRESENT_RECIPE.name, role: 'next', isReady: false, error: { code: 'ENCODING_FAILED' } },
    ],
  });
  for (const request of requests) await executed(request, world);
  const { revisions } = await recipesOfVideo(id, world, GRACE_SECONDS);
  expect(revisions).toMatchObject([
    { rev, role: 'current', isReady: true },
    { rev: OLD, role: 'former' },
  ]);
  expect(revisions[0]!.error).toBeUndefined();
});

test('an upload event for a video whose next revision is half made has that completed', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const { answer } = await replanned(video);
  expect(await lived(video)).toMatchObject({ state: 'ready' });
  expect(await revisionsOf(id, world.media)).toMatchObject({ current: answer.rev, next: null });
});

test('a plan that 8e3bc33 made after a rollback is taken for a former one, and viewers get the current one again', async () => {
  const video = await oldVideo();
  const { id, world, old } = video;
  const { media } = world;
  const rev = await succeeded(video);
  await swept(video, GRACE_SECONDS + 60);
  const master = await textOf(masterKey(id), video);

  const rolledBack = { ...old, rev: 'cccccccccc' };
  await asOnlyPlan(id, rolledBack, media);
  await media.put(firstWorkKey(id), '[]', json);
  await media.put(firstReadyKey(id), JSON.stringify({ readyAt: new Date(0), storedBytes: 1 }), json);
  await media.put(masterKey(id), master.replaceAll(rev, rolledBack.rev), json);
  for (const artifact of segmentsOf(rolledBack)) await derive(id, artifact, world);

  expect(await swept(video, 60)).toEqual({ swept: 0, kept: 1, failed: [] });
  expect(await textOf(masterKey(id), video)).toBe(master);
  expect(await revisionsOf(id, media)).toMatchObject({
    ...{ current: rev, next: null },
    former: [{ rev: rolledBack.rev, graceFrom: expect.any(String) }],
  });
  expect(await swept(video, GRACE_SECONDS + 120)).toEqual({ swept: 1, kept: 0, failed: [] });
  expect(media.keys().filter((key) => key.startsWith('plans/'))).toEqual([
    ...[planKey(id, rev), readyKey(id, rev), workKey(id, rev), revisionsKey(id)],
  ]);
  expect(media.keys().filter((key) => key.includes(rolledBack.rev))).toEqual([]);
});

const OPERATIONS = {
  ingest: ({ id, world }: Video) => ingest(id, world, async () => undefined),
  finish: ({ id, world }: Video) => finish(id, OLD, world, new Date()),
  replan: (video: Video) => replanned(video),
  fail: ({ id, world }: Video) => failVideo(id, OLD, 'ENCODING_FAILED', world, new Date()),
  refuse: ({ id, world }: Video) => refuse(id, new SourceError('DAMAGED'), world),
  status: (video: Video) => statusOf(video),
};
type Operation = keyof typeof OPERATIONS;

describe.each<[string, (id: string) => string, Operation[]]>([
  ['a list of revisions', revisionsKey, ['ingest', 'finish', 'replan', 'fail', 'refuse', 'status']],
  ['a plan', (id) => planKey(id, OLD), ['ingest', 'finish', 'replan', 'refuse', 'status']],
  ['a ready marker', (id) => readyKey(id, OLD), ['ingest', 'finish', 'fail', 'refuse', 'status']],
  ['an error', errorKey, ['refuse', 'status']],
  ['a card', cardKey, ['status']],
])('%s of a newer release', (_, keyOf, refusing) => {
  let video: Video;
  const newer = JSON.stringify({ version: 99, and: 'what nobody knows yet' });
  beforeAll(async () => {
    video = await oldVideo();
    await video.world.media.put(keyOf(video.id), newer, json);
  });

  test.each(Object.keys(OPERATIONS) as Operation[])('is not overwritten by: %s', async (name) => {
    const copy = await copyOf(video);
    const key = keyOf(copy.id);
    const done = OPERATIONS[name](copy).then(
      () => 'done',
      ({ code, message, key: named }: { code: string; message: string; key: string }) => {
        expect(message).toContain(key);
        return { code, key: named };
      },
    );
    expect(await done).toEqual(refusing.includes(name) ? { code: 'RECORD_TOO_NEW', key } : 'done');
    // That everything exists ends an error, whoever wrote of it.
    if (name === 'finish' && key === errorKey(copy.id)) return;
    expect(String(await copy.world.media.get(key))).toBe(newer);
  });

  test('is deleted with its video', async () => {
    const { id, world } = await copyOf(video);
    await removeVideo(id, world);
    expect(world.media.keys()).toEqual([]);
  });
});

test.each([
  ['card', cardKey],
  ['error', errorKey],
  ['list of revisions', revisionsKey],
])('an upload is not planned beside a %s of a newer release', async (_, keyOf) => {
  const { id, world } = await unplannedVideo();
  await world.media.put(keyOf(id), JSON.stringify({ version: 99 }), json);
  const before = world.media.keys();
  await expect(ingest(id, world, async () => undefined)).rejects.toMatchObject({
    ...{ code: 'RECORD_TOO_NEW', key: keyOf(id) },
  });
  expect(world.media.keys()).toEqual(before);
});

test('a sweep names a video whose record a newer release wrote, and leaves it as it is', async () => {
  const video = await oldVideo();
  await succeeded(video);
  const key = revisionsKey(video.id);
  await video.world.media.put(key, JSON.stringify({ version: 99 }), json);
  const before = await stored(video);
  expect(await swept(video, GRACE_SECONDS + 60)).toEqual({
    ...{ swept: 0, kept: 0 },
    failed: [{ id: video.id, message: expect.stringContaining(key) }],
  });
  expect(await stored(video)).toEqual(before);
});

test('a plan of a newer release that has the name of the one to be made now is not taken for it', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const { answer } = await replanned(await copyOf(video));
  const key = planKey(id, answer.rev);
  await world.media.put(key, JSON.stringify({ version: 99 }), json);
  await expect(replanned(video)).rejects.toMatchObject({ code: 'RECORD_TOO_NEW', key });
  expect(await revisionsOf(id, world.media)).toEqual(onlyRevision(OLD));
});
