// A source is whole in what is made of it, whatever the muxer of the copy cannot hold and whatever its demuxer of 2018 gets
// wrong; and what nobody here can decode is told of by its name.

import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renditionsOf } from '../../core/plan/plan.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import { uploadedIn } from '../support/life.ts';
import { binaries, ffmpeg, isShipped, temporaryDirectory } from '../support/media.ts';
import { numberedPictures, numbersIn } from '../support/numbered.ts';
import { encodeInPieces, joined, plannedFile } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const SECONDS = 6;
const RATE = 25;
const numbers = Array.from({ length: SECONDS * RATE }, (_, number) => number);
const pictures = ['-f', 'lavfi', '-i', numberedPictures(String(RATE), SECONDS)];
const tone = ['-f', 'lavfi', '-i', `sine=440:r=48000:d=${SECONDS}`];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50'];

const at = (name: string): string => join(directory.path, name);

/** The numbers of all pictures, and the tenths of seconds in which the tone sounds. */
async function shown(source: string) {
  const { plan, segments } = await encodeInPieces(source, directory.path);
  const [picture, sound] = (['video', 'audio'] as const).map((kind) => renditionsOf(plan, kind)[0]?.name);
  const made = picture && (await joined(segments, picture, directory.path));
  return {
    plan,
    numbers: made ? await numbersIn(made) : [],
    sounding: sound ? await tenthsWithTone(await joined(segments, sound, directory.path)) : 0,
  };
}

/** Half of ffmpeg's sine. */
const LEAST_LEVEL = 32_768 / 8 / Math.SQRT2 / 2;

async function tenthsWithTone(path: string): Promise<number> {
  const RATE_HEARD = 8000;
  const { stdout } = await ffmpeg(
    ...['-f', 'aac', '-i', path, '-ac', '1', '-ar', String(RATE_HEARD), '-f', 's16le', '-'],
  );
  const tenth = (2 * RATE_HEARD) / 10;
  let sounding = 0;
  for (let offset = 0; offset + tenth <= stdout.length; offset += tenth) {
    let squares = 0;
    for (let byte = offset; byte < offset + tenth; byte += 2) squares += stdout.readInt16LE(byte) ** 2;
    if (Math.sqrt(squares / (tenth / 2)) > LEAST_LEVEL) sounding += 1;
  }
  return sounding;
}

// The first and the last tenth may be half a tenth of tone.
const LEAST_SOUNDING = 10 * SECONDS - 2;

test.each([
  ['Nellymoser in Flash Video', 'nelly.flv', '-c:a nellymoser -ar 44100 -ac 1'],
  ['S302M in MPEG-TS', 's302m.ts', '-c:a s302m -ac 2 -strict -2'],
  ['IMA4 in QuickTime in fragments', 'ima4.mov', '-c:a adpcm_ima_qt -movflags +frag_keyframe+empty_moov'],
])('%s, which Matroska cannot hold, sounds from start to end', async (_, name, encoder) => {
  await ffmpeg(...pictures, ...tone, ...X264, ...encoder.split(' '), at(name));
  const found = await shown(at(name));
  expect(found.numbers).toEqual(numbers);
  expect(found.sounding).toBeGreaterThanOrEqual(LEAST_SOUNDING);
  expect(found.plan.notices).toEqual([]);
});

test('samples as floating-point numbers, the most significant byte first, sound from start to end', async () => {
  await ffmpeg(...tone, '-c:a', 'pcm_f32be', at('float.caf'));
  const { sounding, plan } = await shown(at('float.caf'));
  expect(sounding).toBeGreaterThanOrEqual(LEAST_SOUNDING);
  expect(plan.notices).toEqual([]);
});

test('several runs of samples in a fragment: every picture once, and sound throughout', async () => {
  const fragments = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-frag_interleave', '5'];
  await ffmpeg(...pictures, ...tone, ...X264, '-c:a', 'aac', ...fragments, at('runs.mp4'));
  const found = await shown(at('runs.mp4'));
  expect(found.plan.source.reason).toBe('FRAGMENTED');
  expect(found.numbers).toEqual(numbers);
  expect(found.sounding).toBeGreaterThanOrEqual(LEAST_SOUNDING);
  expect(found.plan.notices).toEqual([]);
});

test('a whole MP4 whose list of keys names only the last picture: every picture, and sound throughout', async () => {
  // Only the first is a key of the usual kind: ffmpeg 4.1 copies nothing before one that the file calls a key.
  const refreshed = [...X264, '-x264-params', 'intra-refresh=1'];
  await ffmpeg(...pictures, ...tone, ...refreshed, '-c:a', 'aac', at('keys.mp4'));
  const file = await readFile(at('keys.mp4'));
  const keys = file.indexOf('stss');
  file.writeUInt32BE(1, keys + 8);
  file.writeUInt32BE(numbers.length, keys + 12);
  await writeFile(at('one-key.mp4'), file);
  const found = await shown(at('one-key.mp4'));
  expect(found.numbers).toEqual(numbers);
  expect(found.sounding).toBeGreaterThanOrEqual(LEAST_SOUNDING);
  expect(found.plan.notices).toEqual([]);
});

