// Sound of any rate and any number of channels comes out as stereo or mono at a rate that all players take, at its pitch and
// as loud as it was; and of several tracks the right one.

import { mainTrack, renditionsOf } from '../../core/plan/plan.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { encodeInPieces, joined, pictures as shown } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const at = (name: string): string => join(directory.path, name);
const SECONDS = 3;
const tone = (hertz: number, rate = 48_000) => ['-f', 'lavfi', '-i', `sine=${hertz}:r=${rate}:d=${SECONDS}`];
const pictures = ['-f', 'lavfi', '-i', `testsrc2=s=64x48:r=25:d=${SECONDS}`];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];

async function heard(source: string) {
  const { plan, segments } = await encodeInPieces(source, directory.path);
  const path = await joined(segments, renditionsOf(plan, 'audio')[0]!.name, directory.path);
  const { sampleRate, channels } = renditionsOf(plan, 'audio')[0]!;
  const { stdout } = await ffmpeg('-f', 'aac', '-i', path, '-f', 's16le', '-');
  const all = new Int16Array(
    stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~1)),
  );
  const perChannel = Array.from({ length: channels }, (_, channel) =>
    all.filter((_sample, index) => index % channels === channel),
  );
  return { plan, sampleRate, channels: perChannel.map((samples) => measured(samples, sampleRate)) };
}

/** Pitch by crossings of zero, and loudness, of the middle second. */
function measured(samples: Int16Array, rate: number): { hertz: number; level: number; seconds: number } {
  const middle = samples.subarray(rate, 2 * rate);
  let crossings = 0;
  for (let index = 1; index < middle.length; index += 1) {
    if (middle[index - 1]! < 0 && middle[index]! >= 0) crossings += 1;
  }
  const level = Math.sqrt(middle.reduce((sum, sample) => sum + sample ** 2, 0) / middle.length) / 32_768;
  return { hertz: crossings, level, seconds: samples.length / rate };
}

/** Of ffmpeg's sine. */
const FULL = 1 / 8 / Math.SQRT2;

test.each([
  [8_000, 48_000],
  [11_025, 48_000],
  [16_000, 48_000],
  [22_050, 48_000],
  [32_000, 48_000],
  [44_100, 44_100],
  [48_000, 48_000],
  [96_000, 48_000],
  [192_000, 48_000],
])('%i Hz become %i Hz, at the same pitch and loudness', async (rate, made) => {
  await ffmpeg(...tone(440, rate), '-c:a', 'pcm_s16le', at('rate.wav'));
  const { sampleRate, channels } = await heard(at('rate.wav'));
  expect(sampleRate).toBe(made);
  expect(channels).toHaveLength(1);
  expect(channels[0]!.hertz).toBeGreaterThanOrEqual(439);
  expect(channels[0]!.hertz).toBeLessThanOrEqual(441);
  expect(channels[0]!.level / FULL).toBeGreaterThan(0.9);
  expect(channels[0]!.level / FULL).toBeLessThan(1.1);
  // To the end, in whole frames, and what an encoder puts before them.
  expect(channels[0]!.seconds).toBeGreaterThanOrEqual(SECONDS - 1024 / made);
  expect(channels[0]!.seconds).toBeLessThan(SECONDS + (3 * 1024) / made);
});

test.each([8_000, 22_050, 32_000, 44_100, 96_000])(
  '%i Hz are heard all the time, wherever encoding begins',
  async (rate) => {
    await ffmpeg('-f', 'lavfi', '-i', `sine=440:r=${rate}:d=10`, '-c:a', 'pcm_s16le', at('long.wav'));
    const { plan, segments } = await encodeInPieces(at('long.wav'), directory.path);
    const path = await joined(segments, renditionsOf(plan, 'audio')[0]!.name, directory.path);
    const { stdout } = await ffmpeg('-f', 'aac', '-i', path, '-f', 'f32le', '-');
    const samples = new Float32Array(
      stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~3)),
    );
    const tenth = renditionsOf(plan, 'audio')[0]!.sampleRate / 10;
    const levels = Array.from({ length: 100 }, (_, index) => {
      const part = samples.subarray(index * tenth, (index + 1) * tenth);
      return Math.sqrt(part.reduce((sum, sample) => sum + sample ** 2, 0) / part.length) / FULL;
    });
    for (const level of levels.slice(1, -1)) {
      expect(level).toBeGreaterThan(0.9);
      expect(level).toBeLessThan(1.1);
    }
  },
);

test('left stays left, right stays right', async () => {
  await ffmpeg(...tone(440), ...tone(880), '-filter_complex', 'amerge', '-c:a', 'flac', at('stereo.mkv'));
  const { channels } = await heard(at('stereo.mkv'));
  expect(channels.map(({ hertz }) => Math.round(hertz / 10) * 10)).toEqual([440, 880]);
});

