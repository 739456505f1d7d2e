// "No video at hand?": a short clip with a picture that moves and a sound, made by ffmpeg once and then uploaded as any
// file is.

import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../machine/ffmpeg.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { singleFlight } from '../pipeline/derive/single-flight.ts';

const SECONDS = 20;
const making = singleFlight<Uint8Array>();

export interface TestClipOptions {
  binaries: FfmpegBinaries;
  directory: string;
  baseUrl: string;
  apiKey: string;
}

/** Resolves with the API's answer to the upload request, once the clip is there. */
export async function uploadTestClip({ binaries, directory, baseUrl, apiKey }: TestClipOptions) {
  const clip = await making(directory, () => testClip(binaries, directory));
  const granted = await fetch(`${baseUrl}/api/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ filename: 'Test clip.mp4', contentType: 'video/mp4', sizeBytes: clip.length }),
  });
  if (!granted.ok) throw new Error(`upload of the test clip: ${granted.status} ${await granted.text()}`);
  const { upload, ...video } = (await granted.json()) as {
    upload: { method: string; url: string; headers: Record<string, string> };
  };
  const { method, url, headers } = upload;
  const sent = await fetch(url, { method, headers, body: new Uint8Array(clip) });
  if (!sent.ok) throw new Error(`upload of the test clip: ${sent.status} ${await sent.text()}`);
  return video;
}

async function testClip(binaries: FfmpegBinaries, directory: string): Promise<Uint8Array> {
  const path = join(directory, 'test-clip.mp4');
  const stored = await readFile(path).catch(() => undefined);
  if (stored) return stored;
  const unfinished = `${path}.part`;
  const args = [
    ...['-v', 'error', '-nostdin', '-y'],
    ...['-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=30:duration=${SECONDS}`],
    // A beep on every second, so that sound and picture can be compared.
    ...['-f', 'lavfi', '-i', `sine=frequency=220:beep_factor=4:sample_rate=48000:duration=${SECONDS}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac'],
    ...['-movflags', '+faststart', '-f', 'mp4', unfinished],
  ];
  try {
    const task = 'test clip';
    await run(binaries.ffmpegPath, args, {
      task,
      line: 'viewers',
      timeoutSeconds: 120,
      maxFileBytes: 256 * 1024 * 1024,
      maxMemoryBytes: DEFAULT_LIMITS.encodeMemoryBytes,
    });
    await rename(unfinished, path);
    return await readFile(path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