test('a file that was not copied whole says what it lacks', async () => {
  const faststart = ['-c:a', 'aac', '-movflags', '+faststart', '-g', '10'];
  await ffmpeg(...pictures, ...tone, ...X264, ...faststart, at('all.mp4'));
  const file = await readFile(at('all.mp4'));
  await writeFile(at('half.mp4'), file.subarray(0, file.length * 0.6));
  const { plan } = await plannedFile(at('half.mp4'), directory.path);
  expect(plan.notices).toEqual([
    {
      code: 'ENDS_EARLY',
      track: 'video-0',
      message: expect.stringMatching(
        /^The picture ends early: about [34] of 6 seconds are there\.$/,
      ) as string,
    },
    {
      code: 'ENDS_EARLY',
      track: 'audio-0',
      message: expect.stringMatching(/^The sound ends early: about [34] of 6 seconds are there\.$/) as string,
    },
  ]);
});

test('a picture without a time stamp does not end the film', async () => {
  await ffmpeg(...pictures, ...X264, at('timed.ts'));
  await writeFile(at('untimed.ts'), withoutTimeOf(await readFile(at('timed.ts')), 40));
  const found = await shown(at('untimed.ts'));
  expect(new Set(found.numbers).size).toBeGreaterThanOrEqual(0.95 * numbers.length);
  expect(found.numbers.at(-1)).toBe(numbers.at(-1));
  expect(found.plan.grid.frameCount).toBeGreaterThanOrEqual(0.98 * numbers.length);
});

/** Takes the time stamps from one PES packet of the picture (ISO/IEC 13818-1, 2.4.3.7), and stuffs their place. */
function withoutTimeOf(stream: Buffer, picture: number): Buffer {
  const changed = Buffer.from(stream);
  const starts = Array.from({ length: changed.length / 188 }, (_, packet) => packet * 188).flatMap(
    (packet) => {
      const isStart = (changed[packet + 1]! & 0x40) !== 0;
      const payload = packet + 4 + (changed[packet + 3]! & 0x20 ? 1 + changed[packet + 4]! : 0);
      return isStart && changed.readUInt32BE(payload) === 0x000001e0 ? [payload] : [];
    },
  );
  const header = starts[picture]!;
  changed[header + 7]! &= 0x3f;
  changed.fill(0xff, header + 9, header + 9 + changed[header + 8]!);
  return changed;
}

test('a sound track without a packet is left out, and nothing is said of it', async () => {
  await ffmpeg(...pictures, ...tone, ...X264, '-c:a', 'libopus', '-af', 'atrim=end=0', at('off.mkv'));
  const found = await shown(at('off.mkv'));
  expect(found.numbers).toEqual(numbers);
  expect(found.plan.tracks.map(({ kind }) => kind)).toEqual(['video']);
  expect(found.plan.notices).toEqual([]);
});

test('of several sound tracks the first with a packet is heard, and one pass finds it', async () => {
  const tracks = ['-map', '0', '-map', '1', '-map', '1', '-map', '1', '-map', '1'];
  const empty = [0, 1, 2].flatMap((track) => [`-filter:a:${track}`, 'atrim=end=0']);
  await ffmpeg(...pictures, ...tone, ...tracks, ...X264, '-c:a', 'libopus', ...empty, at('offs.mkv'));
  const { id, world } = await uploadedIn(directory.path, await readFile(at('offs.mkv')));
  const [ffprobePath, asked] = [at('ffprobe'), at('asked')];
  await mkdir(asked);
  // It may write no file.
  const noted = `case "$*" in *"packet=stream_index -of"*) mkdir ${asked}/$$;; esac`;
  const script = `#!/bin/sh\n${noted}\nexec ${binaries.ffprobePath} "$@"\n`;
  await writeFile(ffprobePath, script, { mode: 0o755 });
  world.tools.binaries = { ...binaries, ffprobePath };
  const plan = await currentPlan(id, world);
  expect(plan.tracks.map(({ kind, streamIndex }) => [kind, streamIndex])).toEqual([
    ['video', 0],
    ['audio', 4],
  ]);
  expect(await readdir(asked)).toHaveLength(1);
});

