// Every frame of a source comes out once, in order, on the grid, however the segments are made.

import { renditionsOf } from '../../core/plan/plan.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { multivariantPlaylist } from '../../core/playlists/playlists.ts';
import { ffmpeg, ffprobe, temporaryDirectory } from '../support/media.ts';
import { encodeInPieces, joined, pictures } from '../support/stream.ts';
import { samplesOf, worstSeam } from '../support/tone.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

test.each([
  ['24', ['-r', '24']],
  ['24000/1001', []],
  ['25', []],
  ['30000/1001', []],
  ['50', []],
  ['60', []],
  ['25', ['-bf', '3', '-g', '250', '-sc_threshold', '0']],
])('%s fps %j: every frame once, in order, at its time', async (rate, encoder) => {
  const source = join(directory.path, `source-${rate.replace('/', '-')}-${encoder.length}.mp4`);
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    `testsrc2=s=320x180:r=${rate}:d=13`,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    ...encoder,
    source,
  );
  const { plan, segments } = await encodeInPieces(source, directory.path);
  const [name] = renditionsOf(plan, 'video').map((rendition) => rendition.name);
  const { times, complaints } = await pictures(await joined(segments, name!, directory.path));
  const { num, den } = plan.grid.frameRate;

  expect(complaints).toBe('');
  expect(times).toHaveLength(plan.grid.frameCount);
  expect(times).toHaveLength(Math.round((13 * num) / den));
  const worst = Math.max(...times.map((time, frame) => Math.abs(time - 10 - (frame * den) / num)));
  expect(worst).toBeLessThanOrEqual(1 / 90_000);
});

test('a variable frame rate becomes a constant one, each picture at its time', async () => {
  const source = join(directory.path, 'variable.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=30:d=13'];
  // Every third picture of the even seconds is missing, as from a phone in the dark.
  const gaps = ['-vf', "select='mod(floor(t),2)+mod(n,3)'", '-vsync', 'vfr'];
  await ffmpeg(...picture, ...gaps, '-c:v', 'libx264', '-preset', 'ultrafast', source);
  const { plan, segments } = await encodeInPieces(source, directory.path);
  const { times, complaints } = await pictures(
    await joined(segments, renditionsOf(plan, 'video')[0]!.name, directory.path),
  );
  const { num, den } = plan.grid.frameRate;
  expect(complaints).toBe('');
  expect(plan.grid.frameRate).toEqual({ num: 30, den: 1 });
  expect(times).toHaveLength(plan.grid.frameCount);
  expect(Math.abs(times.length - (13 * num) / den)).toBeLessThanOrEqual(1);
  times.forEach((time, frame) => expect(time).toBeCloseTo(10 + (frame * den) / num, 4));
});

test('the multivariant playlist names the codecs that ffprobe finds in the segments', async () => {
  const source = join(directory.path, 'codecs.mp4');
  const streams = ['-f', 'lavfi', '-i', 'testsrc2=s=1280x720:r=25:d=5', '-f', 'lavfi', '-i', 'sine=440:d=5'];
  await ffmpeg(...streams, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', source);
  const { plan, segments } = await encodeInPieces(source, directory.path);
  for (const rendition of renditionsOf(plan, 'video')) {
    const path = join(directory.path, `${rendition.name}.ts`);
    await writeFile(path, segments.get(`${rendition.name}/0`)!);
    const found = await ffprobe('-show_entries', 'stream=profile,level,width,height', path);
    const level = Math.round(Number(rendition.level) * 10);
    expect(found.streams).toEqual([
      { profile: 'High', width: rendition.width, height: rendition.height, level },
    ]);
    expect(multivariantPlaylist(plan)).toContain(
      `CODECS="avc1.6400${level.toString(16).padStart(2, '0')},mp4a.40.2",RESOLUTION=${rendition.width}x${rendition.height}`,
    );
  }
  const path = join(directory.path, 'sound.aac');
  await writeFile(path, segments.get('audio-0/0')!);
  const found = await ffprobe('-show_entries', 'stream=codec_name,profile', path);
  expect(found.streams).toEqual([{ codec_name: 'aac', profile: 'LC' }]);
});

test('sound has no seam where processes meet, at 44.1 and 48 kHz', async () => {
  for (const rate of [44_100, 48_000]) {
    const source = join(directory.path, `sound-${rate}.mp4`);
    await ffmpeg('-f', 'lavfi', '-i', `sine=440:r=${rate}:d=17`, '-c:a', 'aac', '-b:a', '192k', source);
    const { plan, segments } = await encodeInPieces(source, directory.path);
    const path = await joined(segments, 'audio-0', directory.path);
    const { stdout } = await ffmpeg('-f', 'aac', '-i', path, '-f', 'f32le', '-ac', '1', '-');
    const borders = [1, 2, 3].map((segment) => Math.round((segment * 4 * rate) / 1024) * 1024);
    expect(renditionsOf(plan, 'audio')[0]!.sampleRate).toBe(rate);
    expect(worstSeam(samplesOf(stdout), borders, rate)).toBeGreaterThan(-6);
  }
});
