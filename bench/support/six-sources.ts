// Six small sources that have little in common, for what must hold for any source. The same ffmpeg always makes the same.

import { join } from 'node:path';
import { ffmpeg } from '../../test/support/media.ts';

const lavfi = (graph: string): string[] => ['-f', 'lavfi', '-i', graph];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const AAC = ['-c:a', 'aac', '-b:a', '128k'];
// A tone that beeps every second: where it lies a little elsewhere, it sounds different.
const tone = (seconds: number, rate = 48_000): string[] =>
  lavfi(`sine=440:beep_factor=4:r=${rate}:d=${seconds}`);

/** ffmpeg's arguments by file name. */
const SOURCES: Record<string, string[]> = {
  // Three rungs.
  'film.mp4': [...lavfi('testsrc2=s=1280x720:r=25:d=14'), ...tone(14), ...X264, ...AAC, '-ac', '2'],
  // More than sixteen segments and large enough that the prewarm makes two chunks of it.
  'broadcast.mp4': [
    ...lavfi('testsrc2=s=640x360:r=30000/1001:d=36.1,noise=alls=8:allf=t'),
    ...[...tone(36.1, 44_100), ...X264, '-b:v', '1600k', ...AAC, '-ac', '1'],
  ],
  // A phone held upright, whose 60 pictures a second are a few less now and then.
  'phone.mp4': [
    ...[...lavfi('testsrc2=s=854x480:r=60:d=10'), ...tone(10)],
    ...['-vf', "select='not(eq(mod(n,50),20))'", '-vsync', 'vfr', ...X264, ...AAC],
    ...['-metadata:s:v', 'rotate=90'],
  ],
  // Interlaced, pixels that are not square, a clock that begins at 10 s, and no index: it is copied first.
  'recording.ts': [
    ...[...lavfi('testsrc2=s=720x576:r=50:d=9'), ...tone(9)],
    ...['-vf', 'tinterlace=interleave_top,setfield=tff,setsar=16/15', '-c:v', 'mpeg2video', '-b:v', '4M'],
    ...['-flags', '+ildct+ilme', '-c:a', 'mp2', '-output_ts_offset', '10'],
  ],
  'sound.m4a': [...tone(14), ...AAC, '-ac', '2'],
  // One picture a second.
  'slides.mp4': [...lavfi('testsrc2=s=640x360:r=1:d=14'), ...tone(14), ...X264, ...AAC],
};

/** Makes them in a folder; resolves with their paths. */
export async function sixSources(directory: string): Promise<string[]> {
  const paths = [];
  for (const [name, args] of Object.entries(SOURCES)) {
    const path = join(directory, name);
    await ffmpeg(...args, path);
    paths.push(path);
  }
  return paths;
}
