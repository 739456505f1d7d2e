// Sources whose pictures change their size, and whose sound its channels or its rate, in mid-stream: every part is there, in
// its place, and in the shape that it has. And sound whose time stamps are not exact, or have gaps.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { renditionsOf } from '../../core/plan/plan.ts';
import { withRangeServer } from '../../machine/range-server.ts';
import { derive } from '../../pipeline/derive/derive.ts';
import { encode } from '../../pipeline/encode/encode.ts';
import { sourceOf } from '../../pipeline/source/ranges.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { NUMBERED_SIZE, numberedPictures, numbersIn } from '../support/numbered.ts';
import { encodeInPieces, joined, plannedFile } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const at = (name: string): string => join(directory.path, name);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

const RATE = 48_000;
/** A sound that is nowhere like itself a moment later. */
const sweep = (seconds: number, hertz = 300) =>
  `aevalsrc='0.2*sin(2*PI*(${hertz}*t+${300 / seconds}*t*t))':s=${RATE}:d=${seconds}`;

/** Files one after another in one, as they are. */
async function concatenated(names: readonly string[], name: string): Promise<string> {
  await writeFile(at(`${name}.txt`), names.map((part) => `file '${at(part)}'\n`).join(''));
  await ffmpeg('-f', 'concat', '-safe', '0', '-i', at(`${name}.txt`), '-map', '0', '-c', 'copy', at(name));
  return at(name);
}

/** A segment by itself, a run of three, and the rest. */
async function pictures(source: string): Promise<string> {
  const { plan, segments } = await encodeInPieces(source, directory.path);
  return joined(segments, renditionsOf(plan, 'video')[0]!.name, directory.path);
}

describe('pictures that change their size', () => {
  const SECONDS = 15;
  /** A third of the film, put into another size. */
  async function third(index: number, filter: string, codec: readonly string[], name: string): Promise<void> {
    const [from, to] = [index, index + 1].map((each) => (each * 25 * SECONDS) / 3);
    const cut = `trim=start_frame=${from}:end_frame=${to},setpts=PTS-STARTPTS`;
    const source = ['-f', 'lavfi', '-i', numberedPictures('25', SECONDS)];
    await ffmpeg(...source, '-vf', `${cut},${filter}`, ...codec, at(name));
  }
  const { width, height } = NUMBERED_SIZE;
  const VP8 = ['-c:v', 'libvpx', '-b:v', '1M', '-deadline', 'realtime', '-cpu-used', '8'];

  test('a poster is chosen among pictures of several sizes', async () => {
    const PNG = ['-c:v', 'png', '-pix_fmt', 'rgb24'];
    await third(0, `scale=${4 * width}:${4 * height}`, PNG, '0.mkv');
    await third(1, 'null', PNG, '1.mkv');
    const file = await concatenated(['0.mkv', '1.mkv', '1.mkv'], 'sizes-of-png.mkv');
    const { id, world, plan } = await plannedFile(file, directory.path);
    await derive(id, { kind: 'poster', rev: plan.rev }, world);
    const poster = await world.media.get(artifactKey(id, { kind: 'poster', rev: plan.rev }));
    await writeFile(at('poster.jpg'), poster!);
    const { stdout } = await ffmpeg('-i', at('poster.jpg'), '-pix_fmt', 'gray', '-f', 'rawvideo', '-');
    expect(stdout.some((luma) => luma > 128)).toBe(true); // a blank one is black
  });

  test('each is scaled into the frame, with bars where its shape is another, and stands in its place', async () => {
    await third(0, 'null', VP8, '0.webm');
    await third(1, `scale=${2 * width}:${2 * height}`, VP8, '1.webm');
    await third(2, `scale=${width}:${2 * height}`, VP8, '2.webm');
    const made = await pictures(await concatenated(['0.webm', '1.webm', '2.webm'], 'sizes.mkv'));
    const whole = await numbersIn(made);
    expect(whole.slice(0, 250)).toEqual(numbers(0, 250));
    // The last third is as high as the frame, and half as wide.
    const within = await numbersIn(made, `crop=${width / 2}:${height}:${width / 4}:0`);
    expect(within.slice(250)).toEqual(numbers(250, 375));
    const bar = await ffmpeg(
      ...['-i', made, '-vf', `select='gte(n,250)',crop=${width / 4 - 2}:${height}:0:0,scale=1:1,format=gray`],
      ...['-vsync', '0', '-f', 'rawvideo', '-'],
    );
    expect(Math.max(...bar.stdout)).toBeLessThan(20);
  });

  test('a film that begins small and grows keeps all of its pictures too', async () => {
    const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50'];
    await third(0, `scale=${width / 2}:${height / 2}`, X264, '0.ts');
    await third(1, 'null', X264, '1.ts');
    await third(
      2,
      `scale=${width / 2}:${height / 2},format=yuv444p`,
      [...X264, '-profile:v', 'high444'],
      '2.ts',
    );
    const made = await pictures(await concatenated(['0.ts', '1.ts', '2.ts'], 'grows.mkv'));
    expect(await numbersIn(made)).toEqual(numbers(0, 375));
  });

  test('so do pictures of two fields, whose pixels are not square', async () => {
    const FIELDS = [
      '-c:v',
      'mpeg2video',
      '-q:v',
      '2',
      '-flags',
      '+ildct+ilme',
      '-top',
      '1',
      '-g',
      '12',
      '-bf',
      '0',
    ];
    const broadcast = (across: number) => `scale=${across}:${height},setdar=2,setfield=tff`;
    for (const [index, across] of [144, 192, 144].entries()) {
      await third(index, broadcast(across), FIELDS, `${index}.mpg.ts`);
    }
    const made = await pictures(await concatenated(['0.mpg.ts', '1.mpg.ts', '2.mpg.ts'], 'fields.mkv'));
    const shown = await numbersIn(made);
    expect(shown).toHaveLength(375);
    // Where two files meet, a picture's time may be off by half of one.
    expect(shown.filter((number, frame) => Math.abs(number - frame) > 1)).toEqual([]);
  });
});

