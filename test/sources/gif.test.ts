// How long a GIF lasts: as long as its pictures are shown, whatever stands behind the last one.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renditionsOf } from '../../core/plan/plan.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { numberedPictures, numbersIn } from '../support/numbered.ts';
import { encodeInPieces, joined } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** Ten pictures of a tenth of a second each, without the trailer. */
let pictures: Buffer;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'plain.gif');
  await ffmpeg('-f', 'lavfi', '-i', numberedPictures('10', 1), path);
  pictures = (await readFile(path)).subarray(0, -1);
});
afterAll(() => directory.remove());

const TRAILER = [0x3b];
/** In hundredths of a second. */
const control = (delay: number) => [0x21, 0xf9, 4, 4, delay, 0, 0, 0];
const comment = [0x21, 0xfe, 5, ...Buffer.from('hello'), 0];
const text = [0x21, 0x01, 12, 0, 0, 0, 0, 96, 0, 16, 0, 8, 8, 1, 0, 3, ...Buffer.from('abc'), 0];
const application = [0x21, 0xff, 11, ...Buffer.from('XMP DataXMP'), 3, ...Buffer.from('abc'), 0];

test.each<[string, number[]]>([
  ['nothing but the trailer', TRAILER],
  ['no trailer', []],
  ['a graphic control', [...control(10), ...TRAILER]],
  ['a graphic control of a second', [...control(100), ...TRAILER]],
  ['a comment', [...comment, ...TRAILER]],
  ['a graphic control and a comment', [...control(10), ...comment, ...TRAILER]],
  ['a plain text', [...control(10), ...text, ...TRAILER]],
  ["an application's data", [...application, ...TRAILER]],
  ['two trailers', [...TRAILER, ...TRAILER]],
])('with %s behind the last picture, a GIF of ten pictures lasts a second', async (_, end) => {
  const path = join(directory.path, 'source.gif');
  await writeFile(path, Buffer.concat([pictures, Buffer.from(end)]));
  const { plan, segments } = await encodeInPieces(path, directory.path);
  expect(plan.grid).toMatchObject({ frameRate: { num: 10, den: 1 }, frameCount: 10 });
  expect(plan.notices).toEqual([]);
  const [rendition] = renditionsOf(plan, 'video');
  expect(await numbersIn(await joined(segments, rendition!.name, directory.path))).toEqual(
    Array.from({ length: 10 }, (__, index) => index),
  );
});
