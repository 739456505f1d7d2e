// Addresses of pictures that outlive the revision they are of.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CURRENT } from '../../core/artifacts/artifact.ts';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { FIRST_RECIPE } from '../../core/recipes/first.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { PLAN } from '../../core/records/plan.ts';
import { planKey } from '../../core/artifacts/keys.ts';
import { derive } from '../../pipeline/derive/derive.ts';
import { formerRevision, sweepRevision } from '../../pipeline/revisions/grace.ts';
import { httpOrigin } from '../../pipeline/http/origin.ts';
import { rewriteLasting } from '../../pipeline/derive/lasting.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import { changeRevisions } from '../../pipeline/revisions/revisions.ts';
import { createRecord } from '../../pipeline/store.ts';
import { putCard } from '../support/life.ts';
import type { TestWorld } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { worldIn } from '../support/world.ts';
import { plannedBy } from '../support/old-plan.ts';

const SECONDS = 12;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let film: Uint8Array;
let song: Uint8Array;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const [picture, sound] = [join(directory.path, 'film.mp4'), join(directory.path, 'song.m4a')];
  await ffmpeg('-f', 'lavfi', '-i', `testsrc2=s=320x180:r=10:d=${SECONDS}`, '-c:v', 'libx264', picture);
  await ffmpeg('-f', 'lavfi', '-i', 'sine=440:d=2', '-c:a', 'aac', sound);
  [film, song] = await Promise.all([readFile(picture), readFile(sound)]);
});
afterAll(() => directory.remove());

async function uploaded(source: Uint8Array): Promise<{ id: string; world: TestWorld; plan: Plan }> {
  const world = worldIn(directory.path);
  const id = newVideoId(new Date());
  await putCard(id, world);
  await world.uploads.put(sourceKey(id), source, { contentType: 'video/mp4' });
  return { id, world, plan: await currentPlan(id, world) };
}

/** Another revision with pictures at other moments takes the place of the current one. */
async function superseded({ id, world, plan }: Awaited<ReturnType<typeof uploaded>>): Promise<Plan> {
  const { media } = world;
  const stills = { ...plan.stills!, intervalSeconds: 5, count: 3 };
  const next = { ...plannedBy(plan, FIRST_RECIPE), rev: 'bbbbbbbbbb', stills };
  await createRecord(media, PLAN, planKey(id, next.rev), next);
  await changeRevisions(id, media, ({ current, former }) => ({
    current: next.rev,
    next: null,
    former: [...former, formerRevision(current, plan, new Date(0))],
  }));
  return next;
}

const ask = ({ id, world }: { id: string; world: TestWorld }, path: string) =>
  httpOrigin(world).request(`/v/${id}/${path}`);

test.each<[string, (rev: string) => Artifact]>([
  ['poster.jpg', (rev) => ({ kind: 'poster', rev })],
  ['thumb/7.jpg', (rev) => ({ kind: 'thumb', rev, seconds: 7 })],
])("%s is the current revision's, and is kept for five minutes", async (path, artifact) => {
  const video = await uploaded(film);
  const answer = await ask(video, path);
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=300']);
  const own = await video.world.media.get(artifactKey(video.id, artifact(video.plan.rev)));
  expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), own!)).toBe(0);
});

test('the lasting storyboard names its sheets by revision', async () => {
  const video = await uploaded(film);
  const track = await (await ask(video, 'storyboard.vtt')).text();
  const sheets = [...track.matchAll(/^(.+\.jpg)#xywh/gm)].map(([, sheet]) => sheet!);
  expect(sheets).toHaveLength(SECONDS);
  expect(new Set(sheets)).toEqual(new Set([`${video.plan.rev}/storyboard/0.jpg`]));
  expect((await ask(video, sheets[0]!)).status).toBe(200);
});

test.each(['poster.jpg', 'storyboard.vtt', 'thumb/0.jpg'])('there is no %s of a song', async (path) => {
  expect((await ask(await uploaded(song), path)).status).toBe(404);
});

test('with another revision the stored pictures are written anew, and those of moments that it lacks go', async () => {
  const video = await uploaded(film);
  const { id, world } = video;
  for (const path of ['poster.jpg', 'storyboard.vtt', 'thumb/7.jpg']) await ask(video, path);
  const next = await superseded(video);
  await derive(id, { kind: 'poster', rev: next.rev }, world);
  await rewriteLasting(id, world.media);

  const stored = (artifact: Artifact) => world.media.get(artifactKey(id, artifact));
  expect(await stored({ kind: 'poster', rev: CURRENT })).toEqual(
    await stored({ kind: 'poster', rev: next.rev }),
  );
  expect(String(await stored({ kind: 'storyboard', rev: CURRENT }))).toContain(
    `${next.rev}/storyboard/0.jpg`,
  );
  expect(await stored({ kind: 'thumb', rev: CURRENT, seconds: 7 })).toBeUndefined();
  expect(String(await stored({ kind: 'multivariant' }))).toContain(`${next.rev}/180p/index.m3u8`);
});

test('addresses of a revision that is gone lead to where the pictures are now', async () => {
  const video = await uploaded(film);
  const { id, world, plan } = video;
  const next = await superseded(video);
  for (const path of ['poster.jpg', 'storyboard/0.jpg']) {
    expect((await ask(video, `${plan.rev}/${path}`)).status).toBe(200); // still derivable
  }
  await sweepRevision(id, plan.rev, world.media);
  const places = {
    'poster.jpg': '../poster.jpg',
    'storyboard.vtt': '../storyboard.vtt',
    'storyboard/0.jpg': `../../${next.rev}/storyboard/0.jpg`,
    'thumb/7.jpg': '../../thumb/5.jpg',
  };
  for (const [path, place] of Object.entries(places)) {
    const answer = await ask(video, `${plan.rev}/${path}`);
    expect([answer.status, answer.headers.get('location')]).toEqual([302, place]);
    const { pathname } = new URL(place, `http://cdn/v/${id}/${plan.rev}/${path}`);
    expect((await ask(video, pathname.slice(`/v/${id}/`.length))).status).toBe(200);
  }
  expect((await ask(video, `${plan.rev}/180p/00000.ts`)).status).toBe(404);
});

test('a moment between two thumbnails leads to the one that shows it', async () => {
  const video = await uploaded(film);
  await superseded(video);
  const answer = await ask(video, 'thumb/8.jpg');
  expect([answer.status, answer.headers.get('location')]).toEqual([302, '5.jpg']);
});
