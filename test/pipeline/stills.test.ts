// Still pictures of films whose grey tells the second, so that a picture says which moment it is of.

import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { workFor } from '../../core/work/work.ts';
import { derive } from '../../pipeline/derive/derive.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import { putCard } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { worldIn } from '../support/world.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** `grey`, from 0 to 1, is an expression of the time T. */
async function film(
  name: string,
  grey: string,
  options: { seconds: number; more?: string[]; keyframes?: number },
) {
  const { seconds, more = [], keyframes = 1000 } = options;
  const path = join(directory.path, name);
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `color=black:s=64x36:r=5:d=${seconds},geq=lum='16+219*(${grey})':cb=128:cr=128`],
    ...more,
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '5', '-g', String(keyframes), path],
  );
  return path;
}

async function uploaded(path: string) {
  const id = newVideoId(new Date());
  const world = worldIn(directory.path);
  await putCard(id, world);
  await world.uploads.put(sourceKey(id), await readFile(path), { contentType: 'video/mp4' });
  const plan = await currentPlan(id, world);
  const { rev } = plan;
  const make = (
    artifact: { kind: 'poster' } | { kind: 'thumb'; seconds: number } | { kind: 'sheet'; index: number },
  ) => derive(id, { ...artifact, rev } as Artifact, world);
  return { id, world, plan, make };
}

interface Picture {
  width: number;
  height: number;
  /** 0 to 1. */
  greyAt(x: number, y: number): number;
}

async function decoded(jpeg: Uint8Array): Promise<Picture> {
  const path = join(directory.path, `${randomUUID()}.jpg`);
  await writeFile(path, jpeg);
  const { stdout } = await ffmpeg('-i', path, '-f', 'image2pipe', '-c:v', 'pgm', '-pix_fmt', 'gray', '-');
  const [header, width, height] = /^P5\n(\d+) (\d+)\n255\n/.exec(stdout.subarray(0, 40).toString('latin1'))!;
  const pixels = stdout.subarray(header.length);
  return {
    width: Number(width),
    height: Number(height),
    greyAt: (x, y) => pixels[Math.floor(y) * Number(width) + Math.floor(x)]! / 255,
  };
}

/** The grey in the middle of each tile, from left to right and from top to bottom. */
const tiles = (sheet: Picture, columns: number, count: number): number[] =>
  Array.from({ length: count }, (_, tile) =>
    sheet.greyAt(((tile % columns) + 0.5) * 64, (Math.floor(tile / columns) + 0.5) * 36),
  );

test('each tile and thumbnail shows what was on the screen then, even with a single keyframe', async () => {
  const { make, plan } = await uploaded(await film('single.mp4', 'floor(T)/30', { seconds: 28 }));
  expect(plan.stills).toMatchObject({ intervalSeconds: 1, count: 28, keyframesOnly: false });
  const [first, last] = await Promise.all([
    make({ kind: 'sheet', index: 0 }).then(decoded),
    make({ kind: 'sheet', index: 1 }).then(decoded),
  ]);
  expect([first.width, first.height, last.width, last.height]).toEqual([5 * 64, 5 * 36, 3 * 64, 36]);
  const seen = [...tiles(first, 5, 25), ...tiles(last, 3, 3)].map((grey) => Math.round(grey * 30));
  expect(seen).toEqual(Array.from({ length: 28 }, (_, second) => second));
  const thumb = await decoded(await make({ kind: 'thumb', seconds: 17 }));
  expect(Math.round(thumb.greyAt(32, 18) * 30)).toBe(17);
});

test.each(['mp4', 'ts', 'mkv'])(
  'of a long %s only keyframes are decoded: each tile is the last before it',
  async (container) => {
    // A keyframe every 4 s, a tile every 5 s.
    const source = await film(`long.${container}`, 'floor(T/4)/110', { seconds: 430, keyframes: 20 });
    const { make, plan } = await uploaded(source);
    expect(plan.stills).toMatchObject({ intervalSeconds: 5, count: 86, keyframesOnly: true });
    const sheet = await decoded(await make({ kind: 'sheet', index: 3 }));
    const seen = tiles(sheet, 5, 11).map((grey) => Math.round(grey * 110));
    expect(seen).toEqual(Array.from({ length: 11 }, (_, tile) => Math.floor(((75 + tile) * 5) / 4)));
  },
);

test('a poster is not black where the film begins so, and its size is capped', async () => {
  const { make } = await uploaded(await film('black.mp4', 'if(lt(T,3),0,0.8)', { seconds: 40 }));
  const poster = await decoded(await make({ kind: 'poster' }));
  expect(poster.greyAt(32, 18)).toBeGreaterThan(0.7);

  const large = join(directory.path, 'large.mp4');
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=1920x1080:r=25:d=1',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    large,
  );
  const bytes = await (await uploaded(large)).make({ kind: 'poster' });
  expect(await decoded(bytes)).toMatchObject({ width: 1280, height: 720 });
  expect(bytes.length).toBeLessThan(400_000);
});

test('what a phone filmed upright stands upright', async () => {
  const flat = join(directory.path, 'flat.mp4');
  // White on the right, which is up once it is turned by a quarter against the clock.
  const picture = 'color=black:s=64x36:r=5:d=3,drawbox=x=32:w=32:h=36:c=white:t=fill';
  await ffmpeg('-f', 'lavfi', '-i', picture, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', flat);
  const turned = join(directory.path, 'turned.mp4');
  await ffmpeg('-i', flat, '-c', 'copy', '-metadata:s:v', 'rotate=90', turned);
  const { make } = await uploaded(turned);
  for (const still of [{ kind: 'poster' }, { kind: 'thumb', seconds: 1 }] as const) {
    const shown = await decoded(await make(still));
    expect([shown.width, shown.height]).toEqual([36, 64]);
    expect([shown.greyAt(18, 16) > 0.9, shown.greyAt(18, 48) < 0.1]).toEqual([true, true]);
  }
});

test('where the sound goes on after the picture, its last picture stands', async () => {
  const sound = ['-f', 'lavfi', '-i', 'sine=440:d=12', '-c:a', 'aac'];
  const { make, plan } = await uploaded(await film('tail.mp4', 'T/10', { seconds: 6, more: sound }));
  expect(plan.stills!.count).toBe(12);
  const seen = tiles(await decoded(await make({ kind: 'sheet', index: 0 })), 5, 12);
  const wanted = [0, 0.1, 0.2, 0.3, 0.4, 0.5, ...Array<number>(6).fill(0.5)];
  seen.forEach((grey, tile) => expect(grey).toBeCloseTo(wanted[tile]!, 1));
  expect((await decoded(await make({ kind: 'thumb', seconds: 11 }))).greyAt(32, 18)).toBeCloseTo(0.5, 1);
});

test('only the moments of the grid have a picture, and sound has none', async () => {
  const { make, world } = await uploaded(await film('grid.mp4', 'T/10', { seconds: 3 }));
  const before = world.media.keys();
  for (const wrong of [
    { kind: 'thumb', seconds: 3 },
    { kind: 'thumb', seconds: 0.5 },
    { kind: 'sheet', index: 1 },
  ] as const) {
    await expect(make(wrong)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(world.media.keys()).toEqual(before);

  const song = join(directory.path, 'song.m4a');
  await ffmpeg('-f', 'lavfi', '-i', 'sine=440:d=9', '-c:a', 'aac', song);
  const { make: makeOfSong, plan } = await uploaded(song);
  await expect(makeOfSong({ kind: 'poster' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(workFor('id', plan).some((item) => 'stills' in item)).toBe(false);
});
