// A chunk is done when everything in it is told to be stored, and nothing else is taken for it.

import { join } from 'node:path';
import { OutageError } from '../../core/errors.ts';
import { artifactKey, isWholeArtifact } from '../../core/artifacts/artifacts.ts';
import { planKey } from '../../core/artifacts/keys.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { deriveWork } from '../../pipeline/derive/derive.ts';
import type { Grants, Reply, Sandbox } from '../../pipeline/sandbox/sandbox.ts';
import { cleanedUp } from '../support/janitor.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { plannedFile } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let path: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  path = join(directory.path, 'clip.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=192x108:r=25:d=8'];
  const sound = ['-f', 'lavfi', '-i', 'sine=440:r=48000:d=8'];
  await ffmpeg(...picture, ...sound, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path);
});
afterAll(() => directory.remove());

async function video() {
  const { id, world, plan } = await plannedFile(path, directory.path);
  const what = { kind: 'chunk' as const, from: 0, to: segmentCount(plan.grid), renditions: null };
  const made = () => world.media.keys().filter((key) => /\.(ts|aac)$/.test(key));
  return { id, world, plan, chunk: { id, rev: plan.rev, what }, made };
}

type Run = Sandbox['run'];
const changed = (
  sandbox: Sandbox,
  change: (grants: Grants) => {
    grants?: Grants;
    tell?: (reply: Reply, tell: Parameters<Run>[2]) => Promise<void> | void;
  },
): Sandbox => ({
  run: (task, grants, tell, options) => {
    const { grants: others = grants, tell: told = (reply, on) => on(reply) } = change(grants);
    return sandbox.run(task, others, (reply) => told(reply, tell), options);
  },
});

test('where one segment cannot be stored the chunk has not been made, however many can', async () => {
  const { world, chunk, made } = await video();
  world.sandbox = changed(world.sandbox, (grants) => {
    const [name, first] = [...grants.segments!][0]!;
    const put = () => Promise.reject(new OutageError('STORAGE_FULL'));
    return { grants: { ...grants, segments: new Map([...grants.segments!, [name, { ...first, put }]]) } };
  });
  await expect(deriveWork(chunk, world)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect(made().length).toBeGreaterThan(0);
  expect(world.observed.some(({ event }) => event === 'prewarmed')).toBe(false);
});

test.each<[string, (reply: Reply, tell: (reply: Reply) => Promise<void> | void) => Promise<void> | void]>([
  [
    'keeps quiet of a segment',
    (reply, tell) => (reply.kind === 'segment' && reply.index === 1 ? undefined : tell(reply)),
  ],
  [
    'tells of one twice',
    async (reply, tell) => (await tell(reply), reply.kind === 'segment' ? tell(reply) : undefined),
  ],
  [
    'makes another rendition',
    (reply, tell) => tell(reply.kind === 'segment' ? { ...reply, rendition: '8640p' } : reply),
  ],
  [
    'makes a segment beyond the chunk',
    (reply, tell) => tell(reply.kind === 'segment' ? { ...reply, index: 99 } : reply),
  ],
])('a sandbox that %s has not made the chunk', async (_, tell) => {
  const { world, chunk } = await video();
  world.sandbox = changed(world.sandbox, () => ({ tell }));
  await expect(deriveWork(chunk, world)).rejects.toMatchObject({ code: 'TOOL_UNAVAILABLE' });
});

test('what is stored when the video is deleted goes, though nobody tells of it any more', async () => {
  const { id, world, plan, chunk, made } = await video();
  world.sandbox = changed(world.sandbox, () => ({
    async tell(reply) {
      if (reply.kind !== 'segment') return;
      await world.media.delete([planKey(id, plan.rev)]);
      throw new OutageError('TOOL_UNAVAILABLE', 'The connection broke.');
    },
  }));
  await expect(deriveWork(chunk, world)).rejects.toThrow();
  await cleanedUp(world);
  expect(made()).toEqual([]);
});

test('what is there is neither stored nor sent again', async () => {
  const { world, chunk, made } = await video();
  await deriveWork(chunk, world);
  const [lost] = made();
  await world.media.delete([lost!]);
  const replies: Reply[] = [];
  world.sandbox = changed(world.sandbox, () => ({
    tell: (reply, tell) => (replies.push(reply), tell(reply)),
  }));
  await deriveWork(chunk, world);
  expect(replies.map(({ kind }) => kind)).toEqual(['segment', 'read']);
  expect(made()).toContain(lost);
});

test('what is there is seen in one listing of each rendition, no longer than the chunk, and nothing is asked for', async () => {
  const { world, plan, chunk, made } = await video();
  await deriveWork(chunk, world);
  const before = made();
  expect(segmentCount(plan.grid)).toBe(4);
  const lists: { keys: string[] }[] = [];
  const heads: string[] = [];
  const { list, head } = world.media;
  world.media.list = async function* (...asked) {
    const keys: string[] = [];
    lists.push({ keys });
    for await (const object of list(...asked)) {
      keys.push(object.key);
      yield object;
    }
  };
  world.media.head = (key) => (heads.push(key), head(key));
  world.sandbox = { run: () => Promise.reject(new Error('nothing is missing')) };
  await deriveWork({ ...chunk, what: { ...chunk.what, from: 1, to: 3 } }, world);
  expect(lists).toHaveLength(plan.renditions.length);
  // The last one of all tells that the chunk is over.
  for (const { keys } of lists) {
    expect(keys.map((key) => key.replace(/.*\/(\d+)\.\w+$/, '$1'))).toEqual(['00001', '00002', '00003']);
  }
  expect(heads.filter((key) => before.includes(key))).toEqual([]);
});

test('what was stored as nothing is made again, and nothing else is', async () => {
  const { world, plan, chunk, made } = await video();
  await deriveWork(chunk, world);
  const [damaged] = made().filter((key) => key.endsWith('/00002.ts'));
  const before = new Map(
    await Promise.all(made().map(async (key) => [key, await world.media.get(key)] as const)),
  );
  await world.media.put(damaged!, '', { contentType: 'video/mp2t' });
  await deriveWork(chunk, world);
  for (const [key, bytes] of before) {
    if (key !== damaged) expect([key, await world.media.get(key)]).toEqual([key, bytes]);
  }
  const [, rendition] = /([^/]+)\/00002\.ts$/.exec(damaged!)!;
  const segment = segmentsOf(plan, [rendition!], { from: 2, to: 3 })[0]!;
  expect(isWholeArtifact(plan, segment, (await world.media.get(damaged!))!)).toBe(true);
});

test('segments beyond the hundred thousandth, which no longer sort by their number, are seen as well', async () => {
  const { id, world, plan, chunk } = await video();
  const long = { ...plan, grid: { ...plan.grid, frameCount: 100_010 * plan.grid.segmentFrames } };
  const [from, to] = [99_998, 100_002];
  for (const artifact of segmentsOf(long, undefined, { from, to })) {
    await world.media.put(artifactKey(id, artifact), 'stored', { contentType: 'video/mp2t' });
  }
  world.sandbox = { run: () => Promise.reject(new Error('nothing is missing')) };
  await deriveWork({ ...chunk, what: { ...chunk.what, from, to } }, world);
});
