// What poses as a video to make us read something else, or to keep us busy for ever. A film that nobody may read lies on
// the disk, a server has it for whoever asks, and neither is ever asked. And what its uploader did not mean to publish is
// in nothing that is made of a source.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { endingOf, leftovers } from '../../bench/support/fuzz.ts';
import { originalsIn, variantsOf } from '../../bench/support/variants.ts';
import { SOURCE_ERROR_SENTENCES } from '../../core/errors.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import { lived, uploadedIn } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: Server;
let asked: string[];
let canaryFile: string;
let canaryUrl: string;
let clip: Buffer;

const at = (name: string): string => join(directory.path, name);
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];

beforeAll(async () => {
  directory = await temporaryDirectory();
  canaryFile = at('canary.mp4');
  const streams = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=1', '-f', 'lavfi', '-i', 'sine=440:d=1'];
  await ffmpeg(...streams, ...X264, '-c:a', 'aac', canaryFile);
  clip = await readFile(canaryFile);
  server = createServer((request, response) => {
    asked.push(request.url!);
    response.end(clip);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  canaryUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/canary.mp4`;
});
afterAll(async () => {
  server.close();
  await directory.remove();
});
beforeEach(() => {
  asked = [];
});

const ended = async (source: Uint8Array | string) => lived(await uploadedIn(directory.path, source));

const playlist = (uri: string) =>
  `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${uri}\n#EXT-X-ENDLIST\n`;
const POSERS: Record<string, () => string> = {
  'a playlist of a file': () => playlist(`file://${canaryFile}`),
  'a playlist of a host': () => playlist(canaryUrl),
  'a playlist of a part of a file': () => playlist(`subfile,,start,0,end,0,,:${canaryFile}`),
  'a playlist of data': () => playlist(`data:video/mp4;base64,${clip.toString('base64')}`),
  'a playlist of a list of files': () => playlist(`concat:${canaryFile}`),
  'a playlist with a key': () =>
    playlist(canaryUrl).replace('#EXTINF', `#EXT-X-KEY:METHOD=AES-128,URI="${canaryUrl}"\n#EXTINF`),
  'a concat script': () => `ffconcat version 1.0\nfile '${canaryFile}'\n`,
  'a session description': () =>
    'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
  'an SVG': () =>
    `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"><image x:href="${canaryUrl}"/></svg>`,
  'a DASH manifest': () =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${canaryUrl}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  'subtitles with a script': () =>
    '[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,x\n',
  'ffmpeg metadata': () => `;FFMETADATA1\ntitle=${canaryFile}\n`,
  'a filter graph': () => `movie=${canaryFile}\n`,
};

test.each(Object.entries(POSERS))('%s is no video', async (_, text) => {
  const { state, error } = await ended(text());
  expect({ state, code: error?.code, asked }).toEqual({ state: 'failed', code: 'NOT_MEDIA', asked: [] });
});

test('a film whose pixels are so narrow that its pictures have no width is refused', async () => {
  const flat = at('flat.mkv');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=2x48:r=25:d=1', '-vf', 'setsar=1/8', ...X264, flat);
  const { state, error } = await ended(await readFile(flat));
  expect({ state, code: error?.code }).toEqual({ state: 'failed', code: 'DAMAGED' });
  expect(error?.message).toContain('cannot be true');
});

test('a QuickTime file whose media lie in another is refused', async () => {
  const { state, error } = await ended(withExternalMedia(clip, `file://${canaryFile}`));
  expect({ state, code: error?.code, asked }).toEqual({ state: 'failed', code: 'EXTERNAL_MEDIA', asked: [] });
});

/** An MP4 whose index is at its end, with the first track's data reference pointing elsewhere. */
function withExternalMedia(mp4: Buffer, url: string): Buffer {
  const dref = mp4.indexOf('dref');
  const entry = dref + 4 + 8; // after version, flags and count
  const name = Buffer.from(`${url}\0`);
  const header = Buffer.from(mp4.subarray(entry, entry + 12));
  header.writeUInt32BE(12 + name.length, 0);
  header.writeUInt32BE(0, 8); // not in this file
  const made = Buffer.concat([mp4.subarray(0, entry), header, name, mp4.subarray(entry + 12)]);
  for (const type of ['moov', 'trak', 'mdia', 'minf', 'dinf', 'dref']) {
    const size = mp4.indexOf(type) - 4;
    made.writeUInt32BE(mp4.readUInt32BE(size) + name.length, size);
  }
  return made;
}

test('an encrypted file is refused, though ffmpeg would make pictures of it', async () => {
  const key = ['-encryption_scheme', 'cenc-aes-ctr', '-encryption_key', '0123456789abcdef0123456789abcdef'];
  await ffmpeg('-i', canaryFile, '-c', 'copy', ...key, '-encryption_kid', 'f'.repeat(32), at('locked.mp4'));
  const { state, error } = await ended(await readFile(at('locked.mp4')));
  expect({ state, code: error?.code }).toEqual({ state: 'failed', code: 'ENCRYPTED' });
});

test('ten thousand tracks are too many', async () => {
  const moov = clip.indexOf('moov') - 4;
  const trak = clip.indexOf('trak') - 4;
  const track = clip.subarray(trak, trak + clip.readUInt32BE(trak));
  const many = Buffer.concat([
    clip.subarray(0, trak),
    ...Array<Buffer>(10_000).fill(track),
    clip.subarray(trak),
  ]);
  many.writeUInt32BE(clip.readUInt32BE(moov) + 10_000 * track.length, moov);
  const { state, error } = await ended(many);
  expect({ state, code: error?.code }).toEqual({ state: 'failed', code: 'TOO_MANY_STREAMS' });
});

// The first is a size that no decoder of ours takes for one.
test.each([65_535, 16_000])(
  'a picture that says it is %i pixels wide and high is too large',
  async (side) => {
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=1', '-c:v', 'ffv1', at('claims.avi'));
    const bytes = await readFile(at('claims.avi'));
    const format = bytes.indexOf('strf') + 8; // BITMAPINFOHEADER
    bytes.writeInt32LE(side, format + 4);
    bytes.writeInt32LE(side, format + 8);
    const { state, error } = await ended(bytes);
    expect({ state, code: error?.code }).toEqual({ state: 'failed', code: 'PICTURE_TOO_LARGE' });
    expect(error?.message).toContain(`${side} × ${side}`);
  },
);

test('boxes within boxes, a hundred thousand deep, are no video', async () => {
  const depth = 100_000;
  const boxes = Buffer.alloc(depth * 8);
  for (let level = 0; level < depth; level += 1) {
    boxes.writeUInt32BE((depth - level) * 8, level * 8);
    boxes.write('moov', level * 8 + 4);
  }
  const head = clip.subarray(0, clip.readUInt32BE(0));
  const { state, error } = await ended(Buffer.concat([head, boxes]));
  expect(state).toBe('failed');
  expect(Object.keys(SOURCE_ERROR_SENTENCES)).toContain(error!.code);
});

test.each([
  [
    'one picture that stands for a day',
    ['-f', 'lavfi', '-i', 'color=s=64x48:r=25:d=0.08', '-vf', 'setpts=N*86400/TB', '-vsync', '0', ...X264],
    'day.mkv',
  ],
  [
    'half a day of silence in a few kilobytes',
    [
      '-f',
      'lavfi',
      '-i',
      'anullsrc=r=8000',
      '-t',
      '43500',
      '-c:a',
      'flac',
      '-frame_size',
      '65535',
      '-compression_level',
      '0',
    ],
    'silence.mkv',
  ],
])('%s is too long', async (_, args, name) => {
  await ffmpeg(...args, at(name));
  const { state, error } = await ended(await readFile(at(name)));
  expect({ state, code: error?.code }).toEqual({ state: 'failed', code: 'TOO_LONG' });
});

test('who filmed where, with what, is in nothing that is made', async () => {
  const secrets = {
    location: '+52.5200+013.4050/',
    'com.apple.quicktime.location.ISO6709': '+52.5201+013.4051/',
    'com.apple.quicktime.make': 'SecretMaker',
    'com.apple.quicktime.model': 'SecretModel 15',
    artist: 'Secret Owner',
    title: 'Secret Title',
    comment: 'Secret Comment',
  };
  const tags = Object.entries(secrets).flatMap(([name, value]) => ['-metadata', `${name}=${value}`]);
  await writeFile(
    at('chapters.txt'),
    ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Secret Chapter\n',
  );
  await ffmpeg(
    ...['-i', canaryFile, '-i', at('chapters.txt'), '-map', '0', '-map_chapters', '1', '-c', 'copy', ...tags],
    ...['-metadata:s:v', 'handler_name=Secret Handler', '-movflags', '+use_metadata_tags', at('tagged.mov')],
  );
  const source = await readFile(at('tagged.mov'));
  const words = [...Object.values(secrets), 'Secret Chapter', 'Secret Handler'];
  const holds = (bytes: Uint8Array, word: string) =>
    Buffer.from(bytes).includes(word) || Buffer.from(bytes).includes(Buffer.from(word, 'utf16le'));
  expect(words.filter((word) => !holds(source, word))).toEqual([]);

  const video = await uploadedIn(directory.path, source);
  expect((await lived(video)).state).toBe('ready');
  const artifacts = video.world.media.keys().filter((key) => key.startsWith('v/'));
  expect(artifacts.length).toBeGreaterThan(4);
  for (const key of artifacts) {
    const bytes = (await video.world.media.get(key))!;
    expect({ key, found: words.filter((word) => holds(bytes, word)) }).toEqual({ key, found: [] });
    if (key.endsWith('.jpg')) expect(Buffer.from(bytes).includes('Exif')).toBe(false);
  }
});

test('damaged files of many formats end with a code of the list, and leave nothing behind', async () => {
  const [made, encoding] = [at('made'), at('encoding')];
  for (const path of [made, encoding]) await mkdir(path);
  const originals = await originalsIn(made);
  const outcomes = new Set<string>();
  for (const variant of variantsOf(originals, 2 * originals.length, 1)) {
    const { outcome } = await endingOf(variant, encoding);
    outcomes.add(outcome);
  }
  const known = ['ready', ...Object.keys(SOURCE_ERROR_SENTENCES)];
  expect([...outcomes].filter((outcome) => !known.includes(outcome))).toEqual([]);
  expect(outcomes).toContain('ready');
  expect(outcomes.size).toBeGreaterThan(2);
  expect(await leftovers(encoding)).toEqual([]);
});

test('of a source with an index little is read to plan it, and hardly more than all of it to make all', async () => {
  // Uncompressed: much to read, little to do.
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=320x180:r=25:d=40',
    '-c:v',
    'rawvideo',
    '-pix_fmt',
    'uyvy422',
    at('raw.mov'),
  );
  const source = await readFile(at('raw.mov'));
  const video = await uploadedIn(directory.path, source);
  const plan = await currentPlan(video.id, video.world);
  const [planned] = video.world.observed;
  expect(planned).toMatchObject({ event: 'playable', source: { kind: 'upload' } });
  const read = (event: string): number =>
    video.world.observed.reduce(
      (sum, each) => sum + (each.event === event && 'sourceBytesRead' in each ? each.sourceBytesRead : 0),
      0,
    );
  expect(read('playable') / source.length).toBeLessThan(0.15);

  expect((await lived(video)).state).toBe('ready');
  expect(plan.prewarm).toEqual(['180p', '180p-low']);
  expect(read('prewarmed') / source.length).toBeLessThan(1.3);
});
