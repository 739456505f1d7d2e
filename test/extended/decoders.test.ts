// Of a source only what people film, record and keep is decoded: nothing else of it reaches a decoder, and what it holds
// beside is shown all the same.

import { execFileSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodersOf } from '../../core/source/decodable.ts';
import { COVER_DECODERS, DECODERS, SUBTITLE_DECODERS } from '../../core/source/decoders.ts';
import { decodersIn } from '../../pipeline/source/stream-listing.ts';
import { lived, uploadedIn } from '../support/life.ts';
import { FFMPEGS } from '../support/makers.ts';
import { binaries, ffmpeg, shipped, temporaryDirectory } from '../support/media.ts';
import { plannedFile } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const at = (name: string): string => join(directory.path, name);
const pictures = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10:d=2'];
const tone = ['-f', 'lavfi', '-i', 'sine=440:r=48000:d=2'];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

const TOOLS = {
  'ffmpeg 4.1': FFMPEGS.shipped,
  ffprobe: shipped.ffprobePath,
  'Debian’s ffmpeg': FFMPEGS.system,
};
const asked = (path: string, question: string): string =>
  execFileSync(path, ['-v', 'error', question], { encoding: 'utf8', env: {} });

/** Of those of later releases than Debian 12’s, and of builds with libraries that it leaves out. */
const ELSEWHERE = [
  ...['apv', 'prores_raw', 'vvc', 'libdavs2', 'libuavs3d'],
  ...['libaribb24', 'libaribcaption', 'libjxl', 'ttml'],
];

test('each name on the list is that of a decoder', () => {
  const listed = [...DECODERS, ...COVER_DECODERS, ...SUBTITLE_DECODERS];
  const known = Object.values(TOOLS).flatMap((path) =>
    [...asked(path, '-decoders').matchAll(/^ [VAS][.A-Z]{5} (\S+)/gm)].map(([, name]) => name!),
  );
  expect(listed.filter((name) => !known.includes(name) && !ELSEWHERE.includes(name))).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});

test.each(Object.entries(TOOLS))('of a codec %s takes the decoder on the list, not another', (_, path) => {
  const listing = asked(path, '-codecs');
  const several = [...listing.matchAll(/^ D[.E][VA]\S* (\S+).*\(decoders: ([^)]*?) \)/gm)];
  expect(several.length).toBeGreaterThan(20);
  const passedOver = several.filter(([, , names]) => {
    const [first, ...others] = names!.split(' ');
    return !DECODERS.includes(first!) && others.some((name) => DECODERS.includes(name));
  });
  expect(passedOver.map(([, codec]) => codec)).toEqual([]);
  // Of those that docs/sources.md names and no test can make.
  expect([...decodersOf(listing)]).toEqual(
    expect.arrayContaining([
      ...['av1', 'dnxhd', 'dvvideo', 'h263', 'vp6', 'vp6f', 'wmv3', 'rv10', 'rv20', 'rv30', 'rv40'],
      ...['dts', 'truehd', 'adpcm_ms', 'adpcm_ima_wav', 'adpcm_ima_qt', 'adpcm_swf'],
    ]),
  );
});

test('a codec that no decoder of the list is for is not among those that a source may be in', async () => {
  const usable = await decodersIn(binaries);
  expect(usable).toContain('h264');
  expect(usable).toContain('libvpx');
  for (const other of ['magicyuv', 'tiff', 'bmp', 'smackvideo', 'exr', 'sonic'])
    expect(usable).not.toContain(other);
});

const made = async (name: string, ...args: string[]): Promise<Buffer> => {
  await ffmpeg(...args, at(name));
  return readFile(at(name));
};
const ended = async (source: Uint8Array) => {
  const { state, error, notices } = await lived(await uploadedIn(directory.path, source));
  return { state, code: error?.code, message: error?.message, notices };
};

test.each([
  ['MagicYUV in Matroska', 'magicyuv', 'alone.mkv', 'magicyuv'],
  ['MagicYUV in AVI', 'magicyuv', 'alone.avi', 'magicyuv'],
  ['MagicYUV in QuickTime', 'magicyuv', 'alone.mov', 'magicyuv'],
  ['Snow', 'snow', 'snow.avi', 'snow'],
  ['LCL', 'zlib', 'lcl.avi', 'zlib'],
  ['TIFF in QuickTime', 'tiff', 'tiff.mov', 'tiff'],
  ['ASUS V2', 'asv2', 'asv2.avi', 'asv2'],
])('%s is refused by its name', async (_, encoder, name, codec) => {
  const source = await made(name, ...pictures, ...tone, '-c:v', encoder, '-strict', '-2', '-c:a', 'mp2');
  expect(await ended(source)).toMatchObject({
    state: 'failed',
    code: 'UNSUPPORTED_CODEC',
    message: `The picture is in a format that this service cannot decode: ${codec}.`,
  });
});

