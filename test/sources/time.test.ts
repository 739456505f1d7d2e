// When each picture is shown and each sound heard, whatever the source's clock says. Pictures carry their numbers, so that
// one can read off which of them is shown when.

import { renditionsOf } from '../../core/plan/plan.ts';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { lived, uploadedIn } from '../support/life.ts';
import { numberedPictures, numbersIn } from '../support/numbered.ts';
import { encodeInPieces, joined } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const at = (name: string): string => join(directory.path, name);
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'];
const AAC = ['-c:a', 'aac'];
const numbered = (rate: string, seconds: number) => ['-f', 'lavfi', '-i', numberedPictures(rate, seconds)];
const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=440:r=48000:d=${seconds}`];
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const times = (count: number, number: number): number[] => Array<number>(count).fill(number);

/** The numbers of the pictures, one for each frame of the grid, and the plan. */
async function shown(source: string) {
  const { plan, segments } = await encodeInPieces(source, directory.path);
  const path = await joined(segments, renditionsOf(plan, 'video')[0]!.name, directory.path);
  return { plan, frames: await numbersIn(path), segments };
}

test('a variable frame rate: each picture stands until the next', async () => {
  // Of every ten pictures of the first two seconds only the first is there.
  const sparse = "select='gte(t,2)+not(mod(n,10))'";
  await ffmpeg(...numbered('25', 4), '-vf', sparse, '-vsync', '0', ...X264, at('variable.mp4'));
  const { plan, frames } = await shown(at('variable.mp4'));
  const { num, den } = plan.grid.frameRate;
  const expected = frames.map((_, frame) => {
    const picture = Math.min(99, Math.round(((frame * den) / num) * 25));
    return picture < 50 ? Math.floor(picture / 10) * 10 : picture;
  });
  const off = frames.filter(
    (number, frame) => Math.abs(number - expected[frame]!) > (expected[frame]! < 50 ? 0 : 1),
  );
  // A picture may be shown a frame early or late where the grid is not the source's.
  expect(off.length).toBeLessThanOrEqual(5);
  expect((frames.length * den) / num).toBeCloseTo(4, 1);
});

test('of bursts with pauses between them, hardly a picture is lost, though the average is slow', async () => {
  // Six pictures 40 ms apart in every second.
  const bursts = "select='lt(mod(n,25),6)'";
  await ffmpeg(...numbered('25', 8), '-vf', bursts, '-vsync', '0', ...X264, at('bursts.mp4'));
  const { plan, frames } = await shown(at('bursts.mp4'));
  expect(plan.grid.frameRate).toEqual({ num: 25, den: 1 });
  const there = numbers(0, 200).filter((number) => number % 25 < 6);
  expect([...new Set(frames)]).toEqual(there);
});

test.each([
  ['a copy', 'ts'],
  ['a file that is read as it is', 'mkv'],
])('a film whose rate drops for a while keeps its motion, in %s', async (_, extension) => {
  const drop = "select='lt(t,4)+gte(t,8)+not(mod(n,6))'";
  await ffmpeg(...numbered('30', 12), '-vf', drop, '-vsync', '0', ...X264, at(`drops.${extension}`));
  const { plan, frames } = await shown(at(`drops.${extension}`));
  expect(plan.grid.frameRate).toEqual({ num: 30, den: 1 });
  expect(frames.slice(0, 120)).toEqual(numbers(0, 120));
  expect([...new Set(frames)]).toHaveLength(120 + 20 + 120);
});

test('a container that claims a thousand pictures a second is not believed', async () => {
  await ffmpeg(...numbered('30000/1001', 6), ...X264, at('claims.mkv'));
  const bytes = await readFile(at('claims.mkv'));
  const duration = bytes.indexOf(Buffer.from([0x23, 0xe3, 0x83, 0x84])); // DefaultDuration, of four bytes
  expect(duration).toBeGreaterThan(0);
  bytes.writeUInt32BE(1_000_000, duration + 4);
  await writeFile(at('claims.mkv'), bytes);
  const { plan, frames } = await shown(at('claims.mkv'));
  expect(plan.grid.frameRate).toEqual({ num: 30_000, den: 1001 });
  expect(frames).toHaveLength(180);
  // The last picture lasts a millisecond, as claimed.
  expect(frames.slice(0, 179)).toEqual(numbers(0, 179));
});

test.each([
  ['one picture a second', '1', 6, '5/1', numbers(0, 30).map((frame) => Math.floor(frame / 5))],
  ['one picture for half a minute', '1/30', 30, '5/1', times(150, 0)],
  ['a tenth of a second', '50', 0.1, '50/1', numbers(0, 5)],
  ['a single picture', '25', 0.04, '25/1', [0]],
])('%s', async (_, rate, seconds, gridRate, expected) => {
  await ffmpeg(...numbered(rate, seconds), ...X264, at('rate.mp4'));
  const { plan, frames } = await shown(at('rate.mp4'));
  expect(`${plan.grid.frameRate.num}/${plan.grid.frameRate.den}`).toBe(gridRate);
  expect(frames).toEqual(expected);
});

test('of 240 pictures a second every fourth is shown', async () => {
  await ffmpeg(...numbered('240', 1), ...X264, at('fast.mp4'));
  const { plan, frames } = await shown(at('fast.mp4'));
  expect(plan.grid.frameRate).toEqual({ num: 60, den: 1 });
  const [first] = frames;
  expect(first).toBeLessThan(4);
  expect(frames).toEqual(numbers(0, 60).map((frame) => first! + frame * 4));
});

test('an animated GIF plays, though every picture needs the one before', async () => {
  await ffmpeg(...numbered('10', 9), at('animated.gif'));
  const { plan, frames } = await shown(at('animated.gif'));
  expect(plan.tracks.map(({ kind }) => kind)).toEqual(['video']);
  expect(plan.grid.frameRate).toEqual({ num: 10, den: 1 });
  expect(frames).toEqual(numbers(0, 90));
});

test('a still image is no video', async () => {
  await ffmpeg(...numbered('25', 0.04), '-frames:v', '1', at('still.png'));
  await ffmpeg(...numbered('25', 0.04), '-frames:v', '1', at('still.jpg'));
  for (const name of ['still.png', 'still.jpg']) {
    const { state, error } = await lived(await uploadedIn(directory.path, await readFile(at(name))));
    expect({ state, code: error?.code }).toEqual({ state: 'failed', code: 'NOT_MEDIA' });
  }
});

test.each([
  [
    'the sound goes on for two seconds: the last picture stands',
    4,
    6,
    [...numbers(0, 100), ...times(50, 99)],
  ],
  ['the sound ends two seconds before', 6, 4, numbers(0, 150)],
])('%s', async (_, pictureSeconds, soundSeconds, expected) => {
  await ffmpeg(...numbered('25', pictureSeconds), ...tone(soundSeconds), ...X264, ...AAC, at('unequal.mp4'));
  const { frames } = await shown(at('unequal.mp4'));
  expect(frames).toEqual(expected);
});

test.each([
  [
    'the picture starts two seconds after the sound',
    ['-itsoffset', '2', ...numbered('25', 3), ...tone(5)],
    50,
  ],
  [
    'the sound starts two seconds after the picture',
    [...numbered('25', 5), '-itsoffset', '2', ...tone(3)],
    0,
  ],
])('%s', async (_, inputs, held) => {
  await ffmpeg(...inputs, ...X264, '-c:a', 'flac', at('late.mkv'));
  const { plan, frames, segments } = await shown(at('late.mkv'));
  const own = 125 - held;
  expect(frames).toEqual([...times(held, 0), ...numbers(0, own)]);
  const heard = await silenceAtStart(
    await joined(segments, renditionsOf(plan, 'audio')[0]!.name, directory.path),
  );
  expect(heard).toBeCloseTo(held > 0 ? 0 : 2, 1);
});

/** Seconds until something is to be heard. */
async function silenceAtStart(path: string): Promise<number> {
  const { stdout } = await ffmpeg('-f', 'aac', '-i', path, '-ac', '1', '-ar', '8000', '-f', 's16le', '-');
  const samples = new Int16Array(
    stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~1)),
  );
  return samples.findIndex((sample) => Math.abs(sample) > 300) / 8000;
}

test('an edit list that leaves out the first second is followed', async () => {
  await ffmpeg(...numbered('25', 5), ...tone(5), ...X264, ...AAC, at('whole.mp4'));
  // Copied from within a GOP: what is before the cut is kept for decoding, and an edit list hides it.
  await ffmpeg('-ss', '1.4', '-i', at('whole.mp4'), '-c', 'copy', at('edited.mp4'));
  const { frames } = await shown(at('edited.mp4'));
  expect(frames.at(-1)).toBe(124);
  expect(frames).toEqual(numbers(frames[0]!, 125));
  expect(frames[0]).toBeGreaterThanOrEqual(35);
});

test('time stamps that start at a hundred hours', async () => {
  await ffmpeg(
    ...numbered('25', 5),
    ...tone(5),
    ...X264,
    ...AAC,
    '-output_ts_offset',
    '360000',
    at('offset.mkv'),
  );
  const { frames } = await shown(at('offset.mkv'));
  expect(frames).toEqual(numbers(0, 125));
});

test('time stamps that jump ahead by a quarter of an hour, as those of a broadcast do, do not stretch the film', async () => {
  await ffmpeg(...numbered('25', 4), ...tone(4), ...X264, ...AAC, at('one.ts'));
  await ffmpeg('-i', at('one.ts'), '-c', 'copy', '-output_ts_offset', '900', at('two.ts'));
  await writeFile(at('jump.ts'), Buffer.concat([await readFile(at('one.ts')), await readFile(at('two.ts'))]));
  const { plan, frames } = await shown(at('jump.ts'));
  expect(plan.grid.frameCount).toBeGreaterThanOrEqual(199);
  expect(plan.grid.frameCount).toBeLessThan(210);
  expect([...frames.slice(0, 100), frames.at(-1)]).toEqual([...numbers(0, 100), 99]);
});

test('a length that lies is corrected by what is there', async () => {
  const fragments = ['-movflags', '+frag_keyframe+empty_moov'];
  await ffmpeg(...numbered('25', 4), ...X264, ...fragments, at('short.mp4'));
  const bytes = await readFile(at('short.mp4'));
  // The movie header's duration: a hundred thousand seconds.
  const header = bytes.indexOf('mvhd');
  bytes.writeUInt32BE(100_000 * bytes.readUInt32BE(header + 16), header + 20);
  await writeFile(at('lying.mp4'), bytes);
  const { frames } = await shown(at('lying.mp4'));
  expect(frames).toEqual(numbers(0, 100));
});

test('subtitles that go on for an hour make no hour of frozen picture', async () => {
  await writeFile(
    at('long.srt'),
    '1\n00:00:00,000 --> 00:00:02,000\nA\n\n2\n00:59:58,000 --> 01:00:00,000\nB\n',
  );
  await ffmpeg(...numbered('25', 4), '-i', at('long.srt'), ...X264, '-c:s', 'srt', at('subtitled.mkv'));
  const { frames } = await shown(at('subtitled.mkv'));
  expect(frames).toEqual(numbers(0, 100));
});

test('a recording that stopped in its middle plays what is there', async () => {
  await ffmpeg(
    ...numbered('25', 8),
    ...tone(8),
    ...X264,
    ...AAC,
    '-movflags',
    '+faststart',
    at('whole-fast.mp4'),
  );
  const bytes = await readFile(at('whole-fast.mp4'));
  await writeFile(at('stopped.mp4'), bytes.subarray(0, Math.round(bytes.length * 0.6)));
  const { frames } = await shown(at('stopped.mp4'));
  expect(frames.length).toBeGreaterThan(90);
  expect(frames.length).toBeLessThan(150);
  expect(frames.slice(0, 90)).toEqual(numbers(0, 90));
});