/** Of a file's sound, mono, by a decoder of its own. */
async function samplesOf(...input: string[]): Promise<Float32Array> {
  const { stdout } = await ffmpeg(...input, '-map', '0:a', '-ac', '1', '-ar', `${RATE}`, '-f', 'f32le', '-');
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~3)));
}

const madeSamples = async (segments: Map<string, Uint8Array>): Promise<Float32Array> =>
  samplesOf('-f', 'aac', '-i', await joined(segments, 'audio-0', directory.path));

/** The cosine of the angle between two sounds: 1 where one is the other, however loud. A sample's shift shows. */
function likeness(some: Float32Array, other: Float32Array): number {
  const length = Math.min(some.length, other.length);
  let [product, ours, theirs] = [0, 0, 0];
  for (let index = 0; index < length; index += 1) {
    product += some[index]! * other[index]!;
    ours += some[index]! ** 2;
    theirs += other[index]! ** 2;
  }
  return product / Math.sqrt(ours * theirs);
}

/** Parts are of sixteen of them. */
const STEP = 14_976;

/** The least of all steps. */
function leastLikeness(some: Float32Array, other: Float32Array): number {
  const steps = Math.floor(Math.min(some.length, other.length) / STEP);
  expect(steps).toBeGreaterThan(20);
  const at = (samples: Float32Array, step: number) => samples.subarray(step * STEP, (step + 1) * STEP);
  return Math.min(...numbers(0, steps).map((step) => likeness(at(some, step), at(other, step))));
}

