// Which streams of a source are shown, and what is known of them, where its first seconds or one of its fields do not tell.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withRangeServer } from '../../machine/range-server.ts';
import { encodeArguments } from '../../core/encoding/segment-arguments.ts';
import { stillArguments } from '../../core/encoding/still-arguments.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { mainTrack, renditionsOf } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Track } from '../../core/plan/tracks.ts';
import { mezzanineProbe } from '../../core/source/mezzanine.ts';
import type { FfprobeStream, Probe } from '../../core/source/probe.ts';
import { parseProbe } from '../../core/source/probe.ts';
import { probeSource } from '../../pipeline/source/probe-source.ts';
import { binaries, ffmpeg, fileSource, temporaryDirectory } from '../support/media.ts';
import { encodeInPieces, joined, plannedFile } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const at = (name: string): string => join(directory.path, name);
const pictures = (seconds: number, size = '160x90', rate = 10) => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
];
const tone = (hertz: number, seconds: number) => ['-f', 'lavfi', '-i', `sine=${hertz}:r=48000:d=${seconds}`];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];

const probed = async (path: string): Promise<Probe> =>
  withRangeServer(await fileSource(path), (served) => probeSource(served, binaries));

test('the sound of a picture is that of its own programme, though the radio comes first', async () => {
  await ffmpeg(
    ...[...tone(880, 5), ...pictures(5), ...tone(440, 5)],
    ...['-map', '0', '-map', '1', '-map', '2', ...X264, '-c:a', 'mp2'],
    ...['-program', 'title=Radio:st=0', '-program', 'title=TV:st=1:st=2', at('programmes.ts')],
  );
  const { plan, segments } = await encodeInPieces(at('programmes.ts'), directory.path);
  const sound = await joined(segments, renditionsOf(plan, 'audio')[0]!.name, directory.path);
  expect(await loudness(sound, 440)).toBeGreaterThan(50 * (await loudness(sound, 880)));
});

/** Of one tone, in a second of the sound. */
async function loudness(path: string, hertz: number): Promise<number> {
  const rate = 8000;
  const { stdout } = await ffmpeg(
    ...['-f', 'aac', '-i', path, '-ss', '1', '-t', '1', '-ac', '1', '-ar', String(rate), '-f', 's16le', '-'],
  );
  let [real, imaginary] = [0, 0];
  for (let index = 0; index * 2 + 1 < stdout.length; index += 1) {
    const angle = (2 * Math.PI * hertz * index) / rate;
    real += stdout.readInt16LE(index * 2) * Math.cos(angle);
    imaginary += stdout.readInt16LE(index * 2) * Math.sin(angle);
  }
  return real ** 2 + imaginary ** 2;
}

test('sound that begins after twenty seconds of a broadcast is found', async () => {
  await ffmpeg(
    ...[...pictures(30), '-itsoffset', '20', ...tone(440, 10)],
    ...['-map', '0', '-map', '1', ...X264, '-c:a', 'aac', at('late.ts')],
  );
  const { video, audio } = await probed(at('late.ts'));
  expect(audio).toMatchObject({ codec: 'aac', sampleRate: 48_000 });
  expect(audio!.startSeconds - video!.startPts / 90_000).toBeCloseTo(20, 0);
});

