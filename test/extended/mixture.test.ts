// What may be assumed of two segments of one rendition, whoever made them: the same frames at the same times, and any
// mixture of them decodes without a complaint. A cache, a store and a second release make such mixtures.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AAC_FRAME_SAMPLES } from '../../core/codecs/aac.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { FIRST_RECIPE } from '../../core/recipes/first.ts';
import { PRESENT_RECIPE } from '../../core/recipes/present.ts';
import { framesOfSegment } from '../../core/plan/grid.ts';
import { renditionsOf } from '../../core/plan/plan.ts';
import { unitsOf } from '../../core/plan/segments.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { makersOf, picturesBy, runBy, segmentsBy, titleOf } from '../support/makers.ts';
import type { Maker } from '../support/makers.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { pictureFacts, soundFacts } from '../support/segment-facts.ts';
import { plannedFile } from '../support/stream.ts';
import { samplesOf, snr, worstSeam } from '../support/tone.ts';
import { clockSteps, counterBreaks, packetsOf } from '../support/transport-packets.ts';
import { plannedBy } from '../support/old-plan.ts';

const ALL = makersOf([1, 2, 5]);
const SOME: Maker[] = [
  { ffmpeg: 'shipped', how: 'alone', threads: 1 },
  { ffmpeg: 'system', how: 'run', threads: 5 },
  { ffmpeg: 'shipped', how: 'run', threads: 2 },
  { ffmpeg: 'system', how: 'alone', threads: 2 },
];
const DECODERS = ['shipped', 'system'] as const;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** Whose segment each is: the makers in turn, every `step`th of them, from each of them on. */
function patterns(makers: readonly Maker[], step: number, count: number): Maker[][] {
  return makers.map((_, first) =>
    Array.from({ length: count }, (_segment, index) => makers[(first + index * step) % makers.length]!),
  );
}

/** Those segments, which are all of a film, in a file. */
async function mixed(pattern: readonly Maker[], made: ReadonlyMap<Maker, Uint8Array[]>): Promise<string> {
  const path = join(directory.path, 'mixture.bin');
  await writeFile(path, Buffer.concat(pattern.map((maker, index) => made.get(maker)![index]!)));
  return path;
}

async function madeByAll(
  makers: readonly Maker[],
  what: Parameters<typeof segmentsBy>[1],
): Promise<Map<Maker, Uint8Array[]>> {
  const made = new Map<Maker, Uint8Array[]>();
  for (const maker of makers) made.set(maker, await segmentsBy(maker, what, directory.path));
  return made;
}