describe('sound that changes', () => {
  const part = async (name: string, hertz: number, ...coding: string[]): Promise<void> => {
    await ffmpeg('-f', 'lavfi', '-i', sweep(4.992, hertz), ...coding, at(name));
  };

  test.each([
    ['its channels, in AC-3', 'ac3', ['-ac', '2'], ['-af', 'pan=5.1|c0=c0|c1=c0|c2=c0|c4=c0|c5=c0'], 'mkv'],
    ['from one channel to two and back, in FLAC', 'flac', ['-ac', '1'], ['-ac', '2'], 'mkv'],
  ])('%s, is all there, sample for sample', async (_, name, usual, other) => {
    await part(`0.${name}`, 300, ...usual);
    await part(`1.${name}`, 500, ...other);
    await part(`2.${name}`, 700, ...usual);
    const source = await concatenated(
      [0, 1, 2].map((index) => `${index}.${name}`),
      `${name}.mkv`,
    );
    const { segments } = await encodeInPieces(source, directory.path);
    const made = await madeSamples(segments);
    const own = await samplesOf('-i', source);
    expect(Math.abs(made.length - own.length)).toBeLessThan(3 * 1024);
    expect(leastLikeness(made, own)).toBeGreaterThan(0.95);
  });

  /** A quarter second of the one in the other, wherever within so many samples it is most like itself. */
  const inPlace = (made: Float32Array, own: Float32Array, second: number, within: number): number => {
    const [from, to] = [second * RATE, (second + 0.25) * RATE];
    const places = numbers(-within, within + 1).map((off) =>
      likeness(made.subarray(from + off, to + off), own.subarray(from, to)),
    );
    return Math.max(...places);
  };

  test('its rate, is all there, within a millisecond of its place', async () => {
    for (const [index, rate] of [48_000, 44_100, 48_000].entries()) {
      await part(`${index}.rate.ac3`, 300 + 200 * index, '-ar', `${rate}`);
    }
    const source = await concatenated(['0.rate.ac3', '1.rate.ac3', '2.rate.ac3'], 'rates.mkv');
    const { segments } = await encodeInPieces(source, directory.path);
    const made = await madeSamples(segments);
    const own = await samplesOf('-i', source);
    expect(Math.abs(made.length - own.length)).toBeLessThan(3 * 1024);
    for (const second of [1, 3, 6, 9, 11, 14]) {
      expect([second, inPlace(made, own, second, 48)]).toEqual([second, expect.closeTo(1, 1)]);
    }
  });

  test('its channels, in packed AAC, which is copied first, is all there in its place', async () => {
    await part('0.aac', 300, '-ac', '1');
    await part('1.aac', 500, '-ac', '2');
    const both = await Promise.all([0, 1].map((index) => readFile(at(`${index}.aac`))));
    await writeFile(at('both.aac'), Buffer.concat(both));
    const { segments } = await encodeInPieces(at('both.aac'), directory.path);
    const made = await madeSamples(segments);
    const own = await samplesOf('-i', at('both.aac'));
    for (const second of [1, 4, 6, 8]) expect(inPlace(made, own, second, 24)).toBeGreaterThan(0.99);
  });
});

/** A source's sound by one process, and each segment by one of its own. */
async function bothWays(source: string): Promise<{ run: Float32Array; alone: Float32Array }> {
  const { id, world, plan } = await plannedFile(source, directory.path);
  const count = segmentCount(plan.grid);
  return withRangeServer(sourceOf(id, plan.source, world), async ({ url }) => {
    const made = async (jobs: { from: number; to: number }[]): Promise<Float32Array> => {
      const segments = new Map<string, Uint8Array>();
      for (const job of jobs) {
        const own = { plan, renditions: ['audio-0'], sourceUrl: url, ...job };
        for await (const { rendition, index, bytes } of encode(own, world.tools)) {
          segments.set(`${rendition}/${index}`, bytes);
        }
      }
      return madeSamples(segments);
    };
    return {
      run: await made([{ from: 0, to: count }]),
      alone: await made(numbers(0, count).map((from) => ({ from, to: from + 1 }))),
    };
  });
}

