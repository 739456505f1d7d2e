// What a prewarm reads of its source, in bytes: on one machine, where a chunk finds what the one before it has read, and
// where each chunk is a function of its own.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Work } from '../../core/records/work.ts';
import { workFor } from '../../core/work/work.ts';
import { deriveWork } from '../../pipeline/derive/derive.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import { putCard } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { worldIn } from '../support/world.ts';

const MOST_READ = 1.1;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** Small pictures of noise: much to read, little to do. */
const noise = (rate: number, seconds: number) => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=128x72:r=${rate}:d=${seconds},noise=alls=60:allf=t`],
  ...['-f', 'lavfi', '-i', `sine=440:r=48000:d=${seconds}`],
];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-b:a', '64k'];

/** With the lengths, in segments, of the chunks in a list that is made one after the other on one machine. */
const KINDS: [kind: string, name: string, length: number, ffmpegArguments: string[]][] = [
  ['139 s at 10 fps', 'slow.mp4', 12, [...noise(10, 139), ...H264, '-b:v', '400k']],
  ['a clip of 20 s', 'clip.mp4', 2, [...noise(25, 20), ...H264, '-b:v', '800k', '-movflags', '+faststart']],
  ['a copied recording', 'recording.ts', 4, [...noise(25, 40), ...H264, '-b:v', '700k']],
  ['keyframes 20 s apart', 'screen.mp4', 8, [...noise(10, 100), ...H264, '-b:v', '400k', '-g', '200']],
  [
    'one picture with ten minutes of sound',
    'still.mp4',
    60,
    [
      ...['-f', 'lavfi', '-i', 'color=c=red:s=160x90:r=1/600:d=600', '-f', 'lavfi', '-i', 'sine=440:d=600'],
      ...[...H264, '-b:a', '16k'],
    ],
  ],
];

interface Video {
  id: string;
  plan: Plan;
  world: ReturnType<typeof worldIn>;
}

async function videoOf(path: string): Promise<Video> {
  const id = newVideoId(new Date());
  const world = worldIn(directory.path);
  await putCard(id, world);
  await world.uploads.put(sourceKey(id), await readFile(path), { contentType: 'video/mp4' });
  return { id, world, plan: await currentPlan(id, world) };
}

/** As a share of the source's. */
async function bytesRead(
  { world, plan }: Video,
  work: readonly Work[],
  worldOf: () => Video['world'],
): Promise<number> {
  const before = world.observed.length;
  for (const item of work) await deriveWork(item, worldOf());
  const read = world.observed
    .slice(before)
    .map((each) => (each.event === 'prewarmed' ? each.sourceBytesRead : 0));
  expect(read.filter((bytes) => bytes > 0).length).toBeGreaterThan(0);
  return read.reduce((sum, bytes) => sum + bytes, 0) / plan.source.sizeBytes;
}

/** Another process: nothing is kept for it. */
const elsewhere = (world: Video['world']): Video['world'] => ({ ...world, uploads: { ...world.uploads } });

const chunksOf = ({ id, plan }: Video, length: number): Work[] =>
  Array.from({ length: Math.ceil(segmentCount(plan.grid) / length) }, (_, index) => ({
    ...{ id, rev: plan.rev },
    what: {
      kind: 'chunk',
      from: index * length,
      to: Math.min(segmentCount(plan.grid), (index + 1) * length),
      renditions: null,
    },
  }));

test.each(KINDS)(
  '%s is hardly read more than once, where each chunk is a function of its own and where all are made on one machine',
  async (_, name, length, ffmpegArguments) => {
    const path = join(directory.path, name);
    await ffmpeg(...ffmpegArguments, path);
    const apart = await videoOf(path);
    const work = workFor(apart.id, apart.plan).filter(({ what }) => what.kind === 'chunk');
    expect(await bytesRead(apart, work, () => elsewhere(apart.world))).toBeLessThanOrEqual(MOST_READ);

    const together = await videoOf(path);
    const short = chunksOf(together, length);
    expect(short.length).toBeGreaterThan(1);
    expect(await bytesRead(together, short, () => together.world)).toBeLessThanOrEqual(MOST_READ);
  },
);
