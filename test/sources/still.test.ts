// Photos are refused as photos, whatever they are kept in; what moves in the same container is not.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lived, uploadedIn } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clip: Buffer;

const at = (name: string): string => join(directory.path, name);
const picture = (size: string, seconds: number) => [
  '-f',
  'lavfi',
  '-i',
  `testsrc2=s=${size}:r=25:d=${seconds}`,
];

beforeAll(async () => {
  directory = await temporaryDirectory();
  await ffmpeg(...picture('64x48', 1), '-c:v', 'libx264', at('clip.mp4'));
  clip = await readFile(at('clip.mp4'));
});
afterAll(() => directory.remove());

const box = (type: string, ...content: Uint8Array[]): Buffer => {
  const bytes = Buffer.concat([Buffer.from(`    ${type}`), ...content]);
  bytes.writeUInt32BE(bytes.length);
  return bytes;
};
const branded = (brand: string, ...boxes: Uint8Array[]): Buffer =>
  Buffer.concat([box('ftyp', Buffer.from(`${brand}\0\0\0\0${brand}`)), ...boxes]);
const photo = (brand: string): Buffer =>
  branded(brand, box('meta', Buffer.alloc(200)), box('mdat', Buffer.alloc(70_000, 7)));

async function made(name: string, ...args: string[]): Promise<Buffer> {
  await ffmpeg(...picture('320x240', 0.04), '-frames:v', '1', ...args, at(name));
  return readFile(at(name));
}

const ended = async (source: Uint8Array) => {
  const { state, error } = await lived(await uploadedIn(directory.path, source));
  return { state, code: error?.code, message: error?.message };
};

test.each<[string, () => Buffer | Promise<Buffer>]>([
  ...['heic', 'heix', 'mif1', 'avif'].map((brand): [string, () => Buffer] => [brand, () => photo(brand)]),
  ['a JPEG', () => made('still.jpg')],
  ['a PNG', () => made('still.png')],
  ['a TIFF', () => made('still.tiff')],
  ['a motion photo', async () => Buffer.concat([await made('still.jpg'), clip])],
  [
    'a photo with a preview behind it',
    async () => Buffer.concat([await made('still.jpg'), await made('small.jpg', '-s', '32x24')]),
  ],
])('%s is a photo', async (_, source) => {
  expect(await ended(await source())).toEqual({
    state: 'failed',
    code: 'NOT_MEDIA',
    message: expect.stringMatching(/^The file is a photo, .*\.$/),
  });
});

test.each(['msf1', 'heic'])('a sequence of pictures with an index of tracks (%s) plays', async (brand) => {
  const sequence = Buffer.from(clip);
  sequence.write(brand, 8, 'latin1');
  expect(await ended(sequence)).toMatchObject({ state: 'ready' });
});

test('a recording that was cut off is no photo', async () => {
  expect(await ended(branded('isom', box('mdat', Buffer.alloc(5000, 7))))).toMatchObject({ code: 'CUT_OFF' });
});

test('a piece of a stream is said to be one', async () => {
  await ffmpeg(
    '-i',
    at('clip.mp4'),
    '-c',
    'copy',
    '-movflags',
    '+frag_keyframe+empty_moov',
    at('stream.mp4'),
  );
  const stream = await readFile(at('stream.mp4'));
  const piece = stream.subarray(stream.indexOf('moof') - 4);
  for (const source of [piece, branded('msdh', piece)]) {
    expect(await ended(source)).toMatchObject({
      code: 'NOT_MEDIA',
      message: expect.stringMatching(/^The file is one piece of a stream/),
    });
  }
});

test('what begins as a film and cannot be read is not said to be no film', async () => {
  const source = Buffer.from(clip);
  source.fill(0xff, source.indexOf('moov') + 4);
  for (const file of [source, Buffer.from('1a45dfa3ffff', 'hex')]) {
    const { state, message } = await ended(file);
    expect(state).toBe('failed');
    expect(message).toMatch(/damaged/);
  }
});
