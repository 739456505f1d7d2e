// A chunk that takes longer than its function lives: what is whole of it is kept, the rest is asked for again, and nothing is
// made up for what was merely cut off. ffmpeg is held up by a source that stops in its middle, and ended there.

import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { artifactKey, isWholeArtifact } from '../../core/artifacts/artifacts.ts';
import type { SegmentArtifact } from '../../core/artifacts/artifact.ts';
import { encodeArguments } from '../../core/encoding/segment-arguments.ts';
import type { CutSegment, ReadFile, Run } from '../../core/formats/format.ts';
import { formatOf } from '../../core/formats/formats.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { framesOfSegment, segmentCount } from '../../core/plan/grid.ts';
import { renditionNames, renditionsOf } from '../../core/plan/plan.ts';
import { runOf, segmentsOf } from '../../core/plan/segments.ts';
import { prewarmedStills } from '../../core/work/work.ts';
import { withRangeServer } from '../../machine/range-server.ts';
import { deriveWork } from '../../pipeline/derive/derive.ts';
import type { Reply, SegmentsTask, Task } from '../../pipeline/sandbox/sandbox.ts';
import { sourceOf } from '../../pipeline/source/ranges.ts';
import { binaries, ffmpeg, temporaryDirectory } from '../support/media.ts';
import { numberedPictures, numbersIn } from '../support/numbered.ts';
import { joined, plannedFile } from '../support/stream.ts';

const SECONDS = 24;
const PLENTY = 900;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let path: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  path = join(directory.path, 'clip.mov');
  // Of so many bytes that it is read piece by piece.
  const picture = `${numberedPictures('25', SECONDS)},noise=alls=40:allf=t`;
  await ffmpeg(
    ...['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', `sine=440:r=48000:d=${SECONDS}`],
    ...[
      '-c:v',
      'mjpeg',
      '-q:v',
      '1',
      '-pix_fmt',
      'yuvj444p',
      '-c:a',
      'pcm_s16le',
      '-movflags',
      '+faststart',
      path,
    ],
  );
  expect((await stat(path)).size).toBeGreaterThan(12e6);
});
afterAll(() => directory.remove());

async function video(source = path) {
  const room = await temporaryDirectory();
  const { id, world, plan } = await plannedFile(source, room.path);
  expect(plan.source.kind).toBe('upload');
  const count = segmentCount(plan.grid);
  const what = { kind: 'chunk' as const, from: 0, to: count, renditions: null };
  const asked: Task[] = [];
  const told: string[] = [];
  const { run } = world.sandbox;
  world.sandbox = {
    run(task, grants, tell, options) {
      asked.push(task);
      const hear = (reply: Reply) => {
        if (reply.kind === 'segment') told.push(`${reply.rendition}/${reply.index}`);
        return tell(reply);
      };
      return run(task, grants, hear, options);
    },
  };
  const bytesOf = (artifact: SegmentArtifact) => world.media.get(artifactKey(id, artifact));
  /** By rendition and index, those that are stored. */
  const stored = async (): Promise<Map<string, Uint8Array>> => {
    const found = new Map<string, Uint8Array>();
    for (const artifact of segmentsOf(plan)) {
      const bytes = await bytesOf(artifact);
      if (!bytes) continue;
      expect([artifact, isWholeArtifact(plan, artifact, bytes)]).toEqual([artifact, true]);
      found.set(`${artifact.rendition}/${artifact.index}`, bytes);
    }
    return found;
  };
  return { id, world, plan, count, chunk: { id, rev: plan.rev, what }, asked, told, stored, room };
}

type Video = Awaited<ReturnType<typeof video>>;

/** The source gives nothing of its second half, or from where it is said, until it is let go on. */
function heldUp({ world }: Video, from = 1 / 2) {
  const { readRange, head } = world.uploads;
  let isHeldUp = true;
  // Another bucket: nothing of it is kept from before.
  world.uploads = {
    ...world.uploads,
    async readRange(key, range, signal) {
      const half = (await head(key))!.sizeBytes * from;
      if (!isHeldUp || range.last < half) return readRange(key, range, signal);
      return nothingUntil(signal);
    },
  };
  return { letGoOn: () => void (isHeldUp = false) };
}

/** Says that it is still there, and nothing else. */
async function* nothingUntil(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (;;) {
    await sleep(100, undefined, { signal });
    yield new Uint8Array();
  }
}