// ffmpeg 5 knows that name for PCM: to it, there is nothing unknown in these files.
(isShipped ? describe : describe.skip)('a sound that ffmpeg finds no decoder for in this very file', () => {
  const renamed = (file: Buffer): Buffer => replaced(replaced(file, 'mp4a', 'ipcm'), 'esds', 'free');

  test('is left out beside a picture, and named', async () => {
    await ffmpeg(...pictures, ...tone, ...X264, '-c:a', 'aac', at('known.mp4'));
    await writeFile(at('unknown.mp4'), renamed(await readFile(at('known.mp4'))));
    const found = await shown(at('unknown.mp4'));
    expect(found.numbers).toEqual(numbers);
    expect(found.plan.notices).toEqual([
      { code: 'TRACK_LEFT_OUT', track: null, message: expect.stringMatching(/left out: .*ipcm/) as string },
    ]);
  });

  test('is refused by its name where there is nothing else', async () => {
    await ffmpeg(...tone, '-c:a', 'aac', at('known.m4a'));
    await writeFile(at('unknown.m4a'), renamed(await readFile(at('known.m4a'))));
    await expect(plannedFile(at('unknown.m4a'), directory.path)).rejects.toMatchObject({
      code: 'UNSUPPORTED_CODEC',
      message: expect.stringContaining('ipcm') as string,
    });
  });
});

test('xHE-AAC, which keeps ffprobe from opening the file, is left out beside a picture, and named', async () => {
  await ffmpeg(...pictures, ...tone, ...X264, '-c:a', 'aac', at('lc.mp4'));
  const file = await readFile(at('lc.mp4'));
  // The decoder's setup follows tag 5 and a length of four bytes; its first eleven bits become object type 42.
  const setup = file.indexOf(Buffer.from([0x05, 0x80, 0x80, 0x80]), file.indexOf('esds')) + 5;
  file.writeUInt16BE(0xf940, setup);
  await writeFile(at('usac.mp4'), file);
  const found = await shown(at('usac.mp4'));
  expect(found.numbers).toEqual(numbers);
  expect(found.plan.notices).toEqual([
    { code: 'TRACK_LEFT_OUT', track: null, message: expect.stringContaining('xHE-AAC') as string },
  ]);
});

describe('xHE-AAC in Matroska', () => {
  /** The first track of sound as xHE-AAC. */
  async function unopened(name: string, ...sounds: string[]): Promise<string> {
    const tracks = sounds.flatMap(() => ['-map', '1']);
    const codecs = sounds.flatMap((codec, index) => [`-c:a:${index}`, codec]);
    // Not before the picture: what AAC's encoder puts before the first sample has a place then.
    const later = ['-itsoffset', '0.1', ...tone];
    await ffmpeg(...pictures, ...later, '-map', '0', ...tracks, ...X264, ...codecs, at(name));
    const file = await readFile(at(name));
    // The decoder's setup follows its element's number and a length of one byte; its first eleven bits become object type 42.
    const setup = file.indexOf(Buffer.from([0x63, 0xa2]), file.indexOf('A_AAC')) + 3;
    file.writeUInt16BE(0xf940, setup);
    await writeFile(at(name), file);
    return at(name);
  }

  test('is left out beside a picture, and named', async () => {
    const found = await shown(await unopened('usac.mkv', 'aac'));
    expect(found.numbers).toEqual(numbers);
    expect(found.plan.notices).toEqual([
      { code: 'TRACK_LEFT_OUT', track: null, message: expect.stringContaining('xHE-AAC') as string },
    ]);
  });

  test('is passed over where there is another sound', async () => {
    const found = await shown(await unopened('usac-ac3.mkv', 'aac', 'ac3'));
    expect(found.numbers).toEqual(numbers);
    expect(found.plan.tracks.map(({ kind, streamIndex }) => [kind, streamIndex])).toEqual([
      ['video', 0],
      ['audio', 2],
    ]);
    expect(found.sounding).toBeGreaterThanOrEqual(LEAST_SOUNDING);
    expect(found.plan.notices).toEqual([]);
  });

  test('is refused by its name where there is nothing else', async () => {
    await ffmpeg(...tone, '-c:a', 'aac', at('alone.mka'));
    const file = await readFile(at('alone.mka'));
    file.writeUInt16BE(0xf940, file.indexOf(Buffer.from([0x63, 0xa2]), file.indexOf('A_AAC')) + 3);
    await writeFile(at('alone.mka'), file);
    await expect(plannedFile(at('alone.mka'), directory.path)).rejects.toMatchObject({
      code: 'UNSUPPORTED_CODEC',
      message: expect.stringContaining('xHE-AAC') as string,
    });
  });
});

function replaced(file: Buffer, from: string, to: string): Buffer {
  const changed = Buffer.from(file);
  changed.write(to, changed.indexOf(from), 'latin1');
  return changed;
}
