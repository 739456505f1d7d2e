// What cannot be played says why, in a sentence, and nothing else is affected. Sound alone plays.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SOURCE_ERROR_SENTENCES } from '../../core/errors.ts';
import { bytesAt, renditionsAt } from '../support/hls.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { startSystem, untilStatus, uploadFile } from '../support/system.ts';
import type { System } from '../support/system.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let clip: string;

const at = (name: string): string => join(directory.path, name);
const hasEnded = ({ state }: { state: string }): boolean => state === 'ready' || state === 'failed';

async function ended(path: string) {
  const video = await uploadFile(system, path);
  return { video, status: await untilStatus(video, hasEnded) };
}

beforeAll(async () => {
  directory = await temporaryDirectory();
  system = await startSystem(at('data'), { MAX_DURATION_SECONDS: '60' });
  clip = at('clip.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=128x96:r=25:d=2', '-c:v', 'libx264', clip);
});
afterAll(async () => {
  await system?.stop();
  await directory.remove();
});

const BAD_FILES: Record<string, (path: string) => Promise<unknown>> = {
  EMPTY_FILE: (path) => writeFile(path, ''),
  NOT_MEDIA: (path) => writeFile(path, 'Once upon a time.\n'.repeat(50)),
  CUT_OFF: async (path) => {
    const whole = await readFile(clip);
    await writeFile(path, whole.subarray(0, whole.length / 2)); // the index is at its end
  },
  NO_STREAMS: async (path) => {
    await writeFile(at('words.srt'), '1\n00:00:00,000 --> 00:00:02,000\nWords\n');
    await ffmpeg('-i', at('words.srt'), '-c:s', 'mov_text', path);
  },
  TOO_LONG: (path) => ffmpeg('-f', 'lavfi', '-i', 'color=s=16x16:r=1:d=61', '-c:v', 'libx264', path),
};

test.each(Object.entries(BAD_FILES))('%s: the video fails with its sentence', async (code, write) => {
  const path = at(`${code}.mp4`);
  await write(path);
  const { video, status } = await ended(path);
  expect(status).toMatchObject({ state: 'failed', playable: false, error: { code } });
  expect(status.error!.message).toMatch(/^[A-Z].+\.$/);
  expect(Object.keys(SOURCE_ERROR_SENTENCES)).toContain(code);
  expect((await fetch(video.playbackUrl)).status).toBe(422);

  expect((await ended(clip)).status).toMatchObject({ state: 'ready' });
});

test('a file with only sound plays as sound, to its last sample', async () => {
  const path = at('sound.m4a');
  await ffmpeg('-f', 'lavfi', '-i', 'sine=440:r=44100:d=10', '-c:a', 'aac', path);
  const { video, status } = await ended(path);
  expect(status).toMatchObject({ state: 'ready', durationSeconds: 10 });
  const renditions = await renditionsAt(video.playbackUrl);
  expect([...renditions.keys()]).toEqual(['audio-0']);
  const { segments } = renditions.get('audio-0')!;
  expect(segments.map(({ seconds }) => Math.round(seconds))).toEqual([2, 2, 2, 2, 2]);
  await writeFile(at('sound.aac'), Buffer.concat(await Promise.all(segments.map(({ url }) => bytesAt(url)))));
  const { stdout } = await ffmpeg('-i', at('sound.aac'), '-f', 's16le', '-');
  const samples = stdout.length / 2;
  // Frames of 1,024 samples, and the encoder's own delay.
  expect(samples).toBeGreaterThanOrEqual(441_000);
  expect(samples).toBeLessThan(441_000 + 3 * 1024);
});
