// What another chunk takes beside its segments: the same ones of a 720p film are made in few chunks and in many.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newVideoId, sourceKey } from '../../../core/artifacts/keys.ts';
import { segmentCount } from '../../../core/plan/grid.ts';
import { deriveWork } from '../../../pipeline/derive/derive.ts';
import { currentPlan } from '../../../pipeline/life/planning.ts';
import { putCard } from '../../../test/support/life.ts';
import { ffmpeg, temporaryDirectory } from '../../../test/support/media.ts';
import { worldIn } from '../../../test/support/world.ts';
import { cpuSeconds } from '../processes.ts';

const FILM_SECONDS = 32;
/** Segments in each chunk. */
const LENGTHS = { long: 16, short: 4 };
/** Of each length, one after the other. */
const RUNS = 3;

export async function chunkOverhead(say: (line: string) => void): Promise<void> {
  const directory = await temporaryDirectory();
  try {
    const source = join(directory.path, 'film.mp4');
    await ffmpeg(
      ...['-f', 'lavfi', '-i', `testsrc2=s=1280x720:r=30:d=${FILM_SECONDS},noise=alls=8:allf=t`],
      ...[
        '-f',
        'lavfi',
        '-i',
        `sine=440:r=48000:d=${FILM_SECONDS}`,
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
      ],
      ...['-b:v', '4M', '-pix_fmt', 'yuv420p', '-g', '150', '-c:a', 'aac', '-shortest', source],
    );
    const bytes = await readFile(source);
    const taken = { long: [] as number[], short: [] as number[] };
    let segments = 0;
    for (let run = 0; run < RUNS; run += 1) {
      for (const kind of ['long', 'short'] as const) {
        const made = await secondsOf(bytes, LENGTHS[kind], directory.path);
        taken[kind].push(made.seconds);
        segments = made.segments;
      }
    }
    const [long, short] = [median(taken.long), median(taken.short)];
    const more = Math.ceil(segments / LENGTHS.short) - Math.ceil(segments / LENGTHS.long);
    const seconds = (short - long) / more;
    say(
      `${segments} segments of 720p: ${shown(taken.long)} CPU s in chunks of ${LENGTHS.long}, ` +
        `${shown(taken.short)} in chunks of ${LENGTHS.short}: a chunk more takes ${seconds.toFixed(2)}, ` +
        `as long as ${((seconds * FILM_SECONDS) / long).toFixed(2)} s of film`,
    );
  } finally {
    await directory.remove();
  }
}

async function secondsOf(
  source: Buffer,
  length: number,
  directory: string,
): Promise<{ seconds: number; segments: number }> {
  const id = newVideoId(new Date());
  const world = worldIn(directory);
  await putCard(id, world);
  await world.uploads.put(sourceKey(id), source, { contentType: 'video/mp4' });
  const { rev, grid } = await currentPlan(id, world);
  const segments = segmentCount(grid);
  const before = await cpuSeconds('self');
  for (let from = 0; from < segments; from += length) {
    const to = Math.min(segments, from + length);
    // Each chunk is another function's: it has nothing of what the others have read.
    const elsewhere = { ...world, uploads: { ...world.uploads } };
    await deriveWork({ id, rev, what: { kind: 'chunk', from, to, renditions: null } }, elsewhere, {
      background: true,
    });
  }
  return { seconds: (await cpuSeconds('self')) - before, segments };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const shown = (values: readonly number[]): string => values.map((value) => value.toFixed(1)).join(', ');