describe('sound whose time stamps count milliseconds', () => {
  test.each([
    ['AAC at 44.1 kHz', ['-c:a', 'aac', '-ar', '44100']],
    ['AAC at 48 kHz', ['-c:a', 'aac']],
    ['Opus', ['-c:a', 'libopus']],
    ['AC-3', ['-c:a', 'ac3']],
    ['MP3', ['-c:a', 'libmp3lame', '-ar', '44100']],
  ])('%s: a segment made alone goes on where a run would, to the sample', async (name, coding) => {
    await ffmpeg('-f', 'lavfi', '-i', sweep(21), ...coding, at(`${name}.mkv`));
    const { run, alone } = await bothWays(at(`${name}.mkv`));
    expect(alone).toHaveLength(run.length);
    expect(leastLikeness(run.subarray(0, 20 * RATE), alone.subarray(0, 20 * RATE))).toBeGreaterThan(0.9995);
  });
});

/** Sound in frames of 1024 samples, each with a stamp by an expression: in a file that is read as it is, or decoded first. */
const STAMPED = {
  'in a file that is read as it is': async (name: string, stamps: string): Promise<string> => {
    await ffmpeg(...stampedSweep(stamps), '-c:a', 'pcm_s16le', '-f', 'nut', at(`${name}.nut`));
    await ffmpeg('-copyts', '-i', at(`${name}.nut`), '-c:a', 'copy', at(`${name}.mkv`));
    return at(`${name}.mkv`);
  },
  'in one that is decoded as it is copied': async (name: string, stamps: string): Promise<string> => {
    const fragments = ['-movflags', '+frag_keyframe+empty_moov'];
    await ffmpeg(...stampedSweep(stamps), '-c:a', 'adpcm_ima_qt', ...fragments, at(`${name}.mov`));
    return at(`${name}.mov`);
  },
};
const stampedSweep = (stamps: string): string[] => [
  ...['-f', 'lavfi', '-i', sweep(10), '-af', `asetnsamples=1024,asetpts='${stamps}'`],
];

describe.each(Object.entries(STAMPED))('gaps %s', (_, stamped) => {
  test.each([3, 5, 20, 58, 80])(
    'of %i ms are silence, and what follows is in its place',
    async (milliseconds) => {
      const gap = (RATE * milliseconds) / 1000;
      const source = await stamped(`gap-${milliseconds}`, `if(lt(N,100*1024),PTS,PTS+${gap})`);
      const { run, alone } = await bothWays(source);
      const own = await samplesOf('-f', 'lavfi', '-i', sweep(10));
      const border = 100 * 1024;
      for (const made of [run, alone]) {
        expect(likeness(made.subarray(0, border), own.subarray(0, border))).toBeGreaterThan(0.99);
        // A stamp of a millisecond is no more exact.
        const places = numbers(-24, 25).map((off) =>
          likeness(
            made.subarray(border + gap + off, border + gap + off + RATE),
            own.subarray(border, border + RATE),
          ),
        );
        expect(Math.max(...places)).toBeGreaterThan(0.99);
      }
    },
  );

  test.each([
    ['that go to and fro by 5 ms', 'PTS+240*mod(round(N/1024),2)'],
    ['by a clock that is too fast by half a thousandth', 'PTS*1.0005'],
  ])('are not made of stamps %s', async (name, stamps) => {
    const { run } = await bothWays(await stamped(name, stamps));
    const own = await samplesOf('-f', 'lavfi', '-i', sweep(10));
    const likenesses = numbers(0, 260).map((shift) =>
      likeness(run.subarray(RATE + shift, 2 * RATE + shift), own.subarray(RATE, 2 * RATE)),
    );
    const shift = likenesses.indexOf(Math.max(...likenesses));
    const [later, ours] = [run.subarray(RATE + shift), own.subarray(RATE, 9 * RATE)];
    expect(leastLikeness(later, ours)).toBeGreaterThan(0.99);
  });
});
