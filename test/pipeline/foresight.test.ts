// The first segments of a video are begun before its plan is decided, and count where the plan makes the same.

import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { openingRenditions } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { derive } from '../../pipeline/derive/derive.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import { putCard } from '../support/life.ts';
import { binaries, ffmpeg, temporaryDirectory } from '../support/media.ts';
import { withTools, worldIn } from '../support/world.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clip: string;
/** What encoders were asked to do, a line each. */
let log: string;
let logging: typeof binaries;

beforeAll(async () => {
  directory = await temporaryDirectory();
  clip = join(directory.path, 'clip.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=9'];
  const sound = ['-f', 'lavfi', '-i', 'sine=440:r=48000:d=9'];
  await ffmpeg(...picture, ...sound, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', clip);
  log = join(directory.path, 'log');
  const ffmpegPath = join(directory.path, 'logging-ffmpeg');
  // Only encoders may write files.
  const script = `case "$*" in *-filter_complex*) echo "$*" | tr '\\n' ' ' >> ${log}; echo >> ${log};; esac`;
  await writeFile(ffmpegPath, `#!/bin/sh\n${script}\nexec ${binaries.ffmpegPath} "$@"\n`);
  await chmod(ffmpegPath, 0o755);
  logging = { ...binaries, ffmpegPath };
});
beforeEach(() => writeFile(log, ''));
afterAll(() => directory.remove());

async function planned(path: string) {
  const id = newVideoId(new Date());
  const tools = { binaries: logging, temporaryDirectory: directory.path };
  const world = withTools(worldIn(directory.path), tools);
  await putCard(id, world);
  await world.uploads.put(sourceKey(id), await readFile(path), { contentType: 'video/mp4' });
  return { id, world, plan: await currentPlan(id, world) };
}

/** The first segments of what a player begins with. */
const openingOf = (plan: Plan) =>
  segmentsOf(
    plan,
    openingRenditions(plan).map(({ name }) => name),
    { from: 0, to: 1 },
  );

const encodings = async (): Promise<string[]> =>
  (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');

test('what the file claims is true: each is encoded once, and stored when it is asked for', async () => {
  const { id, world, plan } = await planned(clip);
  const opening = openingOf(plan);
  expect(opening).toHaveLength(2);
  for (const segment of opening) expect(world.media.keys()).not.toContain(artifactKey(id, segment));
  for (const segment of opening) {
    const bytes = await derive(id, segment, world);
    expect(Buffer.from((await world.media.get(artifactKey(id, segment)))!).equals(Buffer.from(bytes))).toBe(
      true,
    );
  }
  expect(await encodings()).toHaveLength(2);
  expect(world.observed.filter(({ event }) => event === 'derived')).toHaveLength(2);
});

test('what was begun is given away once: lost from the store, it is made again', async () => {
  const { id, world, plan } = await planned(clip);
  const [segment] = openingOf(plan);
  const first = await derive(id, segment!, world);
  await world.media.delete([artifactKey(id, segment!)]);
  const second = await derive(id, segment!, world);
  expect(second.length).toBeGreaterThan(0.9 * first.length);
  const ofIt = (await encodings()).filter((line) => line.includes(`/${segment!.rendition}/`));
  expect(ofIt).toHaveLength(2);
});

test('what the file claims is not true: the segments are those of the plan', async () => {
  // Its index promises as much, but the file ends in the middle: what it holds is what is planned.
  const whole = await readFile(clip);
  const faststart = join(directory.path, 'faststart.mp4');
  await ffmpeg('-i', clip, '-c', 'copy', '-movflags', '+faststart', faststart);
  const bytes = await readFile(faststart);
  const cut = join(directory.path, 'cut.mp4');
  await writeFile(cut, bytes.subarray(0, Math.floor(0.6 * whole.length)));
  const { id, world, plan } = await planned(cut);
  expect(plan.grid.frameCount).toBeLessThan(200);
  const [picture] = openingOf(plan);
  await derive(id, picture!, world);
  // Begun by what was claimed, and then made by what was decided.
  const ofIt = (await encodings()).filter((line) => line.includes(`/${picture!.rendition}/`));
  expect(ofIt.length).toBeGreaterThanOrEqual(1);
  expect(world.observed.some(({ event }) => event === 'refused')).toBe(false);
});

test('an encoder that fails early costs nothing but its time', async () => {
  const failing = join(directory.path, 'failing-ffmpeg');
  const marker = join(directory.path, 'failed');
  await appendFile(marker, '');
  // The first encoder of all is killed; what asks for the segment has it made by another.
  await writeFile(
    failing,
    `#!/bin/sh\ncase "$*" in *-filter_complex*) echo x >> ${marker}; [ "$(wc -l < ${marker})" -gt 2 ] || kill -KILL $$;; esac\nexec ${binaries.ffmpegPath} "$@"\n`,
  );
  await chmod(failing, 0o755);
  const id = newVideoId(new Date());
  const tools = { binaries: { ...binaries, ffmpegPath: failing }, temporaryDirectory: directory.path };
  const world = withTools(worldIn(directory.path), tools);
  await putCard(id, world);
  await world.uploads.put(sourceKey(id), await readFile(clip), { contentType: 'video/mp4' });
  for (const segment of openingOf(await currentPlan(id, world))) {
    expect((await derive(id, segment, world)).length).toBeGreaterThan(1000);
  }
});
