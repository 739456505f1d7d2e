// Segments of separate ffmpeg processes, packed anew, are one stream to a decoder, and nothing of them is lost.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fraction } from '../../core/fraction.ts';
import { PRESENT_RECIPE } from '../../core/recipes/present.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { framesOfSegment } from '../../core/plan/grid.ts';
import { accessUnitsOf } from '../../core/formats/transport-stream/access-units.ts';
import { segmentPlace } from '../../core/formats/transport-stream/segment-place.ts';
import { packSegment } from '../../core/formats/transport-stream/packed-segment.ts';
import { countPictures } from '../../core/formats/transport-stream/pictures.ts';
import { ffmpeg, ffprobe, temporaryDirectory } from '../support/media.ts';
import { pictures } from '../support/stream.ts';
import { CONTINUOUS, clockSteps, counterBreaks, packetsOf } from '../support/transport-packets.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** Frames `from` up to `to` of ffmpeg's test picture in one process, cut into segments as the pipeline has them cut. */
async function encoded({ num, den }: Fraction, frames: readonly number[]): Promise<Uint8Array[]> {
  const [from, to] = [frames[0]!, frames.at(-1)!];
  const gop = Math.max(1, Math.round((2 * num) / den));
  const cuts = frames.slice(1, -1).map((frame) => frame - from);
  const name = `${num}-${den}-${from}`;
  const flags = 'mpegts_flags=+initial_discontinuity:output_ts_offset=10';
  const muxer =
    cuts.length > 0
      ? ['-f', 'segment', '-segment_format', 'mpegts', '-segment_format_options', flags]
      : ['-f', 'mpegts', '-mpegts_flags', '+initial_discontinuity', '-output_ts_offset', '10'];
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=${num}/${den}`],
    ...['-vf', `trim=start_frame=${from}:end_frame=${to}`, '-vsync', '0'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-g', `${gop}`, '-keyint_min', `${gop}`],
    ...['-sc_threshold', '0', '-avoid_negative_ts', 'disabled', '-muxdelay', '0', '-muxpreload', '0'],
    ...muxer,
    ...(cuts.length > 0 ? ['-segment_frames', cuts.join(',')] : []),
    join(directory.path, cuts.length > 0 ? `${name}-%d.ts` : `${name}-0.ts`),
  );
  return Promise.all(
    frames.slice(1).map((_, index) => readFile(join(directory.path, `${name}-${index}.ts`))),
  );
}

async function stored(name: string, ...segments: Uint8Array[]): Promise<string> {
  const path = join(directory.path, `${name}.ts`);
  await writeFile(path, Buffer.concat(segments));
  return path;
}

async function packetsProbed(segment: Uint8Array): Promise<object[]> {
  const path = await stored('probed', segment);
  const found = await ffprobe('-show_entries', 'packet=pts,dts,flags,size:packet_side_data=', path);
  return (found as unknown as { packets: object[] }).packets;
}

async function pictureHashes(path: string): Promise<string[]> {
  const { stdout } = await ffmpeg('-i', path, '-map', '0:v', '-vsync', '0', '-f', 'framemd5', '-');
  const lines = stdout.toString().split('\n');
  return lines.filter((line) => line.startsWith('0,')).map((line) => line.split(',').at(-1)!.trim());
}

describe.each([
  { num: 1, den: 2 },
  { num: 1, den: 1 },
  { num: 3, den: 2 },
  { num: 25, den: 1 },
  { num: 24_000, den: 1001 },
  { num: 30_000, den: 1001 },
  { num: 60, den: 1 },
])('at $num/$den fps', (frameRate) => {
  const gopFrames = Math.max(1, Math.round((2 * frameRate.num) / frameRate.den));
  const segmentFrames = 2 * gopFrames;
  // The last segment is of one picture, which x264 decodes when it is shown and not before.
  const grid = { frameRate, gopFrames, segmentFrames, frameCount: 4 * segmentFrames + 1 };
  const cuts = [0, 1, 2, 3, 4, 5].map((index) => framesOfSegment(grid, index).from);
  cuts[5] = grid.frameCount;
  let old: Uint8Array[];
  let packed: Uint8Array[];
  beforeAll(async () => {
    // Of a process each, two of a run, and again one by itself.
    const runs = [cuts.slice(0, 2), cuts.slice(1, 3), cuts.slice(2, 5), cuts.slice(4)];
    old = [];
    for (const run of runs) old.push(...(await encoded(frameRate, run)));
    packed = old.map((segment, index) =>
      packSegment(accessUnitsOf(segment), segmentPlace({ grid, recipe: PRESENT_RECIPE }, index), CONTINUOUS),
    );
    expect(packed).toHaveLength(segmentCount(grid));
  });

  test('ffprobe finds the same packets as before', async () => {
    for (const [index, segment] of packed.entries()) {
      const before = await packetsProbed(old[index]!);
      const { from, to } = framesOfSegment(grid, index);
      expect(await packetsProbed(segment)).toEqual(before);
      expect(before).toHaveLength(to - from);
      expect(countPictures(segment)).toBe(before.length);
    }
  });

  test('counters and clock run on from segment to segment', () => {
    const packets = packetsOf(Buffer.concat(packed));
    expect(counterBreaks(packets)).toEqual([]);
    expect(packets.some(({ isDiscontinuity }) => isDiscontinuity)).toBe(false);
    expect(Math.min(...clockSteps(packets))).toBeGreaterThan(0);
    expect(Math.max(...clockSteps(packets))).toBeLessThanOrEqual(9000);
  });

  test('one after another they decode without a complaint, to the same pictures at their times', async () => {
    const path = await stored('joined', ...packed);
    const { times, complaints } = await pictures(path);
    expect(complaints).toBe('');
    expect(times).toHaveLength(grid.frameCount);
    times.forEach((time, frame) =>
      expect(Math.abs(time - 10 - (frame * frameRate.den) / frameRate.num)).toBeLessThanOrEqual(1 / 90_000),
    );
    const hashes: string[] = [];
    for (const segment of old) hashes.push(...(await pictureHashes(await stored('alone', segment))));
    expect(await pictureHashes(path)).toEqual(hashes);
  });
});