/** Whether an encoder has begun segment `index` of each of these renditions: it has closed the files before that. */
function hasBegun(index: number, renditions: readonly string[], room: string): boolean {
  const name = `${String(index).padStart(5, '0')}.ts`;
  return readdirSync(room).some((workspace) =>
    renditions.every((rendition) => existsSync(join(room, workspace, rendition, name))),
  );
}

const indexesOf = (names: Iterable<string>, rendition: string): number[] =>
  [...names]
    .flatMap((name) => (name.startsWith(`${rendition}/`) ? [Number(name.split('/')[1])] : []))
    .sort((a, b) => a - b);

test('what is whole when time is up is kept, and the rest is made by the next call', async () => {
  const cutOff = await video();
  const { world, plan, chunk, count, room } = cutOff;
  const pictures = renditionsOf(plan, 'video').map(({ name }) => name);
  const { letGoOn } = heldUp(cutOff);
  world.secondsLeft = () => (hasBegun(2, pictures, room.path) ? 0 : PLENTY);
  expect(await deriveWork(chunk, world)).toBe('partly');
  const kept = await cutOff.stored();
  expect([...kept.keys()].sort()).toEqual([...cutOff.told].sort());
  for (const name of pictures) {
    const indexes = indexesOf(kept.keys(), name);
    expect(indexes.slice(0, 2)).toEqual([0, 1]);
    expect(indexes).toEqual(indexes.map((_, index) => index));
    expect(indexes.length).toBeLessThan(count);
  }
  expect(world.observed.filter(({ event }) => event === 'rescued' || event === 'prewarmed')).toEqual([]);

  letGoOn();
  world.secondsLeft = () => PLENTY;
  cutOff.told.length = 0;
  expect(await deriveWork(chunk, world)).toBe('done');
  const all = await cutOff.stored();
  expect(all.size).toBe(count * plan.renditions.length);
  expect(cutOff.told.sort()).toEqual([...all.keys()].filter((name) => !kept.has(name)).sort());
  for (const [name, bytes] of kept) expect([name, all.get(name)]).toEqual([name, bytes]);
  const second = cutOff.asked.at(-1) as SegmentsTask;
  const firstMissing = Math.min(...renditionNames(plan).map((name) => indexesOf(kept.keys(), name).length));
  expect(second).toMatchObject({ from: firstMissing, to: count });
  // As it would have been made in one go.
  const undisturbed = await video();
  expect(await deriveWork(undisturbed.chunk, undisturbed.world)).toBe('done');
  const made = await undisturbed.stored();
  const frames = framesOfSegment(plan.grid, count - 1).to;
  for (const { name } of renditionsOf(plan, 'video')) {
    const numbers = await numbersIn(await joined(all, name, directory.path));
    expect(numbers).toEqual(Array.from({ length: frames }, (_, number) => number));
  }
  for (const { name } of renditionsOf(plan, 'audio')) {
    const [ours, theirs] = [all, made].map((segments) =>
      indexesOf(segments.keys(), name).map((index) => segments.get(`${name}/${index}`)!.length),
    );
    for (const index of indexesOf(kept.keys(), name)) {
      expect(kept.get(`${name}/${index}`)).toEqual(made.get(`${name}/${index}`));
    }
    expect(ours).toHaveLength(theirs!.length);
  }
  await Promise.all([room.remove(), undisturbed.room.remove()]);
});

test('of a run whose beginning is damaged no picture is kept in the place of another', async () => {
  const bytes = Buffer.from(await readFile(path));
  bytes.fill(0, Math.floor((bytes.length * 4.6) / SECONDS), Math.floor((bytes.length * 7) / SECONDS));
  const damaged = join(directory.path, 'damaged.mov');
  await writeFile(damaged, bytes);
  const cutOff = await video(damaged);
  const { world, plan, chunk, count, room } = cutOff;
  const pictures = renditionsOf(plan, 'video').map(({ name }) => name);
  const from = 3;
  // Its first picture that can be decoded is one of a second later.
  expect(framesOfSegment(plan.grid, from)).toMatchObject({ from: 150 });
  heldUp(cutOff, 0.85);
  world.secondsLeft = () => (hasBegun(from + 2, pictures, room.path) ? 0 : PLENTY);
  const part = { ...chunk, what: { ...chunk.what, from, to: count } };
  await deriveWork(part, world).catch((error: unknown) => expect(error).toMatchObject({ code: 'TIMED_OUT' }));
  const kept = await cutOff.stored();
  expect(pictures.flatMap((name) => indexesOf(kept.keys(), name))).toEqual([]);
  await room.remove();
});

