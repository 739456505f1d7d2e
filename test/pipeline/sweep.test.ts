// The sweep of former revisions, beside whatever else happens to a video, and after whatever was cut off.

import { artifactKey, masterKey } from '../../core/artifacts/artifacts.ts';
import { cardKey, firstReadyKey, planKey, revisionErrorKey, sourceKey } from '../../core/artifacts/keys.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { FIRST_RECIPE } from '../../core/recipes/first.ts';
import { PLAN } from '../../core/records/plan.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { derive } from '../../pipeline/derive/derive.ts';
import { finish } from '../../pipeline/life/finish.ts';
import { formerRevision, sweepRevision } from '../../pipeline/revisions/grace.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import type { NewList } from '../../core/work/admission.ts';
import { resumeNext, withoutNext } from '../../pipeline/revisions/replan.ts';
import { changeRevisions, currentPlanOf, planOf, revisionsOf } from '../../pipeline/revisions/revisions.ts';
import { createRecord } from '../../pipeline/store.ts';
import { sweepRevisions } from '../../pipeline/revisions/sweep.ts';
import { deriveWork } from '../../pipeline/derive/derive.ts';
import { executed, workIn } from '../support/life.ts';
import { cleanedUp } from '../support/janitor.ts';
import {
  GRACE_SECONDS,
  OLD,
  asOnlyPlan,
  copyOf,
  failingAfter,
  json,
  oldVideo,
  openOldVideos,
  replanned,
  segmentOf,
  statusOf,
  succeeded,
  swept,
  textOf,
  wasCutOff,
} from '../support/old-video.ts';
import type { Video } from '../support/old-video.ts';
import { plannedBy } from '../support/old-plan.ts';

let close: () => Promise<void>;
beforeAll(async () => {
  close = await openOldVideos();
});
afterAll(() => close());

const OVER = GRACE_SECONDS + 60;
const ASKED = { rev: OLD, askedAt: new Date(0).toISOString() };

/** The revisions that the multivariant playlist leads to. */
async function revisionsShown(video: Video): Promise<Set<string>> {
  const master = await textOf(masterKey(video.id), video);
  return new Set([...master.matchAll(/^([0-9a-f]{10})\//gm)].map(([, rev]) => rev!));
}

test('a change of the current revision that was cut off at any write leads viewers to one that exists', async () => {
  const video = await oldVideo();
  const { answer, requests } = await replanned(video);
  for (const item of await workIn(requests[0]!, video.world)) await deriveWork(item, video.world);
  for (let [calls, isWhole] = [0, false]; !isWhole; calls += 1) {
    const copy = await copyOf(video);
    const { id, world } = copy;
    const cut = { ...world, media: failingAfter(calls, world.media) };
    isWhole = await finish(id, answer.rev, cut, new Date()).then(() => true, wasCutOff);
    expect(await statusOf(copy)).toMatchObject({ state: 'ready' });
    await swept(copy, 0);
    await swept(copy, OVER);
    await swept(copy, 2 * OVER);
    expect(await revisionsOf(id, world.media)).toEqual({ current: answer.rev, next: null, former: [] });
    expect(await revisionsShown(copy)).toEqual(new Set([answer.rev]));
    expect(world.media.keys().filter((key) => key.includes(OLD))).toEqual([]);
  }
});

test('a revision that somebody plans back to during a sweep is not swept', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  await succeeded(video);
  await changeRevisions(id, world.media, (before) => ({ ...before, next: ASKED }));
  expect(await sweepRevision(id, OLD, world.media)).toBe(false);
  expect(await planOf(id, OLD, world.media)).toMatchObject({ rev: OLD });
});

test('one that is being swept cannot be planned back to', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const { rev } = (await replanned(await copyOf(video))).answer;
  await changeRevisions(id, world.media, (before) => ({
    ...before,
    former: [{ ...formerRevision(rev, undefined, new Date()), isSwept: true }],
  }));
  await expect(replanned(video)).rejects.toMatchObject({ code: 'REPLANNED_MEANWHILE' });
});

test('a former revision that was to come back, and is given up, keeps its grace time', async () => {
  const video = await oldVideo();
  const { id, world, old } = video;
  const rev = await succeeded(video);
  await changeRevisions(id, world.media, (before) => ({ ...before, next: ASKED }));
  expect((await replanned(video)).answer).toMatchObject({ outcome: 'unchanged', rev });
  await derive(id, segmentOf(old, '480p', 0), world);
  expect(await revisionsOf(id, world.media)).toMatchObject({
    current: rev,
    next: null,
    former: [{ rev: OLD }],
  });
  expect(withoutNext({ current: rev, next: null, former: [] }, undefined, new Date()).former).toEqual([]);
});

test('a next revision that was never begun is begun by the sweep, and one that failed waits to be asked for', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const begun = await replanned(video);
  const { rev } = begun.answer;
  const next = (await revisionsOf(id, world.media))!.next!;
  const requests: NewList[] = [];
  const resume = () =>
    resumeNext(id, next, world, async (request) => void requests.push(request), new Date());
  await resume();
  // The same, so that nothing happens where it is queued.
  expect(requests).toEqual(begun.requests);
  await world.media.put(
    revisionErrorKey(id, rev),
    JSON.stringify({ code: 'ENCODING_FAILED', message: '' }),
    json,
  );
  await resume();
  expect(requests).toHaveLength(1);
  const now = new Date();
  expect((await replanned(video, now)).requests).toEqual(begun.requests);
});

