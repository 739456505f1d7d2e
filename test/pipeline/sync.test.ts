// Picture and sound stay together from the first segment to the last: a white picture and a beep every three seconds.

import { renditionsOf } from '../../core/plan/plan.ts';
import { join } from 'node:path';
import { valueOf } from '../../core/fraction.ts';
import { PRESENT_RECIPE } from '../../core/recipes/present.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { encodeInPieces, joined, pictures } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const SECONDS = 25;
const PERIOD_SECONDS = 3;

test.each([
  // The second kind begins both streams late, as a capture card does; the third its picture, as an edit list may.
  { rate: '25', sampleRate: 48_000, videoDelay: 0, audioDelay: 0 },
  { rate: '30000/1001', sampleRate: 44_100, videoDelay: 7.5, audioDelay: 7.5 },
  { rate: '24', sampleRate: 44_100, videoDelay: 1, audioDelay: 0 },
  { rate: '25', sampleRate: 48_000, videoDelay: 0, audioDelay: 2 },
])('flash and beep coincide within a frame, with %j', async (kind) => {
  const source = join(directory.path, `${Object.values(kind).join('-').replace('/', '-')}.mkv`);
  await flashAndBeep(source, kind);
  const { plan, segments } = await encodeInPieces(source, directory.path);
  const frameSeconds = 1 / valueOf(plan.grid.frameRate);
  const flashes = await flashTimes(
    await joined(segments, renditionsOf(plan, 'video')[0]!.name, directory.path),
    frameSeconds,
  );
  const beeps = await beepTimes(
    await joined(segments, 'audio-0', directory.path),
    renditionsOf(plan, 'audio')[0]!.sampleRate,
  );

  // Only the clock's own start may hide a flash or a beep, or a picture that is held.
  const compared = flashes.filter((time) => time > 2.5);
  expect(compared.length).toBeGreaterThanOrEqual(5);
  for (const flash of compared) {
    const nearest = Math.min(...beeps.map((beep) => Math.abs(beep - flash)));
    expect(nearest).toBeLessThanOrEqual(frameSeconds);
  }
});

/** At every multiple of the period on the file's own clock, whenever its streams begin. */
async function flashAndBeep(
  path: string,
  {
    rate,
    sampleRate,
    videoDelay,
    audioDelay,
  }: Record<'sampleRate' | 'videoDelay' | 'audioDelay', number> & {
    rate: string;
  },
): Promise<void> {
  const since = (delay: number) => `mod(t+${delay},${PERIOD_SECONDS})`;
  const flash = `drawbox=c=white:t=fill:enable='lt(${since(videoDelay)},0.03)'`;
  const beep = `if(lt(${since(audioDelay)},0.03),0.8*sin(2*PI*1000*t),0)`;
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `color=c=black:s=320x180:r=${rate}:d=${SECONDS - videoDelay},${flash}`],
    ...['-f', 'lavfi', '-i', `aevalsrc='${beep}':s=${sampleRate}:d=${SECONDS - audioDelay}`],
    ...['-filter_complex', `[0:v]setpts=PTS+${videoDelay}/TB[v];[1:a]asetpts=PTS+${audioDelay}/TB[a]`],
    ...['-map', '[v]', '-map', '[a]', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
    ...['-avoid_negative_ts', 'disabled', path],
  );
}

/** Seconds on the grid at which a bright picture follows a dark one. */
async function flashTimes(path: string, frameSeconds: number): Promise<number[]> {
  const { times } = await pictures(path);
  const gray = ['-vf', 'scale=1:1:flags=area,format=gray', '-vsync', '0', '-f', 'rawvideo', '-'];
  const { stdout } = await ffmpeg('-i', path, '-map', '0:v', ...gray);
  expect(stdout.length).toBe(times.length);
  const bright = [...stdout].map((level) => level > 128);
  const starts = bright.flatMap((on, frame) => (on && !bright[frame - 1] ? [frame] : []));
  // A flash at the very start has no dark picture before it; where the first picture is held, it is no flash.
  return starts.filter((frame) => frame > 0).map((frame) => roundTo(times[frame]!, frameSeconds));
}

const roundTo = (time: number, step: number): number =>
  Math.round((time - PRESENT_RECIPE.timestampOffsetSeconds) / step) * step;

/** Seconds on the grid at which a sound follows silence. */
async function beepTimes(path: string, sampleRate: number): Promise<number[]> {
  const { stdout } = await ffmpeg('-f', 'aac', '-i', path, '-f', 'f32le', '-ac', '1', '-');
  const samples = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
  const onsets: number[] = [];
  let lastLoud = -Infinity;
  samples.forEach((value, index) => {
    if (Math.abs(value) < 0.3) return;
    if (index - lastLoud > sampleRate / 2) onsets.push(index / sampleRate);
    lastLoud = index;
  });
  return onsets;
}
