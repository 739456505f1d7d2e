// The bare commands: the ffmpeg processes that make four seconds of the lowest rung and its sound, and nothing
// around them. A time divided by theirs says the same on a slow machine and on a fast one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withRangeServer } from '../../machine/range-server.ts';

import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { valueOf } from '../../core/fraction.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import { openingRenditions } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { encodeArguments } from '../../core/encoding/segment-arguments.ts';
import { GUARDED_INPUT } from '../../core/source/source-arguments.ts';
import { probeSource } from '../../pipeline/source/probe-source.ts';
import { binaries, fileSource } from '../../test/support/media.ts';
import { median } from './figures.ts';

const REPEATS = 3;

/** The plan that the system makes of this file, but for its revision. */
export async function planOfFile(path: string): Promise<Plan> {
  const settings = { maxDurationSeconds: 3600, prewarm: 'all' } as const;
  return withRangeServer(await fileSource(path), async (served) =>
    planFor(
      await probeSource(served, binaries),
      { kind: 'upload', sizeBytes: 1, etag: '', keyframeSeconds: 2 },
      settings,
    ),
  );
}

/** So much of picture and sound the bare commands make, whatever our segments last: before that nobody could play anything. */
const BARE_SECONDS = 4;

/**
 * Starts the commands for all these places together, and waits until all have ended.
 * @param indexes of the segments that the places begin with
 * @returns seconds, the median of a few times
 */
export async function bareSeconds(
  path: string,
  plan: Plan,
  indexes: readonly number[],
  directory: string,
): Promise<number> {
  const seconds: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const commands = await Promise.all(
      indexes.map((index) => bareCommands(path, plan, index, join(directory, String(index)))),
    );
    const begun = performance.now();
    await Promise.all(commands.flat().map(ended));
    seconds.push((performance.now() - begun) / 1000);
  }
  return median(seconds);
}

/** The pipeline's own arguments, one command for the picture and one for the sound. */
async function bareCommands(path: string, plan: Plan, index: number, directory: string): Promise<string[][]> {
  const names = openingRenditions(plan).map(({ name }) => name);
  for (const name of names) await mkdir(join(directory, name), { recursive: true });
  const to = Math.min(segmentCount(plan.grid), index + segmentsIn(plan, BARE_SECONDS));
  const job = { plan, from: index, to, sourceUrl: path, directory };
  return names.map((name) => unguarded(encodeArguments({ ...job, renditions: [name] }, DEFAULT_LIMITS)));
}

/** How many segments hold so much of a film. */
export const segmentsIn = ({ grid }: Plan, seconds: number): number =>
  Math.round((seconds * valueOf(grid.frameRate)) / grid.segmentFrames);

/** Without the guards, which admit only our loopback server. Bare commands read the file itself: serving it costs us time. */
function unguarded(args: string[]): string[] {
  const at = args.indexOf(GUARDED_INPUT[0]!);
  const guards = args.slice(at, at + GUARDED_INPUT.length);
  if (guards.join(' ') !== GUARDED_INPUT.join(' ')) throw new Error(`no guarded input in ${args.join(' ')}`);
  return args.toSpliced(at, GUARDED_INPUT.length);
}

async function ended(args: string[]): Promise<void> {
  const child = spawn(binaries.ffmpegPath, args, { env: {}, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ${args.join(' ')}: exited with ${code}`);
}