test('a next revision whose source is gone is given up, and the current one stays', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  const { rev } = (await replanned(video)).answer;
  await world.uploads.delete([sourceKey(id)]);
  await swept(video, 0);
  expect(await revisionsOf(id, world.media)).toEqual({ current: OLD, next: null, former: [] });
  expect(world.media.keys().filter((key) => key.includes(rev))).toEqual([]);
  expect(await statusOf(video)).toMatchObject({ state: 'ready' });
});

test('a former revision that was to come back keeps its grace time where the source is gone', async () => {
  const video = await oldVideo();
  const { id, world, old } = video;
  const rev = await succeeded(video);
  await changeRevisions(id, world.media, (before) => ({ ...before, next: ASKED }));
  await world.uploads.delete([sourceKey(id)]);
  await swept(video, 0);
  expect(await revisionsOf(id, world.media)).toMatchObject({
    current: rev,
    next: null,
    former: [{ rev: OLD }],
  });
  await derive(id, segmentOf(old, '480p', 0), world);
});

test('of a plan that 8e3bc33 completed and one of ours that is not complete, viewers get the first until ours is', async () => {
  const video = await oldVideo({ keep: asOnlyPlan });
  const { id, world, old } = video;
  const ours: Plan = { ...plannedBy(old, FIRST_RECIPE), rev: 'bbbbbbbbbb' };
  await createRecord(world.media, PLAN, planKey(id, ours.rev), ours);
  await world.media.put(
    `plans/${id}/revisions.json`,
    JSON.stringify({ version: 1, current: ours.rev, next: null, former: [] }),
    json,
  );
  // By 8e3bc33: the marker under its first key.
  await world.media.put(firstReadyKey(id), JSON.stringify({ readyAt: new Date(0), storedBytes: 1 }), json);
  const requests: NewList[] = [];
  await sweepRevisions(world, {
    ...{ now: new Date(), graceSeconds: GRACE_SECONDS, isTimeUp: () => false },
    enqueue: async (request) => void requests.push(request),
  });
  expect(await revisionsShown(video)).toEqual(new Set([OLD]));
  expect(await currentPlanOf(id, world.media)).toMatchObject({ rev: OLD });
  for (const request of requests) await executed(request, world);
  expect(await revisionsShown(video)).toEqual(new Set([ours.rev]));
});

test('what functions of 8e3bc33 leave of a video that they delete is removed', async () => {
  const video = await oldVideo();
  const { id, world, old } = video;
  await world.media.delete([cardKey(id)]);
  const segments = segmentsOf(old).map((artifact) => artifactKey(id, artifact));
  expect(world.media.keys()).toEqual(expect.arrayContaining(segments));
  await swept(video, 0);
  await cleanedUp(world);
  expect([...world.media.keys(), ...world.uploads.keys()]).toEqual([]);
});

test('a video whose current plan is lost is planned again, and plays', async () => {
  const video = await oldVideo();
  const { id, world } = video;
  await world.media.delete([planKey(id, OLD)]);
  const { rev } = await currentPlan(id, world);
  expect(await revisionsOf(id, world.media)).toMatchObject({ current: rev });
  expect(await planOf(id, rev, world.media)).toMatchObject({ rev });
  expect(await statusOf(video)).toMatchObject({ playable: true });
});
