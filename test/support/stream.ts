// Encodes a source into segments in an awkward order, and looks at what a decoder makes of them.

import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withRangeServer } from '../../machine/range-server.ts';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { renditionNames } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { encode } from '../../pipeline/encode/encode.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import { sourceOf } from '../../pipeline/source/ranges.ts';
import { putCard } from './life.ts';
import { ffmpeg } from './media.ts';
import { worldIn } from './world.ts';

/** A video in a world of its own, planned as any upload is. */
export async function plannedFile(path: string, temporaryDirectory: string) {
  const id = newVideoId(new Date());
  const world = worldIn(temporaryDirectory);
  await putCard(id, world);
  await world.uploads.put(sourceKey(id), await readFile(path), { contentType: 'video/mp4' });
  return { id, world, plan: await currentPlan(id, world) };
}

/**
 * Segments by rendition and index: the first ones by one process each, last first; the others by one for all. `damaged` are
 * those in which something of the source could not be decoded.
 */
export async function encodeInPieces(
  path: string,
  temporaryDirectory: string,
): Promise<{ plan: Plan; segments: Map<string, Uint8Array>; damaged: string[] }> {
  const { id, world, plan } = await plannedFile(path, temporaryDirectory);
  return withRangeServer(sourceOf(id, plan.source, world), async ({ url }) => {
    const renditions = renditionNames(plan);
    const count = segmentCount(plan.grid);
    const jobs = [
      { renditions, from: Math.min(2, count - 1), to: count },
      ...renditions.flatMap((name) => [1, 0].map((from) => ({ renditions: [name], from, to: from + 1 }))),
    ].filter(({ from, to }) => from < to && to <= count);
    const segments = new Map<string, Uint8Array>();
    const damaged: string[] = [];
    for (const job of jobs) {
      for await (const { rendition, index, bytes, rescue } of encode(
        { plan, sourceUrl: url, ...job },
        world.tools,
      )) {
        segments.set(`${rendition}/${index}`, bytes);
        if (rescue) damaged.push(`${rendition}/${index}`);
      }
    }
    return { plan, segments, damaged };
  });
}

/** A rendition's segments one after another, in a file. */
export async function joined(
  segments: Map<string, Uint8Array>,
  rendition: string,
  directory: string,
): Promise<string> {
  const path = join(directory, `${rendition}-${randomUUID()}.bin`);
  const pieces = [...segments].filter(([name]) => name.startsWith(`${rendition}/`));
  pieces.sort(([a], [b]) => Number(a.split('/')[1]) - Number(b.split('/')[1]));
  await writeFile(path, Buffer.concat(pieces.map(([, bytes]) => bytes)));
  return path;
}

/** Presentation times of all pictures that decode, in seconds, and what the decoder complained of. */
export async function pictures(path: string): Promise<{ times: number[]; complaints: string }> {
  const { stdout, stderr } = await ffmpeg(...picturesArguments(path, ['-vsync', '0']));
  return { times: picturesIn(stdout.toString()).times, complaints: stderr };
}

/** @param passing the option of this ffmpeg that lets frames pass as they are; later ones call another by a new name */
export const picturesArguments = (path: string, passing: readonly string[]): string[] => [
  ...['-v', 'warning', '-copyts', '-i', path, '-map', '0:v', ...passing],
  ...['-enc_time_base', '1:90000', '-f', 'framehash', '-'],
];

/** What those arguments print. */
export function picturesIn(framehash: string): { times: number[]; hashes: string[] } {
  const [num, den] = /#tb 0: (\d+)\/(\d+)/.exec(framehash)!.slice(1).map(Number);
  const lines = framehash.split('\n').filter((line) => line.startsWith('0,'));
  return {
    times: lines.map((line) => (Number(line.split(',')[2]) * num!) / den!),
    hashes: lines.map((line) => line.split(',').at(-1)!.trim()),
  };
}
