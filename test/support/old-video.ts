// A ready video of a former release, in memory, and what operators, workers and the sweep do with it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { firstPlanKey, planKey, revisionsKey, sourceKey } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { PrewarmExtent } from '../../core/plan/plan-for.ts';
import { FIRST_RECIPE } from '../../core/recipes/first.ts';
import { PLAN } from '../../core/records/plan.ts';
import { REVISIONS } from '../../core/records/revisions.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { planSource } from '../../pipeline/life/plan-source.ts';
import type { NewList } from '../../core/work/admission.ts';
import { replan } from '../../pipeline/revisions/replan.ts';
import type { Replanned } from '../../pipeline/revisions/replan.ts';
import { onlyRevision, revisionsOf } from '../../pipeline/revisions/revisions.ts';
import { createRecord } from '../../pipeline/store.ts';
import type { Store } from '../../pipeline/store.ts';
import { sweepRevisions } from '../../pipeline/revisions/sweep.ts';
import type { Sweep } from '../../pipeline/revisions/sweep.ts';
import { videoStatus } from '../../pipeline/life/video-status.ts';
import type { VideoStatus } from '../../pipeline/life/video-status.ts';
import { executed, lived, uploadedIn } from './life.ts';
import type { TestWorld } from './life.ts';
import { ffmpeg, temporaryDirectory } from './media.ts';
import { memoryStore } from './memory-store.ts';
import { planOfFirstRelease, plannedBy } from './old-plan.ts';

export const GRACE_SECONDS = 7 * 24 * 3600;
export const OLD = 'aaaaaaaaaa';
export const json = { contentType: 'application/json' };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** Three segments of 480p, 360p and sound, of few pictures. */
let clip: Uint8Array;

/** To be called before all tests of a file. Resolves with what ends it. */
export async function openOldVideos(): Promise<() => Promise<void>> {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'clip.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=852x480:r=5:d=9', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=9'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-c:a', 'aac', path],
  );
  clip = await readFile(path);
  return () => directory.remove();
}

export interface Video {
  id: string;
  world: TestWorld;
  old: Plan;
}

/** How a release kept a plan that was the only one of its video. */
export type Keeping = (id: string, plan: Plan, media: Store) => Promise<void>;

export const asOnlyRevision: Keeping = async (id, plan, media) => {
  await createRecord(media, PLAN, planKey(id, plan.rev), plan);
  await createRecord(media, REVISIONS, revisionsKey(id), onlyRevision(plan.rev));
};

/** As 8e3bc33 did: without recipe and version. */
export const asOnlyPlan: Keeping = async (id, plan, media) => {
  await media.put(firstPlanKey(id), JSON.stringify(planOfFirstRelease(plan)), json);
};

export const KEPT: [string, Keeping][] = [
  ['as one revision', asOnlyRevision],
  ['as 8e3bc33 did', asOnlyPlan],
];

/** A video that was planned by the first recipe, and is ready. Each kind is made once, and copied. */
export async function oldVideo({
  prewarm = 'all' as PrewarmExtent,
  keep = asOnlyRevision,
} = {}): Promise<Video> {
  const name = `${prewarm} ${keep.name}`;
  const video = made.get(name) ?? makeOldVideo(prewarm, keep);
  made.set(name, video);
  return copyOf(await video);
}

const made = new Map<string, Promise<Video>>();

async function makeOldVideo(prewarm: PrewarmExtent, keep: Keeping): Promise<Video> {
  const { id, world } = await uploadedIn(directory.path, clip);
  world.settings.prewarm = prewarm;
  const source = await world.uploads.head(sourceKey(id));
  const { plan } = await planSource(id, source!, world);
  const old = { ...plannedBy(plan, FIRST_RECIPE), rev: OLD };
  await keep(id, old, world.media);
  expect(await lived({ id, world })).toMatchObject({ state: 'ready' });
  return { id, world, old };
}

export async function copyOf({ id, world, old }: Video): Promise<Video> {
  const [media, uploads] = await Promise.all([world.media, world.uploads].map(copyOfStore));
  return { id, old, world: { ...world, media: media!, uploads: uploads!, settings: { ...world.settings } } };
}

async function copyOfStore(store: TestWorld['media']): Promise<TestWorld['media']> {
  const copy = memoryStore();
  for (const key of store.keys()) await copy.put(key, (await store.get(key))!, json);
  return copy;
}

export interface Asked {
  answer: Replanned;
  /** The lists that were queued. */
  requests: NewList[];
}

export async function replanned({ id, world }: Video, now = new Date()): Promise<Asked> {
  const requests: NewList[] = [];
  const answer = await replan(id, world, async (request) => void requests.push(request), now);
  return { answer, requests };
}

/** Planned anew, and all of it made. Returns the new revision. */
export async function succeeded(video: Video): Promise<string> {
  const { answer, requests } = await replanned(video);
  for (const request of requests) await executed(request, video.world);
  expect(await revisionsOf(video.id, video.world.media)).toMatchObject({ current: answer.rev, next: null });
  return answer.rev;
}

export const statusOf = ({ id, world }: Video): Promise<VideoStatus> =>
  videoStatus(id, world, (video) => `https://cdn.example/v/${video}/master.m3u8`);

/** The same clip, uploaded and not planned. */
export const unplannedVideo = () => uploadedIn(directory.path, clip);

export const textOf = async (key: string, { world }: Video): Promise<string> =>
  String(await world.media.get(key));

/** All that is stored, to be compared with what is stored later. */
export async function stored({ world }: Video): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const key of world.media.keys()) {
    found.set(key, Buffer.from((await world.media.get(key))!).toString('base64'));
  }
  return found;
}

export const without = (objects: Map<string, string>, ...keys: string[]): Map<string, string> =>
  new Map([...objects].filter(([key]) => !keys.includes(key)));

export const segmentOf = (plan: Plan, rendition: string, index: number): Artifact =>
  segmentsOf(plan, [rendition], { from: index, to: index + 1 })[0]!;

/** The sweep so many seconds from now, and the worker after it. */
export async function swept({ world }: Video, inSeconds: number): Promise<Omit<Sweep, 'isComplete'>> {
  const requests: NewList[] = [];
  const { isComplete, ...sweep } = await sweepRevisions(world, {
    now: new Date(Date.now() + inSeconds * 1000),
    graceSeconds: GRACE_SECONDS,
    enqueue: async (request) => void requests.push(request),
    isTimeUp: () => false,
  });
  expect(isComplete).toBe(true);
  for (const request of requests) await executed(request, world);
  return sweep;
}

export function wasCutOff(error: Error): false {
  expect(error.message).toBe('cut off');
  return false;
}

/** A store that writes and deletes so many times, and then no more. */
export function failingAfter(calls: number, media: TestWorld['media']): Store {
  let left = calls;
  const counted =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (left === 0) throw new Error('cut off');
      left -= 1;
      return call(...args);
    };
  return { ...media, put: counted(media.put), delete: counted(media.delete) };
}