test.each([
  ['of a camcorder', 'dv', ['-s', '720x576', '-pix_fmt', 'yuv420p', '-c:v', 'dvvideo', '-f', 'dv'], true],
  ['of a camera’s MJPEG', 'avi', ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p'], false],
  ['of Xvid', 'avi', ['-c:v', 'mpeg4', '-flags', '+ilme+ildct'], true],
])(
  'pictures %s, whose container does not tell, are looked at for fields',
  async (_, extension, args, isInterlaced) => {
    const path = at(`fields.${extension}`);
    await ffmpeg(...pictures(1, '720x576', 25), ...args, path);
    expect((await probed(path)).video).toMatchObject({ isInterlaced });
  },
);

const DOLBY = (dv_profile: number, dv_bl_signal_compatibility_id: number): FfprobeStream => ({
  ...{ index: 0, codec_type: 'video', codec_name: 'hevc', width: 640, height: 360 },
  side_data_list: [{ dv_profile, dv_bl_signal_compatibility_id }],
});

test.each([
  [5, 0],
  [10, 0],
  [20, 0],
])('Dolby Vision of profile %i.%i shows its colours to nobody else', (profile, compatibility) => {
  expect(() => parseProbe({ streams: [DOLBY(profile, compatibility)] })).toThrow('Dolby Vision');
});

test.each([
  [7, 6],
  [8, 1],
  [8, 4],
  [9, 2],
  [10, 4],
])('Dolby Vision of profile %i.%i has a layer that every decoder shows', (profile, compatibility) => {
  expect(parseProbe({ streams: [DOLBY(profile, compatibility)] }).video).toMatchObject({ codec: 'hevc' });
});

test('beside Dolby Vision that nobody else shows, another picture is shown', () => {
  const other: FfprobeStream = { index: 1, codec_type: 'video', codec_name: 'h264', width: 640, height: 360 };
  expect(parseProbe({ streams: [DOLBY(5, 0), other] }).video).toMatchObject({ index: 1 });
});

test('a piece of sound that lies nowhere in the file does not hide the pictures after it', async () => {
  await ffmpeg(...pictures(6), ...tone(440, 6), ...X264, '-c:a', 'aac', at('whole.mp4'));
  const bytes = await readFile(at('whole.mp4'));
  // The second stco is of the sound: a header of 12 bytes and the places of its chunks.
  const places = bytes.indexOf('stco', bytes.indexOf('stco') + 4) + 12;
  bytes.writeUInt32BE(0x7f_00_00_00, places + 4 * 10);
  await writeFile(at('astray.mp4'), bytes);
  const { plan } = await plannedFile(at('astray.mp4'), directory.path);
  expect(mainTrack(plan, 'video')).toMatchObject({ sourceFrames: 60 });
});

test('a packet that the index puts behind the end of the file keeps nothing from what comes after it', async () => {
  await ffmpeg(...pictures(3), ...tone(440, 3), ...X264, '-c:a', 'aac', at('whole.mp4'));
  const bytes = await readFile(at('whole.mp4'));
  // The first chunk of sound, which comes after that of the pictures in the index.
  const offsets = bytes.indexOf('stco', bytes.indexOf('smhd'));
  bytes.writeUInt32BE(0x0200_002c, offsets + 12);
  await writeFile(at('beyond.mp4'), bytes);
  const { plan, segments } = await encodeInPieces(at('beyond.mp4'), directory.path);
  const sound = await joined(segments, renditionsOf(plan, 'audio')[0]!.name, directory.path);
  expect(await loudness(sound, 440)).toBeGreaterThan(50 * (await loudness(sound, 880)));
});

test.each([
  ['2:1', 320],
  ['129:1', 160],
  ['1:129', 160],
])('pixels of %s make a picture %i wide', (sample_aspect_ratio, width) => {
  const stream: FfprobeStream = { index: 0, codec_type: 'video', codec_name: 'h264', width: 160, height: 90 };
  expect(parseProbe({ streams: [{ ...stream, sample_aspect_ratio }] }).video).toMatchObject({
    width,
    height: 90,
  });
});

test('VP8 is decoded by libvpx, but for keyframes alone, transparent pictures, and a lossless copy', async () => {
  await ffmpeg(...pictures(1), '-c:v', 'libvpx', '-deadline', 'realtime', at('pictures.webm'));
  const { plan } = await plannedFile(at('pictures.webm'), directory.path);
  const argumentsOf = (own: Plan) =>
    encodeArguments(
      { plan: own, renditions: ['90p'], from: 0, to: 1, sourceUrl: 'source', directory: '' },
      DEFAULT_LIMITS,
    ).join(' ');
  expect(argumentsOf(plan)).toContain(' -c:0 libvpx ');
  const tracks = plan.tracks.map((track) => ({ ...track, decoder: undefined }) as Track);
  expect(argumentsOf({ ...plan, tracks })).not.toContain('-c:0');

  const still = (keyframesOnly: boolean, kind: 'poster' | 'sheet') => {
    const stills = { ...plan.stills!, keyframesOnly };
    const own = kind === 'poster' ? { kind } : { kind, index: 0 };
    return stillArguments({ plan, stills, still: own, sourceUrl: 'source', prerollSeconds: 1 }).join(' ');
  };
  expect(still(false, 'sheet')).toContain(' -c:0 libvpx ');
  expect(still(true, 'poster')).toContain(' -c:0 libvpx ');
  expect(still(true, 'sheet')).not.toContain('-c:0');

  await ffmpeg(
    ...pictures(1),
    ...['-vf', 'format=yuva420p', '-c:v', 'libvpx', '-auto-alt-ref', '0', at('transparent.webm')],
  );
  expect((await probed(at('transparent.webm'))).video).toMatchObject({ hasAlpha: true });
  expect((await probed(at('transparent.webm'))).video!.decoder).toBeUndefined();

  const probe = await probed(at('pictures.webm'));
  expect(probe.video!.decoder).toBe('libvpx');
  const copied = (picture: 'copy' | 'lossless') =>
    mezzanineProbe(probe, {
      tracks: [{ kind: 'video', frameCount: 10, firstSeconds: 0, endSeconds: 1, keyframeSeconds: 1 }],
      sizeBytes: 1,
      way: { reading: 'as it is', picture, sound: 'copy' },
      notices: [],
    }).video!.decoder;
  expect([copied('copy'), copied('lossless')]).toEqual(['libvpx', undefined]);
});
