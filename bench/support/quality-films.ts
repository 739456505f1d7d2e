// The films of bench/quality: each rung's pictures as the pipeline's own filters give them, unencoded, in a file.

import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { encodeArguments } from '../../core/encoding/segment-arguments.ts';
import { frameRun } from '../../core/encoding/video-graph.ts';
import { valueOf } from '../../core/fraction.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { mainTrack, usualRungs } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { VideoRendition } from '../../core/plan/renditions.ts';
import { withRangeServer } from '../../machine/range-server.ts';
import { sourceOf } from '../../pipeline/source/ranges.ts';
import { ffmpeg } from '../../test/support/media.ts';
import { plannedFile } from '../../test/support/stream.ts';

export interface Film {
  name: string;
  plan: Plan;
  frames: number;
  seconds: number;
  rungs: { rendition: VideoRendition; path: string }[];
}

/** What is hard in one way each: a camera's noise, all of it turning, a dark slope that moves slowly. */
const HARD: Record<string, string> = {
  'generated: noise': 'testsrc2=s=854x480:r=30,noise=alls=12:allf=t',
  'generated: turning': 'testsrc2=s=854x480:r=30,rotate=n/60',
  'generated: dark slope': `color=c=black:s=80x45:r=30,geq=lum='16+24*X/W+8*sin(N/30+Y/10)':cb=128:cr=128,scale=854x480:flags=bilinear,noise=alls=3:allf=t`,
};

/** @returns paths of generated sources by name */
export async function hardSources(directory: string): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  for (const [name, graph] of Object.entries(HARD)) {
    const path = join(directory, `${made.size}.mp4`);
    const source = ['-f', 'lavfi', '-i', graph, '-t', '4', '-pix_fmt', 'yuv420p'];
    await ffmpeg(...source, '-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '4', path);
    made.set(name, path);
  }
  return made;
}

/** The files of a folder, or a file, by name. */
export async function filesOf(path: string): Promise<Map<string, string>> {
  const isFolder = (await stat(path)).isDirectory();
  const entries = isFolder ? await readdir(path, { withFileTypes: true }) : [];
  const files = isFolder
    ? entries.filter((entry) => entry.isFile()).map(({ name }) => join(path, name))
    : [path];
  return new Map(files.sort().map((file) => [basename(file), file]));
}

const LEAST_SECONDS = 1;
/** Films begin in black, or with a logo. */
const FROM_SHARE = 1 / 3;

/**
 * Writes the pictures of some seconds of a film, for each rung.
 * @throws Error, SourceError where there are no such pictures
 */
export async function openFilm(
  { name, path }: { name: string; path: string },
  { seconds, rungs, directory }: { seconds: number; rungs: readonly string[] | undefined; directory: string },
): Promise<Film> {
  const { id, world, plan } = await plannedFile(path, directory);
  return withRangeServer(sourceOf(id, plan.source, world), async (served) => {
    if (!mainTrack(plan, 'video')) throw new Error('has no pictures');
    const wanted = usualRungs(plan).filter((rung) => rungs?.includes(rung.name) ?? true);
    if (wanted.length === 0) throw new Error('has none of these rungs');
    const range = segmentsFrom(plan, seconds);
    const frames = frameRun({ plan, ...range });
    const count = frames.to - frames.from;
    const filmSeconds = count / valueOf(plan.grid.frameRate);
    if (filmSeconds < LEAST_SECONDS) throw new Error(`has no ${LEAST_SECONDS} s of pictures`);
    const made = wanted.map((rendition) => ({ rendition, path: join(directory, `${rendition.name}.nut`) }));
    const job = {
      plan,
      renditions: wanted.map(({ name: rung }) => rung),
      ...range,
      sourceUrl: served.url,
      directory,
    };
    const args = encodeArguments(job, DEFAULT_LIMITS);
    // Up to the first output: how the source is read, and the filters.
    const reading = args.slice(0, args.indexOf('-map'));
    const outputs = args.filter((_, index) => args[index - 1] === '-map');
    await ffmpeg(
      ...reading,
      ...made.flatMap((rung, index) => [
        '-map',
        outputs[index]!,
        '-c:v',
        'rawvideo',
        '-vsync',
        '0',
        '-f',
        'nut',
        rung.path,
      ]),
    );
    for (const { rendition, path: raw } of made) {
      const { size } = await stat(raw);
      if (size < count * rendition.width * rendition.height * 1.5)
        throw new Error('lacks pictures where it was sought');
    }
    return { name, plan, frames: count, seconds: filmSeconds, rungs: made };
  });
}

/** Whole segments from some way in. */
function segmentsFrom({ grid }: Plan, seconds: number): { from: number; to: number } {
  const all = segmentCount(grid);
  const whole = Math.max(1, Math.floor(grid.frameCount / grid.segmentFrames));
  const length = Math.min(
    whole,
    Math.max(1, Math.round((seconds * valueOf(grid.frameRate)) / grid.segmentFrames)),
  );
  const from = Math.min(Math.floor(all * FROM_SHARE), whole - length);
  return { from: Math.max(0, from), to: Math.max(0, from) + length };
}
