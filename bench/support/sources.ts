// Sources to measure on: a minute of moving picture and sound, and films of any length made of it without encoding.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ffmpeg } from '../../test/support/media.ts';

const MINUTE_SECONDS = 60;

/** 720p at 30 fps with some noise, so that it costs about what a camera's picture costs. */
export async function minuteOfFilm(directory: string): Promise<string> {
  const path = join(directory, 'minute.mp4');
  const picture = `testsrc2=s=1280x720:r=30:d=${MINUTE_SECONDS},noise=alls=8:allf=t`;
  await ffmpeg(
    ...['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', `sine=440:r=48000:d=${MINUTE_SECONDS}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '2500k', '-maxrate', '2500k', '-bufsize', '5000k'],
    ...['-pix_fmt', 'yuv420p', '-g', '250', '-c:a', 'aac', path],
  );
  return path;
}

/** Ten seconds as a phone held upright films them: 1080p on its side, some 20 MB. */
export async function phoneClip(directory: string): Promise<string> {
  const path = join(directory, 'phone.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=1920x1080:r=30:d=10,noise=alls=20:allf=t'],
    ...['-f', 'lavfi', '-i', 'sine=440:r=48000:d=10', '-c:v', 'libx264', '-preset', 'ultrafast'],
    ...['-b:v', '16M', '-maxrate', '16M', '-bufsize', '16M', '-pix_fmt', 'yuv420p', '-g', '30'],
    ...['-c:a', 'aac', '-metadata:s:v', 'rotate=90', path],
  );
  return path;
}

export async function cut(source: string, seconds: number, path: string): Promise<string> {
  await ffmpeg('-i', source, '-t', String(seconds), '-c', 'copy', path);
  return path;
}

export async function repeated(source: string, times: number, path: string): Promise<string> {
  await ffmpeg(
    '-stream_loop',
    String(times - 1),
    '-i',
    source,
    '-c',
    'copy',
    '-movflags',
    '+faststart',
    path,
  );
  return path;
}

export const megabytes = async (path: string): Promise<number> => (await stat(path)).size / 1e6;
