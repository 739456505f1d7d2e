// Those who may make segments of one rendition side by side: servers of several releases, with other builds of ffmpeg and
// other numbers of threads, for a viewer or ahead of time.

import { execFile, execFileSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withRangeServer } from '../../machine/range-server.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { encode } from '../../pipeline/encode/encode.ts';
import { binaries, fileSource, shipped } from './media.ts';
import { picturesArguments, picturesIn } from './stream.ts';

/** The ffmpeg that npm installs, of 2018, and the system's: Debian 12 has 5.1. */
export const FFMPEGS = {
  shipped: shipped.ffmpegPath,
  system: execFileSync('/bin/sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim(),
};
export type Ffmpeg = keyof typeof FFMPEGS;

export interface Maker {
  ffmpeg: Ffmpeg;
  threads: number;
  /** A process for each segment, or one for all. */
  how: 'alone' | 'run';
}

export const titleOf = ({ ffmpeg, threads, how }: Maker): string => `${ffmpeg} ${how} ${threads}`;

/** All combinations. */
export const makersOf = (threads: readonly number[]): Maker[] =>
  (['shipped', 'system'] as const).flatMap((ffmpeg) =>
    (['alone', 'run'] as const).flatMap((how) => threads.map((count) => ({ ffmpeg, how, threads: count }))),
  );

/** The segments of one rendition of a file. */
export async function segmentsBy(
  { ffmpeg, threads, how }: Maker,
  { file, plan, rendition }: { file: string; plan: Plan; rendition: string },
  directory: string,
): Promise<Uint8Array[]> {
  const ffmpegPath = await threaded(FFMPEGS[ffmpeg], threads, directory);
  const tools = { binaries: { ...binaries, ffmpegPath }, temporaryDirectory: directory };
  const count = segmentCount(plan.grid);
  const jobs =
    how === 'run'
      ? [{ from: 0, to: count }]
      : Array.from({ length: count }, (_, from) => ({ from, to: from + 1 }));
  const segments: Uint8Array[] = [];
  await withRangeServer(await fileSource(file), async ({ url: sourceUrl }) => {
    for (const job of jobs) {
      for await (const { bytes } of encode({ plan, sourceUrl, renditions: [rendition], ...job }, tools)) {
        segments.push(bytes);
      }
    }
  });
  return segments;
}

/** An ffmpeg whose last output is encoded by so many threads. */
async function threaded(path: string, threads: number, directory: string): Promise<string> {
  const script = join(directory, `ffmpeg-${threads}-${path.replaceAll('/', '-')}`);
  // `shift` and `set` turn the arguments round once; the option goes in front of the last, which names the output.
  const lines = [
    ...['#!/bin/sh', 'left=$#', 'for argument; do', '  shift', '  left=$((left - 1))'],
    ...[`  [ $left -gt 0 ] || set -- "$@" -threads ${threads}`, '  set -- "$@" "$argument"', 'done'],
    `exec '${path}' "$@"`,
  ];
  await writeFile(script, lines.join('\n'));
  await chmod(script, 0o755);
  return script;
}

/** As `pictures`, by either ffmpeg. */
export async function picturesBy(
  ffmpeg: Ffmpeg,
  path: string,
): Promise<{ times: number[]; hashes: string[]; complaints: string }> {
  const passing = ffmpeg === 'shipped' ? ['-vsync', '0'] : ['-fps_mode', 'passthrough'];
  const { stdout, stderr } = await runBy(ffmpeg, picturesArguments(path, passing));
  return { ...picturesIn(stdout.toString()), complaints: stderr };
}

/** As `ffmpeg` of test/support/media.ts, by either. */
export async function runBy(
  ffmpeg: Ffmpeg,
  args: readonly string[],
): Promise<{ stdout: Buffer; stderr: string }> {
  const { stdout, stderr } = await promisify(execFile)(
    FFMPEGS[ffmpeg],
    ['-v', 'error', '-nostdin', '-y', ...args],
    { env: { GCONV_PATH: '/nonexistent' }, encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 },
  );
  return { stdout, stderr: stderr.toString() };
}
