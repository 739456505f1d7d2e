// Small files of all kinds that are treated differently, for runs with faults. Their pictures are numbered, so that what
// comes of them can be held against what went in. The same ffmpeg always makes the same.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceErrorCode } from '../../core/errors.ts';
import { ffmpeg } from '../../test/support/media.ts';
import { numberedPictures } from '../../test/support/numbered.ts';

export interface FaultSource {
  name: string;
  path: string;
  /** How many pictures play, each once and in order; undefined where pictures are held or left out, or there are none. */
  pictures?: number;
  /** Why it is refused, whatever else happens. */
  refusal?: SourceErrorCode;
}

const lavfi = (graph: string): string[] => ['-f', 'lavfi', '-i', graph];
/** No two sources sound alike. */
const tone = (hertz: number, seconds: number, rate = 48_000): string[] =>
  lavfi(`sine=${hertz}:beep_factor=4:r=${rate}:d=${seconds}`);
const X264 = '-c:v libx264 -preset ultrafast -g 50 -bf 2 -pix_fmt yuv420p'.split(' ');
const AAC = '-c:a aac -b:a 96k -ac 2'.split(' ');

const film = (hertz: number, rate: string, seconds: number, filter = ''): string[] => [
  ...lavfi(`${numberedPictures(rate, seconds)}${filter}`),
  ...tone(hertz, seconds),
];

/** ffmpeg's arguments, and how many pictures play. */
const GOOD: Record<string, { args: string[]; pictures?: number }> = {
  'index-last.mp4': { args: [...film(240, '25', 14), ...X264, ...AAC], pictures: 350 },
  'index-first.mp4': {
    args: [...film(280, '30', 13), ...X264, ...AAC, '-movflags', '+faststart'],
    pictures: 390,
  },
  'fragments.mp4': {
    args: [...film(320, '25', 12), ...X264, ...AAC, '-movflags', '+frag_keyframe+empty_moov'],
    pictures: 300,
  },
  'recording.ts': { args: [...film(360, '25', 13), ...X264, ...AAC], pictures: 325 },
  // Two rungs, and a file of more than a block.
  'large.mkv': {
    args: [
      ...film(400, '25', 12, ',scale=960:480:flags=neighbor,noise=alls=6:allf=t'),
      ...[...X264, '-b:v', '1500k', '-c:a', 'flac'],
    ],
    pictures: 300,
  },
  'vp8.webm': {
    args: [
      ...film(440, '25', 12),
      ...'-c:v libvpx -deadline realtime -cpu-used 8 -g 50 -b:v 800k -c:a libvorbis'.split(' '),
    ],
    pictures: 300,
  },
  'vp9.webm': {
    args: [
      ...film(480, '25', 12),
      ...'-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50 -b:v 800k -c:a libopus'.split(' '),
    ],
    pictures: 300,
  },
  'sound.m4a': { args: [...tone(600, 20), ...AAC] },
  'sound.mp3': { args: [...tone(640, 16, 44_100), '-c:a', 'libmp3lame'] },
  'pictures.gif': { args: lavfi(numberedPictures('10', 8)) },
  'uneven.mp4': {
    args: [...film(520, '30', 12), '-vf', "select='not(eq(mod(n,20),7))'", '-vsync', 'vfr', ...X264, ...AAC],
  },
};

/** Makes them in a folder, the good ones first. */
export async function faultSources(
  directory: string,
  isWanted: (name: string) => boolean = () => true,
): Promise<FaultSource[]> {
  const at = (name: string): string => join(directory, name);
  const sources: FaultSource[] = [];
  const add = async (source: Omit<FaultSource, 'path'>, make: (path: string) => Promise<unknown>) => {
    if (!isWanted(source.name)) return;
    await make(at(source.name));
    sources.push({ ...source, path: at(source.name) });
  };
  for (const [name, { args, pictures }] of Object.entries(GOOD)) {
    await add({ name, ...(pictures === undefined ? {} : { pictures }) }, (path) => ffmpeg(...args, path));
  }
  const original = at('original.mp4');
  await ffmpeg(...film(560, '25', 12), ...X264, ...AAC, original);
  const whole = await readFile(original);
  const [from, to] = [0.4, 0.5].map((share) => Math.floor(whole.length * share));
  await add({ name: 'damaged.mp4' }, (path) => writeFile(path, Buffer.from(whole).fill(0, from, to)));
  await add({ name: 'cut-off.mp4', refusal: 'CUT_OFF' }, (path) =>
    writeFile(path, whole.subarray(0, whole.length / 2)),
  );
  await add({ name: 'words.mp4', refusal: 'NOT_MEDIA' }, (path) =>
    writeFile(path, 'Once upon a time.\n'.repeat(20_000)),
  );
  return sources;
}

/** A film for many viewers: `segments` times two seconds, and cheap to encode. */
export async function longFilm(directory: string, segments: number): Promise<string> {
  const path = join(directory, 'long.mp4');
  const seconds = 2 * segments;
  await ffmpeg(
    ...lavfi(`testsrc2=s=128x96:r=10:d=${seconds}`),
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '20', path],
  );
  return path;
}
