// Small sources, made by ffmpeg, and a way to serve a file of this disk as a source.

import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { binariesFromEnv } from '../../lambdas/binaries.ts';
import { installedBinaries } from '../../machine/ffmpeg.ts';
import type { RangeSource } from '../../machine/range-server.ts';

/** Those that sources are made and results are judged by: the same ones, whatever is tested. */
export const shipped = installedBinaries();

/** Those of the code under test: FFMPEG_PATH and FFPROBE_PATH, where they are set (test/support/system-ffmpeg.js). */
export const binaries = binariesFromEnv();
export const isShipped = binaries.ffmpegPath === shipped.ffmpegPath;

export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'instant-hls-test-'));
  // An encoder may be at its end in there.
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10 }) };
}

/** Runs ffmpeg as a test needs it; resolves with its stdout and stderr. */
export async function ffmpeg(...args: string[]): Promise<{ stdout: Buffer; stderr: string }> {
  const { stdout, stderr } = await promisify(execFile)(
    shipped.ffmpegPath,
    ['-v', 'error', '-nostdin', '-y', ...args],
    {
      env: { GCONV_PATH: '/nonexistent' },
      encoding: 'buffer',
      maxBuffer: 256 * 1024 * 1024,
    },
  );
  return { stdout, stderr: stderr.toString() };
}

export async function ffprobe(...args: string[]): Promise<{ streams: object[] }> {
  const { stdout } = await promisify(execFile)(shipped.ffprobePath, ['-v', 'error', '-of', 'json', ...args], {
    env: { GCONV_PATH: '/nonexistent' },
  });
  return JSON.parse(stdout) as { streams: object[] };
}

export async function fileSource(path: string): Promise<RangeSource> {
  const { size } = await stat(path);
  return {
    sizeBytes: size,
    read: (first, last, signal) =>
      Promise.resolve(createReadStream(path, { start: first, end: last, signal })),
  };
}