describe('a sound that is on no list', () => {
  const SONIC = ['-c:a', 'sonic', '-strict', '-2'];
  const LEFT_OUT = {
    code: 'TRACK_LEFT_OUT',
    track: null,
    message: expect.stringContaining('sonic') as string,
  };

  test('is left out beside a picture, and named', async () => {
    const source = await made('beside.mkv', ...pictures, ...tone, ...X264, ...SONIC);
    expect(await ended(source)).toMatchObject({ state: 'ready', notices: [LEFT_OUT] });
  });

  test('is passed over where there is another', async () => {
    const both = [
      '-map',
      '0',
      '-map',
      '1',
      '-map',
      '1',
      ...X264,
      '-c:a:0',
      'sonic',
      '-strict',
      '-2',
      '-c:a:1',
      'aac',
    ];
    await ffmpeg(...pictures, ...tone, ...both, at('other.mkv'));
    const { plan } = await plannedFile(at('other.mkv'), directory.path);
    expect(plan.tracks.map(({ kind, streamIndex }) => [kind, streamIndex])).toEqual([
      ['video', 0],
      ['audio', 2],
    ]);
    expect(plan.notices).toEqual([]);
  });

  test('is refused by its name where there is nothing else', async () => {
    const source = await made('alone.mka', ...tone, ...SONIC);
    expect(await ended(source)).toMatchObject({
      code: 'UNSUPPORTED_CODEC',
      message: expect.stringContaining('sonic'),
    });
  });
});

test('of two pictures the one that is on the list is shown', async () => {
  const magic = ['-map', '0', '-c:v:0', 'magicyuv', '-filter:v:0', 'scale=320:180'];
  const usual = ['-map', '0', '-c:v:1', 'libx264', '-pix_fmt:v:1', 'yuv420p'];
  await ffmpeg(...pictures, ...magic, ...usual, at('two.mkv'));
  const { plan } = await plannedFile(at('two.mkv'), directory.path);
  expect(plan.tracks).toMatchObject([{ kind: 'video', width: 160 }]);
  expect(plan.notices).toEqual([]);
});

const withWords = async (name: string, codec: string): Promise<Buffer> => {
  await writeFile(at('words.srt'), '1\n00:00:00,000 --> 00:00:01,500\nHello\n\n');
  const tracks = ['-map', '0', '-map', '1', '-map', '2', ...X264, '-c:a', 'aac', '-c:s', codec];
  return made(name, ...pictures, ...tone, '-i', at('words.srt'), ...tracks);
};

test.each([
  ['subrip', 'mkv'],
  ['ass', 'mkv'],
  ['webvtt', 'mkv'],
  ['mov_text', 'mp4'],
])('subtitles as %s in %s hide nothing', async (codec, extension) => {
  expect(await ended(await withWords(`words.${extension}`, codec))).toMatchObject({
    state: 'ready',
    notices: [],
  });
});

test.each(['S_HDMV/PGS', 'S_VOBSUB', 'S_DVBSUB'])(
  'subtitles that are pictures (%s) hide nothing',
  async (codec) => {
    const source = await withWords('drawn.mkv', 'subrip');
    const name = Buffer.from('S_TEXT/UTF8');
    source.write(codec.padEnd(name.length, '\0'), source.indexOf(name), 'latin1');
    expect(await ended(source)).toMatchObject({ state: 'ready', notices: [] });
  },
);

test.each(['png', 'mjpeg', 'bmp', 'tiff', 'gif'])('a cover as %s keeps nobody from a song', async (codec) => {
  const cover = ['-map', '1', '-map', '0', '-frames:v', '1', '-c:v', codec, '-disposition:v', 'attached_pic'];
  const source = await made(`${codec}.mp3`, ...pictures, ...tone, ...cover, '-c:a', 'libmp3lame');
  expect(await ended(source)).toMatchObject({ state: 'ready', notices: [] });
});

test('no tool opens a source without the list', async () => {
  const guarded = async (name: string, path: string): Promise<string> => {
    const check = `case "$*" in *http:*) case "$*" in *"-codec_whitelist h264,"*) ;; *) exit 1 ;; esac ;; esac`;
    await writeFile(at(name), `#!/bin/sh\n${check}\nexec ${path} "$@"\n`);
    await chmod(at(name), 0o755);
    return at(name);
  };
  // Interlaced, so its fields are looked at; S302M, which is decoded for the copy; and damaged, so that it is searched.
  const codecs = ['-c:v', 'mpeg2video', '-flags', '+ildct', '-c:a', 's302m', '-ac', '2', '-strict', '-2'];
  const source = await made('all.ts', ...pictures, ...tone, ...codecs);
  source.fill(0, source.length / 2);
  const video = await uploadedIn(directory.path, source);
  video.world.tools.binaries = {
    ffmpegPath: await guarded('guarded-ffmpeg', binaries.ffmpegPath),
    ffprobePath: await guarded('guarded-ffprobe', binaries.ffprobePath),
  };
  expect((await lived(video)).state).toBe('ready');
});
