// Segments that somebody waited for and those that were made ahead of time, mixed: a player cannot tell.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { valueOf } from '../../core/fraction.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { framesOfSegment, segmentCount } from '../../core/plan/grid.ts';
import type { Effort, Plan } from '../../core/plan/plan.ts';
import { withRangeServer } from '../../machine/range-server.ts';
import { derive, deriveWork } from '../../pipeline/derive/derive.ts';
import { encode } from '../../pipeline/encode/encode.ts';
import { binaries, ffmpeg, fileSource, temporaryDirectory } from '../support/media.ts';
import { joined, pictures, plannedFile } from '../support/stream.ts';
import { withTools } from '../support/world.ts';

const RUNG = '360p';
/** Of SSIM. A step in quality that is smaller than this is not seen. */
const TOLERANCE = 0.01;
/** Pictures on either side of a join. */
const AROUND = 5;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let file: string;
let plan: Plan;
const made = {} as Record<Effort, Uint8Array[]>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  file = join(directory.path, 'film.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=24:d=8', '-vf', 'rotate=n/90'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '10', '-pix_fmt', 'yuv420p', file],
  );
  ({ plan } = await plannedFile(file, directory.path));
  const count = segmentCount(plan.grid);
  made.thorough = await segmentsOf('thorough', [{ from: 0, to: count }]);
  made.quick = await segmentsOf(
    'quick',
    Array.from({ length: count }, (_, from) => ({ from, to: from + 1 })),
  );
});
afterAll(() => directory.remove());

test('what is made ahead of time takes fewer bits', () => {
  const [thorough, quick] = [made.thorough, made.quick].map((segments) => Buffer.concat(segments).length);
  expect(thorough).toBeLessThan(quick!);
});

test.each([
  ['a prewarm leaves the rest to be thorough', DEFAULT_LIMITS.encodeMemoryBytes, 'thorough'],
  ['where memory is short, so does a prewarm', 2 * 1024 ** 3, 'quick'],
] as const)('a viewer gets what is quick; %s', async (_, encodeMemoryBytes, rest) => {
  const { id, world, plan: own } = await plannedFile(file, directory.path);
  const limits = { ...DEFAULT_LIMITS, encodeMemoryBytes };
  const limited = withTools(world, { ...world.tools, limits });
  const segment = (index: number) =>
    ({ kind: 'segment', rev: own.rev, rendition: RUNG, index, extension: 'ts' }) as const;
  await derive(id, segment(0), limited);
  const count = segmentCount(own.grid);
  const what = { kind: 'chunk' as const, from: 0, to: count, renditions: [RUNG] };
  await deriveWork({ id, rev: own.rev, what }, limited);
  const stored = await Promise.all(made.quick.map((_, index) => derive(id, segment(index), limited)));
  expect(stored.map(nameOf)).toEqual(['quick', ...Array<string>(count - 1).fill(rest)]);
});

/** Which of the segments with this index it is like: x264 with a cap and threads may make a few bytes more or less. */
function nameOf(bytes: Uint8Array, index: number): Effort {
  const apart = (effort: Effort) => Math.abs(made[effort][index]!.length - bytes.length);
  return apart('thorough') < apart('quick') ? 'thorough' : 'quick';
}

test('both name the same parameter sets', async () => {
  const sets = new Set<string>();
  for (const segment of [...made.quick, ...made.thorough]) sets.add(await parameterSets(segment));
  expect(sets.size).toBe(1);
});

test.each([
  ['thorough, then quick', 0],
  ['quick, then thorough', 1],
])('%s: each picture decodes once, and none is worse than where they are not mixed', async (_, odd) => {
  const mixture = made.quick.map((quick, index) => (index % 2 === odd ? made.thorough[index]! : quick));
  const path = await inOneFile(mixture);
  const { times, complaints } = await pictures(path);
  expect(complaints).toBe('');
  const rate = valueOf(plan.grid.frameRate);
  const grid = Array.from({ length: plan.grid.frameCount }, (_, frame) => frame / rate);
  const first = times[0]!;
  expect(times.map((time) => Math.round((time - first) * rate) / rate)).toEqual(grid);

  const mixed = await likenesses(path);
  const pure = [
    await likenesses(await inOneFile(made.quick)),
    await likenesses(await inOneFile(made.thorough)),
  ];
  for (let index = 1; index < mixture.length; index += 1) {
    const join = framesOfSegment(plan.grid, index).from;
    for (const [from, to] of [
      [join - AROUND, join],
      [join, join + AROUND],
    ] as const) {
      const [own, ...others] = [mixed, ...pure].map((all) => mean(all.slice(from, to)));
      expect(own).toBeGreaterThanOrEqual(Math.min(...others) - TOLERANCE / 10);
    }
  }
  const bySegment = mixture.map((_, index) => {
    const { from, to } = framesOfSegment(plan.grid, index);
    return mean(mixed.slice(from, to));
  });
  expect(Math.max(...bySegment) - Math.min(...bySegment)).toBeLessThan(TOLERANCE);
});

async function segmentsOf(effort: Effort, runs: { from: number; to: number }[]): Promise<Uint8Array[]> {
  const tools = { binaries, temporaryDirectory: directory.path };
  const segments: Uint8Array[] = [];
  await withRangeServer(await fileSource(file), async ({ url: sourceUrl }) => {
    for (const run of runs) {
      const job = { plan, renditions: [RUNG], ...run, sourceUrl, effort };
      for await (const { bytes } of encode(job, tools)) segments.push(bytes);
    }
  });
  return segments;
}

const inOneFile = (segments: readonly Uint8Array[]): Promise<string> =>
  joined(new Map(segments.map((bytes, index) => [`${RUNG}/${index}`, bytes])), RUNG, directory.path);

/** All SPS and PPS of a segment, each once, as text. */
async function parameterSets(segment: Uint8Array): Promise<string> {
  const path = join(directory.path, 'one.ts');
  await writeFile(path, segment);
  const { stdout } = await ffmpeg('-i', path, '-c', 'copy', '-f', 'h264', '-');
  const units = stdout.toString('latin1').split(/\0{2,3}\x01/);
  const sets = units.filter((unit) => [7, 8].includes(unit.charCodeAt(0) & 31));
  return [...new Set(sets.map((unit) => Buffer.from(unit, 'latin1').toString('hex')))].join(' ');
}

/** SSIM of each picture with the source's, which has the same size. */
async function likenesses(path: string): Promise<number[]> {
  const stats = join(directory.path, 'ssim.txt');
  const graph = `[0:v]settb=1/25,setpts=N[made];[1:v]settb=1/25,setpts=N[given];[made][given]ssim=stats_file=${stats}`;
  await ffmpeg('-i', path, '-i', file, '-lavfi', graph, '-f', 'null', '-');
  return [...(await readFile(stats, 'utf8')).matchAll(/All:([\d.]+)/g)].map(([, value]) => Number(value));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