test('what looks whole is not kept where it may have been half written', async () => {
  const cutOff = await video();
  const { world, chunk, plan, count, room } = cutOff;
  const written = join(room.path, 'written');
  const ffmpegPath = join(directory.path, 'ffmpeg-that-hangs');
  const [rung, ...rungs] = renditionsOf(plan, 'video').map(({ name }) => name);
  const [sound, ...sounds] = renditionsOf(plan, 'audio').map(({ name }) => name);
  // Everything is written but the end of one rung, from its fourth segment's last packet on, and of one sound.
  await writeFile(
    ffmpegPath,
    `#!/bin/sh
[ "$1" = -version ] && exec ${binaries.ffmpegPath} -version
${binaries.ffmpegPath} "$@" || exit 1
cd ${room.path}/encode-*/ || exit 1
truncate -s -188 ${rung}/00003.ts
rm ${rung}/00004.ts ${rung}/00005.ts
truncate -s -1 ${sound}/all.adts
: > ${written}
exec sleep 3600
`,
    { mode: 0o755 },
  );
  world.tools = { ...world.tools, binaries: { ...binaries, ffmpegPath } };
  world.secondsLeft = () => (existsSync(written) ? 0 : PLENTY);
  const half = { ...chunk, what: { ...chunk.what, to: 6 } };
  expect(count).toBeGreaterThan(6);
  expect(await deriveWork(half, world)).toBe('partly');
  const kept = [...(await cutOff.stored()).keys()];
  expect(indexesOf(kept, rung!)).toEqual([0, 1, 2]);
  for (const name of rungs) expect(indexesOf(kept, name)).toEqual([0, 1, 2, 3, 4]);
  // What is encoded around a run, so that it begins and ends as if it went on, is not missed.
  for (const name of [sound!, ...sounds]) expect(indexesOf(kept, name)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(world.observed.filter(({ event }) => event === 'rescued')).toEqual([]);
  await room.remove();
});

test('where time is up before anything is begun, or whole, nothing is stored, and that is an outage', async () => {
  const cutOff = await video();
  const { world, chunk, plan, count, room } = cutOff;
  world.secondsLeft = () => 59; // of which a minute is for storing
  await expect(deriveWork(chunk, world)).rejects.toMatchObject({ code: 'TIMED_OUT' });
  const pictures = renditionsOf(plan, 'video').map(({ name }) => name);
  heldUp(cutOff);
  // The last segment of the half that there is: whether it is whole nobody knows before the next one begins.
  const [from, to] = [count / 2 - 1, count / 2 + 1];
  world.secondsLeft = () => (hasBegun(from, pictures, room.path) ? 0 : PLENTY);
  await expect(deriveWork({ ...chunk, what: { ...chunk.what, from, to } }, world)).rejects.toMatchObject({
    code: 'TIMED_OUT',
  });
  expect((await cutOff.stored()).size).toBe(0);
  expect(readdirSync(room.path)).toEqual([]);
  await room.remove();
});

test('of the pictures those that are made in time are kept, and the others by the next call', async () => {
  const { id, world, plan, room } = await video();
  const stills = { id, rev: plan.rev, what: { kind: 'stills' as const, thumbs: [] } };
  const keys = prewarmedStills(plan).map((artifact) => artifactKey(id, artifact));
  const stored = async () => (await Promise.all(keys.map((key) => world.media.get(key)))).filter(Boolean);
  let isOver = true;
  world.secondsLeft = () => (isOver ? 5 : PLENTY);
  await expect(deriveWork(stills, world)).rejects.toMatchObject({ code: 'TIMED_OUT' });
  expect(await stored()).toEqual([]);

  isOver = false;
  const { put } = world.media;
  world.media = {
    ...world.media,
    put: (...object: Parameters<typeof put>) => {
      isOver = true; // with the first of them
      return put(...object);
    },
  };
  expect(await deriveWork(stills, world)).toBe('partly');
  const kept = (await stored()).length;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(keys.length);
  // None more can be made: that is not progress.
  await expect(deriveWork(stills, world)).rejects.toMatchObject({ code: 'TIMED_OUT' });

  world.secondsLeft = () => PLENTY;
  expect(await deriveWork(stills, world)).toBe('done');
  expect(await stored()).toHaveLength(keys.length);
  await room.remove();
});

test('what a rescue has no time for is left out, and what needs none is kept', async () => {
  const cutOff = await video();
  const { world, chunk, plan, count, room } = cutOff;
  const begun = join(room.path, 'second-process');
  const ffmpegPath = join(directory.path, 'ffmpeg-that-loses-a-segment');
  // Of the first process a segment is lost, so that there is a second one, which hangs.
  const [rung] = renditionsOf(plan, 'video');
  await writeFile(
    ffmpegPath,
    `#!/bin/sh
[ "$1" = -version ] && exec ${binaries.ffmpegPath} -version
[ -e ${room.path}/first-process ] && { : > ${begun}; exec sleep 3600; }
: > ${room.path}/first-process
${binaries.ffmpegPath} "$@" && rm ${room.path}/encode-*/${rung!.name}/00003.ts
`,
    { mode: 0o755 },
  );
  world.tools = { ...world.tools, binaries: { ...binaries, ffmpegPath } };
  world.secondsLeft = () => (existsSync(begun) ? 0 : PLENTY);
  expect(await deriveWork(chunk, world)).toBe('partly');
  const kept = await cutOff.stored();
  const sounds = renditionsOf(plan, 'audio').map(({ name }) => name);
  expect([...kept.keys()].sort()).toEqual(
    sounds.flatMap((name) => Array.from({ length: count }, (_, index) => `${name}/${index}`)).sort(),
  );
  expect(world.observed.filter(({ event }) => event === 'rescued')).toEqual([]);

  world.tools = { ...world.tools, binaries };
  world.secondsLeft = () => PLENTY;
  expect(await deriveWork(chunk, world)).toBe('done');
  expect((cutOff.asked.at(-1) as SegmentsTask).renditions).toEqual(
    renditionsOf(plan, 'video').map(({ name }) => name),
  );
  expect((await cutOff.stored()).size).toBe(count * plan.renditions.length);
  await room.remove();
});

describe('of what ffmpeg wrote before it was cut off', () => {
  let room: Awaited<ReturnType<typeof temporaryDirectory>>;
  let runs: Run[];
  beforeAll(async () => {
    const made = await video();
    const { id, plan, world } = made;
    room = made.room;
    const renditions = renditionNames(plan);
    for (const name of renditions) await mkdir(join(room.path, name));
    await withRangeServer(sourceOf(id, plan.source, world), async ({ url: sourceUrl }) => {
      const job = { plan, renditions, from: 0, to: 4, sourceUrl, directory: room.path };
      await ffmpeg(...encodeArguments(job, DEFAULT_LIMITS));
      runs = plan.renditions.map((rendition) => runOf(plan, rendition, job));
    });
  });
  afterAll(() => room.remove());

  /** The segments that are cut of a run, until there is one that cannot be. */
  async function cutOf(run: Run, read: ReadFile): Promise<CutSegment[]> {
    const segments: CutSegment[] = [];
    try {
      for await (const segment of formatOf(run.rendition).cut(run, read)) segments.push(segment);
    } catch {
      // What it is about.
    }
    return segments;
  }

  test('no segment of pictures is kept before the next is begun, be it of as many pictures as planned', async () => {
    const [run] = runs.filter(({ rendition }) => rendition.kind === 'video');
    const lastPacket = 188;
    const read: ReadFile = async (name) => {
      if (name === '00003.ts') throw new Error('it is not begun');
      const bytes = await readFile(join(run!.directory, name));
      return name === '00002.ts' ? bytes.subarray(0, -lastPacket) : bytes;
    };
    const indexes = async (isCutOff: boolean) =>
      (await cutOf({ ...run!, isCutOff }, read)).map(({ index }) => index);
    expect(await indexes(true)).toEqual([0, 1]);
    // Which does not show.
    expect(await indexes(false)).toEqual([0, 1, 2]);
  });

  test('sound is kept to its last whole frame, wherever it was cut off', async () => {
    const [run] = runs.filter(({ rendition }) => rendition.kind === 'audio');
    const bytes = await readFile(join(run!.directory, 'all.adts'));
    const cutAt = async (length: number, isCutOff: boolean) => {
      const segments = await cutOf({ ...run!, isCutOff }, () => Promise.resolve(bytes.subarray(0, length)));
      return segments.map(({ parts }) => Buffer.concat(parts).toString('hex'));
    };
    const whole = await cutAt(bytes.length, false);
    expect(whole).toHaveLength(4);
    let most = 0;
    for (let length = 0; length < bytes.length + 4099; length += 4099) {
      const found = await cutAt(length, true);
      expect(found).toEqual(whole.slice(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(most);
      most = found.length;
    }
    expect(most).toBe(4);
  });
});
