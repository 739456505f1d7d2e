// Bare streams, which say in which order pictures are shown and nothing else: each picture comes out once, in order, at
// the stream's own rate.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceError } from '../../core/errors.ts';
import { renditionsOf } from '../../core/plan/plan.ts';
import { bareCopier } from '../../core/source/bare/copier.ts';
import { matroskaIndexer } from '../../core/source/matroska.ts';
import { lived, uploadedIn } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { numberedPictures, numbersIn } from '../support/numbered.ts';
import { encodeInPieces, joined } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const at = (name: string): string => join(directory.path, name);
const numbered = (rate: string, seconds: number) => ['-f', 'lavfi', '-i', numberedPictures(rate, seconds)];
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

test.each([
  ['H.264 as a camera makes it', 'h264', '30', 6, '30/1', '-c:v libx264 -preset ultrafast -bf 0 -g 60'],
  ['H.264 with B-frames', 'h264', '24', 6, '24/1', '-c:v libx264 -preset medium -g 50'],
  [
    'H.264 with open GOPs and slices',
    'h264',
    '30000/1001',
    6,
    '30000/1001',
    '-c:v libx264 -preset fast -g 40 -x264-params open-gop=1:bframes=5:b-pyramid=normal:slices=3',
  ],
  ['H.264 in fields', 'h264', '25', 4, '25/1', '-c:v libx264 -preset fast -flags +ilme+ildct -bf 2 -g 25'],
  ['HEVC', 'hevc', '30', 4, '30/1', '-c:v libx265 -preset superfast -x265-params bframes=4:log-level=none'],
  [
    'HEVC with open GOPs',
    'hevc',
    '50',
    4,
    '50/1',
    '-c:v libx265 -preset superfast -x265-params open-gop=1:keyint=40:bframes=4:slices=2:log-level=none',
  ],
  ['MPEG-4', 'm4v', '30', 4, '30/1', '-c:v mpeg4 -bf 2 -g 50 -q:v 3 -f m4v'],
  ['MPEG-2', 'm2v', '30', 4, '30/1', '-c:v mpeg2video -bf 2 -g 15 -q:v 3'],
  ['Motion JPEG, which has no rate of its own', 'mjpeg', '25', 4, '25/1', '-c:v mjpeg -q:v 3 -f mjpeg'],
])('%s', async (_, extension, rate, seconds, gridRate, encoder) => {
  const source = at(`bare.${extension}`);
  await ffmpeg(...numbered(rate, seconds), ...encoder.split(' '), source);
  const coded = await numbersIn(source);
  const { plan, segments } = await encodeInPieces(source, directory.path);
  const path = await joined(segments, renditionsOf(plan, 'video')[0]!.name, directory.path);
  const { num, den } = plan.grid.frameRate;
  expect(`${num}/${den}`).toBe(gridRate);
  expect(coded).toEqual(numbers(coded.length));
  expect(await numbersIn(path)).toEqual(coded);
  expect(plan.source.kind).toBe('mezzanine');
});

test('a bare stream is copied the same however it comes', async () => {
  await ffmpeg(...numbered('25', 2), '-c:v', 'libx264', at('pieces.h264'));
  const source = await readFile(at('pieces.h264'));
  const copyIn = (pieceBytes: number): Buffer => {
    const copier = bareCopier('h264', undefined);
    const indexer = matroskaIndexer();
    const written: Uint8Array[] = [];
    for (let from = 0; from < source.length; from += pieceBytes) {
      written.push(...indexer.push(copier.push(source.subarray(from, from + pieceBytes))));
    }
    written.push(...indexer.push(copier.end()));
    const { head, index } = indexer.end();
    return Buffer.concat([head, ...written, index]);
  };
  const whole = copyIn(source.length);
  for (const pieceBytes of [1, 7, 4096]) expect(copyIn(pieceBytes).equals(whole)).toBe(true);
});

describe('a bare stream that is made to be hard to copy', () => {
  const DELIMITER = Buffer.from([0, 0, 1, 9, 0xf0, 0xff]);
  const repeated = (unit: Buffer, count: number) => Buffer.concat(Array<Buffer>(count).fill(unit));
  let pictures: Buffer;
  beforeAll(async () => {
    await ffmpeg(...numbered('25', 1), '-c:v', 'libx264', at('plain.h264'));
    pictures = await readFile(at('plain.h264'));
  });

  test('is called damaged where more units stand before a picture than any has', () => {
    const copier = bareCopier('h264', undefined);
    const delimiters = repeated(DELIMITER, 200_000);
    expect(() => copier.push(Buffer.concat([pictures, delimiters, pictures]))).toThrow(SourceError);
  });

  test('is copied where thousands of units stand before a picture', () => {
    const copier = bareCopier('h264', undefined);
    const delimiters = repeated(DELIMITER, 60_000);
    expect(() => copier.push(Buffer.concat([pictures, delimiters, pictures]))).not.toThrow();
  });

  test('is copied where it begins with megabytes that no decoder shows', () => {
    const copier = bareCopier('h264', undefined);
    // Slices before any parameter set.
    const slice = Buffer.concat([Buffer.from([0, 0, 1, 0x41]), Buffer.alloc(1024 ** 2, 0xff)]);
    for (let count = 0; count < 20; count += 1) copier.push(slice);
    expect(copier.push(pictures).length + copier.end().length).toBeGreaterThan(pictures.length / 2);
  });
});

test('a damaged bare stream ends as a film or with a sentence', async () => {
  await ffmpeg(...numbered('25', 2), '-c:v', 'libx264', '-g', '12', at('damaged.h264'));
  const source = await readFile(at('damaged.h264'));
  for (const step of [997, 211]) {
    const damaged = Buffer.from(source);
    for (let offset = 500; offset < damaged.length; offset += step) damaged[offset] = offset % 251;
    const { state } = await lived(await uploadedIn(directory.path, damaged));
    expect(['ready', 'failed']).toContain(state);
  }
  const cut = await lived(await uploadedIn(directory.path, source.subarray(0, source.length / 2)));
  expect(cut.state).toBe('ready');
});
