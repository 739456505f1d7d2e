// Small files of many formats, and what damage makes of them. The same seed always makes the same variants.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ffmpeg } from '../../test/support/media.ts';

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=0.6'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=440:r=44100:d=0.6'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];

/** ffmpeg's arguments by file name. */
const FORMATS: Record<string, string[]> = {
  'index-last.mp4': [...PICTURE, ...SOUND, ...H264],
  'index-first.mp4': [...PICTURE, ...SOUND, ...H264, '-movflags', '+faststart'],
  'fragmented.mp4': [...PICTURE, ...SOUND, ...H264, '-movflags', 'frag_keyframe+empty_moov'],
  'prores.mov': [...PICTURE, ...SOUND, '-c:v', 'prores_ks', '-c:a', 'pcm_s16le'],
  'hevc.mkv': [
    ...PICTURE,
    ...SOUND,
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=none',
    '-c:a',
    'flac',
  ],
  'vp8.webm': [...PICTURE, ...SOUND, '-c:v', 'libvpx', '-deadline', 'realtime', '-c:a', 'libvorbis'],
  'vp9.webm': [...PICTURE, ...SOUND, '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-c:a', 'libopus'],
  'h264.ts': [...PICTURE, ...SOUND, ...H264],
  'mpeg2.mpg': [...PICTURE, ...SOUND, '-c:v', 'mpeg2video', '-c:a', 'mp2', '-f', 'vob'],
  'mpeg4.avi': [...PICTURE, ...SOUND, '-c:v', 'mpeg4', '-c:a', 'libmp3lame'],
  'mjpeg.avi': [...PICTURE, ...SOUND, '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-c:a', 'pcm_s16le'],
  'sorenson.flv': [...PICTURE, ...SOUND, '-c:v', 'flv', '-c:a', 'libmp3lame'],
  'h263.3gp': [
    ...['-f', 'lavfi', '-i', 'testsrc2=s=128x96:r=15:d=0.6', ...SOUND],
    ...['-c:v', 'h263', '-c:a', 'libopencore_amrnb', '-ar', '8000', '-ac', '1', '-b:a', '12.2k'],
  ],
  'wmv2.wmv': [...PICTURE, ...SOUND, '-c:v', 'wmv2', '-c:a', 'wmav2'],
  'theora.ogv': [...PICTURE, ...SOUND, '-c:v', 'libtheora', '-c:a', 'libvorbis'],
  'mpeg2.mxf': [...PICTURE, ...SOUND, '-c:v', 'mpeg2video', '-c:a', 'pcm_s16le', '-ar', '48000'],
  'pcm.wav': SOUND,
  'layer3.mp3': SOUND,
  'lossless.flac': SOUND,
};

export interface Original {
  name: string;
  bytes: Buffer;
}

export async function originalsIn(directory: string): Promise<Original[]> {
  const originals = [];
  for (const [name, args] of Object.entries(FORMATS)) {
    const path = join(directory, name);
    await ffmpeg(...args, '-fflags', '+bitexact', path);
    originals.push({ name, bytes: await readFile(path) });
  }
  return originals;
}

export interface Variant extends Original {
  damage: string;
}

/** `count` damaged files, the originals in turn, each damaged in one of six ways. */
export function* variantsOf(originals: readonly Original[], count: number, seed: number): Generator<Variant> {
  const random = randomNumbers(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let index = 0; index < count; index += 1) {
    const { name, bytes: original } = originals[index % originals.length]!;
    const bytes = Buffer.from(original);
    const at = below(bytes.length);
    // Half of all damage to where containers keep what matters most.
    const edge = Math.min(bytes.length, 1024);
    const anywhere = () => [below(bytes.length), below(edge), bytes.length - 1 - below(edge)][below(3)]!;
    const flip = (times: number): Variant => {
      for (let left = times; left > 0; left -= 1) {
        const offset = anywhere();
        bytes[offset] = bytes[offset]! ^ (1 << below(8));
      }
      return { name, bytes, damage: `${times} bits flipped` };
    };
    const run = Math.min(bytes.length - at, 1 + below(bytes.length / 2));
    switch (Math.floor(index / originals.length) % 6) {
      case 0:
        yield { name, bytes: bytes.subarray(0, at), damage: `cut off after ${at} bytes` };
        break;
      case 1:
        yield flip(1 + below(4));
        break;
      case 2:
        yield flip(1 + below(200));
        break;
      case 3:
        yield { name, bytes: bytes.fill(0, at, at + run), damage: `${run} zeros at ${at}` };
        break;
      case 4:
        for (let offset = at; offset < at + run; offset += 1) bytes[offset] = below(256);
        yield { name, bytes, damage: `${run} random bytes at ${at}` };
        break;
      case 5:
        yield {
          name,
          bytes: Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + run)]),
          damage: `${run} bytes missing at ${at}`,
        };
        break;
    }
  }
}

/** Mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