describe.each([FIRST_RECIPE, PRESENT_RECIPE])('recipe $name', (recipe) => {
  describe.each([
    // The last segment is of 30 pictures, of one, and of two.
    { rate: '30000/1001', frames: 390, makers: ALL, steps: [7] },
    { rate: '25', frames: 401, makers: SOME, steps: [1] },
    { rate: '60', frames: 722, makers: SOME, steps: [1] },
  ])('pictures at $rate fps', ({ rate, frames, makers, steps }) => {
    let plan: Plan;
    let made: Map<Maker, Uint8Array[]>;
    const isContinuous = recipe.transportStream.packing.kind === 'continuous';
    beforeAll(async () => {
      const file = join(directory.path, `pictures-${rate.replace('/', '-')}.mp4`);
      await ffmpeg(
        ...['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=${rate}`, '-frames:v', String(frames)],
        ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '3', file],
      );
      plan = plannedBy((await plannedFile(file, directory.path)).plan, recipe);
      made = await madeByAll(makers, { file, plan, rendition: '180p' });
    });

    test('the makers are not the same', () => {
      expect(plan.grid.frameCount).toBe(frames);
      const encoders = makers.map((maker) => encoderOf(made.get(maker)![0]!));
      makers.forEach(({ threads }, index) => expect(encoders[index]).toMatch(`threads=${threads}`));
      const builds = encoders.map((encoder) => /core \d+/.exec(encoder)?.[0]);
      expect(new Set(builds).size).toBe(2);
    });

    test('times, parameter sets and keyframes are the same, whoever makes a segment', () => {
      const facts = makers.map((maker) => made.get(maker)!.map(mixedFacts));
      makers.forEach((_, index) => expect(facts[index]).toEqual(facts[0]));
      expect(facts[0]).toHaveLength(segmentCount(plan.grid));
      facts[0]!.forEach((segment, index) => {
        const { from, to } = framesOfSegment(plan.grid, index);
        expect(segment.frames).toBe(to - from);
      });
    });

    test('any mixture decodes without a complaint, to all frames once, in order, at their times', async () => {
      const count = segmentCount(plan.grid);
      const { num, den } = plan.grid.frameRate;
      // What each segment is decoded to among others of its own maker.
      const own = new Map<Maker, string[]>();
      for (const maker of makers) {
        own.set(maker, (await picturesBy('shipped', await mixed(Array(count).fill(maker), made))).hashes);
      }
      for (const pattern of steps.flatMap((step) => patterns(makers, step, count))) {
        const path = await mixed(pattern, made);
        const expected = pattern.flatMap((maker, index) => {
          const { from, to } = framesOfSegment(plan.grid, index);
          return own.get(maker)!.slice(from, to);
        });
        for (const decoder of DECODERS) {
          const { times, hashes, complaints } = await picturesBy(decoder, path);
          const decoded = `${pattern.map(titleOf).join(', ')}, decoded by ${decoder}: `;
          expect(decoded + complaints).toBe(decoded);
          expect(hashes).toEqual(expected);
          expect(hashes).toHaveLength(frames);
          const worst = Math.max(...times.map((time, frame) => Math.abs(time - 10 - (frame * den) / num)));
          expect(worst).toBeLessThanOrEqual(1 / 90_000);
        }
      }
    });

    if (isContinuous) {
      test('counters and clock run on in every mixture', () => {
        // Any two neighbours.
        const count = segmentCount(plan.grid);
        for (let index = 0; index + 1 < count; index += 1) {
          for (const before of makers) {
            for (const after of makers) {
              const pair = [made.get(before)![index]!, made.get(after)![index + 1]!];
              const packets = packetsOf(Buffer.concat(pair));
              expect(counterBreaks(packets)).toEqual([]);
              const steps = clockSteps(packets);
              expect(Math.min(...steps)).toBeGreaterThan(0);
              expect(Math.max(...steps)).toBeLessThanOrEqual(9000);
            }
          }
        }
      });
    }

    test('pictures look alike, whoever makes them', async () => {
      const first = await grayPictures(made.get(makers[0]!)!);
      for (const maker of makers.slice(1)) {
        const pictures = await grayPictures(made.get(maker)!);
        expect(pictures).toHaveLength(first.length);
        const worst = Math.min(...pictures.map((picture, index) => psnr(picture, first[index]!)));
        expect(worst).toBeGreaterThan(30);
      }
    });
  });

  test.each([44_100, 48_000])('sound at %i Hz has no seam where makers meet', async (rate) => {
    const file = join(directory.path, `sound-${rate}.mp4`);
    await ffmpeg('-f', 'lavfi', '-i', `sine=440:r=${rate}:d=17`, '-c:a', 'aac', '-b:a', '192k', file);
    const plan = plannedBy((await plannedFile(file, directory.path)).plan, recipe);
    const makers = makersOf([1]);
    const made = await madeByAll(makers, { file, plan, rendition: 'audio-0' });
    const count = segmentCount(plan.grid);
    const [sound] = renditionsOf(plan, 'audio');
    const framesOf = (index: number) => unitsOf(plan, sound!, index);
    for (const segments of made.values()) {
      segments.forEach((bytes, index) => {
        const { from, to } = framesOf(index);
        expect(soundFacts(bytes)).toEqual(soundFacts(made.get(makers[0]!)![index]!));
        expect(soundFacts(bytes).frames).toBe(to - from);
      });
    }
    const samples = framesOf(count - 1).to * AAC_FRAME_SAMPLES;
    const borders = [1, 2, 3].map((index) => framesOf(index).from * AAC_FRAME_SAMPLES);
    const shipped = makers.filter((maker) => maker.ffmpeg === 'shipped');
    const mixtures = [
      ...patterns(shipped, 1, count),
      ...[1, 2].flatMap((step) => patterns(makers, step, count)),
    ];
    for (const pattern of mixtures) {
      const path = await mixed(pattern, made);
      for (const decoder of DECODERS) {
        const { stdout, stderr } = await runBy(decoder, [
          ...['-v', 'warning', '-f', 'aac', '-i', path, '-f', 'f32le', '-ac', '1', '-'],
        ]);
        // ADTS does not say how long it is.
        expect(stderr.replace(/^.*Estimating duration from bitrate.*\n/m, '')).toBe('');
        const heard = samplesOf(stdout);
        expect(heard).toHaveLength(samples);
        expect(Math.min(...borders.map((border) => snr(heard, border, rate)))).toBeGreaterThan(LEAST_SNR);
        // By a recipe that leaves the coder to the build, others make more noise than the shipped one, at borders and
        // elsewhere.
        const namesCoder = recipe.aac.encoder.includes('-aac_coder');
        if (namesCoder || pattern.every((maker) => shipped.includes(maker))) {
          expect(worstSeam(heard, borders, rate)).toBeGreaterThan(-6);
        }
      }
    }
  });
});

/**
 * In dB. ffmpeg 5.1 has another coder by default than 4.1 (`twoloop`, not `fast`), which starts into a tone with this much
 * noise in all frames, not at borders alone; a click is louder.
 */
const LEAST_SNR = 30;

/** What x264 says of itself, in the first segment that a process makes. */
const encoderOf = (segment: Uint8Array): string =>
  /x264 - core [^\0]*/.exec(
    Buffer.concat(packetsOf(segment).map(({ payload }) => payload)).toString('latin1'),
  )![0];

/** What a decoder goes by. */
function mixedFacts(segment: Uint8Array) {
  const { frames, pts, dts, sps, pps, nalTypes, randomAccess } = pictureFacts(segment);
  // Given one or two pictures alone, x264 decodes them later than at the end of a run.
  return { frames, pts, ...(frames > 2 ? { dts } : {}), sps, pps, nalTypes, randomAccess };
}

const SMALL = { width: 80, height: 45 };

/** A rendition's pictures, small and without colours. */
async function grayPictures(segments: readonly Uint8Array[]): Promise<Buffer[]> {
  const path = join(directory.path, 'gray.ts');
  await writeFile(path, Buffer.concat(segments));
  const filters = `scale=${SMALL.width}:${SMALL.height}:flags=area,format=gray`;
  const { stdout } = await ffmpeg('-i', path, '-vf', filters, '-vsync', '0', '-f', 'rawvideo', '-');
  const bytes = SMALL.width * SMALL.height;
  return Array.from({ length: stdout.length / bytes }, (_, index) =>
    stdout.subarray(index * bytes, (index + 1) * bytes),
  );
}

/** Peak signal to noise between two pictures, in dB. */
function psnr(one: Buffer, other: Buffer): number {
  const squares = one.reduce((sum, value, index) => sum + (value - other[index]!) ** 2, 0);
  return 10 * Math.log10(255 ** 2 / (squares / one.length));
}