test('5.1 is mixed down: the middle on both sides, the left surround on the left, and nothing is clipped', async () => {
  const hertz = { FL: 300, FR: 500, FC: 700, LFE: 50, BL: 1100, BR: 1300 };
  const inputs = Object.values(hertz).flatMap((each) => tone(each));
  const join51 = 'join=inputs=6:channel_layout=5.1:map=0.0-FL|1.0-FR|2.0-FC|3.0-LFE|4.0-BL|5.0-BR';
  await ffmpeg(...inputs, '-filter_complex', join51, '-c:a', 'ac3', '-b:a', '448k', at('surround.mkv'));
  const { plan, segments } = await encodeInPieces(at('surround.mkv'), directory.path);
  expect(renditionsOf(plan, 'audio')[0]!.channels).toBe(2);
  const made = await joined(segments, renditionsOf(plan, 'audio')[0]!.name, directory.path);
  const loudness = async (channel: number, frequency: number): Promise<number> => {
    const only = `pan=mono|c0=c${channel},bandpass=f=${frequency}:width_type=h:w=40,volumedetect`;
    const { stderr } = await ffmpeg('-v', 'info', '-f', 'aac', '-i', made, '-af', only, '-f', 'null', '-');
    return Number(/mean_volume: (-?[\d.]+) dB/.exec(stderr)![1]);
  };
  const [left, right] = [0, 1].map((channel) => (name: keyof typeof hertz) => loudness(channel, hertz[name]));
  const LOUDER = 12; // as far as the band-passes tell neighbours apart
  expect(await left!('FL')).toBeGreaterThan((await right!('FL')) + LOUDER);
  expect(await right!('BR')).toBeGreaterThan((await left!('BR')) + LOUDER);
  expect(Math.abs((await left!('FC')) - (await right!('FC')))).toBeLessThan(1);
  expect(await left!('FC')).toBeGreaterThan((await right!('FL')) + LOUDER);
});

test('of sixteen channels the first two are taken', async () => {
  const inputs = Array.from({ length: 16 }, (_, channel) => tone(300 + 100 * channel));
  await ffmpeg(...inputs.flat(), '-filter_complex', 'amerge=inputs=16', '-c:a', 'pcm_s16le', at('many.wav'));
  const { channels } = await heard(at('many.wav'));
  expect(channels.map(({ hertz }) => Math.round(hertz / 10) * 10)).toEqual([300, 400]);
});

test('a song with a cover is a song', async () => {
  await ffmpeg(
    ...tone(440),
    ...['-f', 'lavfi', '-i', 'color=red:s=300x300:d=0.04', '-map', '0', '-map', '1', '-frames:v', '1'],
    ...[
      '-c:a',
      'libmp3lame',
      '-c:v',
      'mjpeg',
      '-id3v2_version',
      '3',
      '-disposition:v',
      'attached_pic',
      at('song.mp3'),
    ],
  );
  const { plan, channels } = await heard(at('song.mp3'));
  expect(plan.tracks.map(({ kind }) => kind)).toEqual(['audio']);
  expect(plan.stills).toBeNull();
  expect(channels[0]!.hertz).toBeCloseTo(440, -1);
});

test('of several tracks the default ones are taken, and data tracks are left alone', async () => {
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=128x96:r=25:d=${SECONDS}`, ...pictures, ...tone(440), ...tone(880)],
    ...['-map', '0', '-map', '1', '-map', '2', '-map', '3', ...X264, '-c:a', 'aac'],
    ...[
      '-disposition:v:0',
      '0',
      '-disposition:v:1',
      'default',
      '-disposition:a:0',
      '0',
      '-disposition:a:1',
      'default',
    ],
    at('tracks.mkv'),
  );
  const { plan, channels } = await heard(at('tracks.mkv'));
  expect(mainTrack(plan, 'video')).toMatchObject({ width: 64, height: 48 });
  expect(channels[0]!.hertz).toBeCloseTo(880, -1);

  await ffmpeg(
    ...pictures,
    ...tone(440),
    ...X264,
    '-c:a',
    'aac',
    '-timecode',
    '10:00:00:00',
    at('timecode.mov'),
  );
  expect((await heard(at('timecode.mov'))).channels[0]!.hertz).toBeCloseTo(440, -1);
});

test('a picture without sound has none', async () => {
  await ffmpeg(...pictures, ...X264, at('silent.mp4'));
  const { plan } = await encodeInPieces(at('silent.mp4'), directory.path);
  expect(renditionsOf(plan, 'audio')).toEqual([]);
});

test('sound of which nothing can be decoded is silence, and the pictures beside it are all there', async () => {
  await ffmpeg(...pictures, ...tone(440), ...X264, '-c:a', 'aac', at('sound.mkv'));
  await ffmpeg('-i', at('sound.mkv'), '-c', 'copy', '-bsf:a', 'noise=amount=1', at('noise.mkv'));
  const { channels } = await heard(at('noise.mkv'));
  expect(channels[0]).toEqual({ hertz: 0, level: 0, seconds: expect.closeTo(SECONDS, 1) });
  const { plan, segments } = await encodeInPieces(at('noise.mkv'), directory.path);
  const made = await joined(segments, renditionsOf(plan, 'video')[0]!.name, directory.path);
  expect((await shown(made)).times).toHaveLength(25 * SECONDS);
});

test('FLAC that does not say how many samples it has is as long as it is', async () => {
  // Written to a pipe, it cannot go back and say so.
  await ffmpeg(...tone(440), '-c:a', 'flac', '-f', 'flac', 'pipe:1').then(({ stdout }) =>
    writeFile(at('piped.flac'), stdout),
  );
  const { plan, channels } = await heard(at('piped.flac'));
  // Its last frame is taken for a whole one, of 4,608 samples.
  expect(plan.grid.frameCount / 25).toBeGreaterThanOrEqual(SECONDS);
  expect(plan.grid.frameCount / 25).toBeLessThan(SECONDS + 0.1);
  expect(channels[0]!.hertz).toBeCloseTo(440, -1);
});
