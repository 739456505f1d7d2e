// What a format that is new can count on: an init segment, a codec of its own, and text. Formats of ours need none of it
// yet, so some are added here for as long as the tests run.

import { join } from 'node:path';
import { artifactKey, contentHeaders, isListed, parseArtifactKey } from '../../core/artifacts/artifacts.ts';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { AAC } from '../../core/codecs/aac.ts';
import { H264 } from '../../core/codecs/h264.ts';
import type { Codec } from '../../core/codecs/codec.ts';
import { encodeArguments } from '../../core/encoding/segment-arguments.ts';
import { processesOf } from '../../core/encoding/job.ts';
import type { Format } from '../../core/formats/format.ts';
import { FORMATS } from '../../core/formats/formats.ts';
import { MPEG_TS } from '../../core/formats/mpeg-ts.ts';
import { PACKED_AUDIO } from '../../core/formats/packed-audio.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { renditionNamed, renditionsOf } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { mediaPlaylist, multivariantPlaylist } from '../../core/playlists/playlists.ts';
import { PLAN } from '../../core/records/plan.ts';
import { prewarmedArtifacts, workFor } from '../../core/work/work.ts';
import { deriveOf, deriveWork } from '../../pipeline/derive/derive.ts';
import { plannedVideo } from '../../pipeline/derive/planned-video.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { plannedFile } from '../support/stream.ts';

const HELLO = Buffer.from('init of 360p');

/** MPEG-TS, and something to read before it. */
const WITH_INIT: Format = {
  ...MPEG_TS,
  name: 'with-init',
  extension: 'tsi',
  playlistVersion: 6,
  init: {
    name: 'init.tsi',
    read: async ({ rendition }, read) => (await read('00000.ts'), Buffer.from(`init of ${rendition.name}`)),
  },
};
const OTHER_AAC: Codec<'audio'> = { ...AAC, name: 'other-aac' };
const OTHER_SOUND: Format = {
  ...PACKED_AUDIO,
  ...{ name: 'other-sound', extension: 'aax', codecs: [OTHER_AAC] },
};
const WORDS: Codec<'text'> = {
  ...{ name: 'words', kind: 'text', prerollSeconds: 2 },
  unitsPerSecond: () => ({ num: 1, den: 1 }),
  mostBits: (_, seconds) => 1000 * seconds,
  encoder: () => ['-c:s', 'webvtt'],
  cpuSeconds: () => 0,
};
const TEXT: Format = {
  ...{ name: 'text', extension: 'txt', contentType: 'text/vtt', playlistVersion: 3 },
  mostBits: ({ codecBits }) => codecBits,
  codecs: [WORDS],
  muxer: ({ directory }) => ['-f', 'webvtt', `${directory}/all.vtt`],
  async *cut() {},
  pack: () => Buffer.alloc(0),
  count: () => undefined,
  open: () => [],
};
const ADDED = [WITH_INIT, OTHER_SOUND, TEXT];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let file: Awaited<ReturnType<typeof plannedFile>>;
let plan: Plan;
beforeAll(async () => {
  (FORMATS as Format[]).push(...ADDED);
  directory = await temporaryDirectory();
  const path = join(directory.path, 'clip.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=5', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=5'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path],
  );
  file = await plannedFile(path, directory.path);
  const [rung, sound] = [renditionsOf(file.plan, 'video')[0]!, renditionsOf(file.plan, 'audio')[0]!];
  const text = { kind: 'text', id: 'text-0', streamIndex: 2, language: 'fra', title: 'Dit "non"\n' } as const;
  const described = { isDefault: false, isForced: false, codec: 'subrip', originSeconds: 0 };
  plan = {
    ...file.plan,
    tracks: [...file.plan.tracks, { ...text, ...described }],
    renditions: [
      { ...rung, format: WITH_INIT.name },
      sound,
      { ...sound, name: 'audio-0-other', format: OTHER_SOUND.name, codec: OTHER_AAC.name, codecs: 'other' },
      { kind: 'text', name: 'text-0', track: 'text-0', format: TEXT.name, codec: WORDS.name, codecs: 'wvtt' },
    ],
  };
});
afterAll(async () => {
  (FORMATS as Format[]).splice(-ADDED.length);
  await directory.remove();
});

test('a plan with them is stored and read, and with a codec that its format does not hold it is an error', () => {
  const stored = JSON.stringify(PLAN.stored(plan));
  expect(PLAN.parse(stored, 'key')).toEqual(plan);
  expect(() => PLAN.parse(stored.replaceAll('"other-aac"', '"aac"'), 'key')).toThrow(
    'its codec is of no format that is known by this name',
  );
});

test('a variant for each codec of the sound, text with all of them, and the highest version', () => {
  const { rev } = plan;
  const lines = multivariantPlaylist(plan).split('\n');
  expect(lines[1]).toBe('#EXT-X-VERSION:6');
  expect(
    lines.filter((line) => line.includes('TYPE=')).map((line) => line.replace(/,CHANNELS="\d"/, '')),
  ).toEqual([
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Default",DEFAULT=YES,AUTOSELECT=YES,URI="${rev}/audio-0/index.m3u8"`,
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-other-aac",NAME="Default",DEFAULT=YES,AUTOSELECT=YES,URI="${rev}/audio-0-other/index.m3u8"`,
    `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="Default",DEFAULT=YES,AUTOSELECT=YES,URI="${rev}/text-0/index.m3u8"`,
  ]);
  const variants = lines.filter((line) => line.startsWith('#EXT-X-STREAM-INF'));
  expect(variants.map((line) => /CODECS="([^"]*)".*(AUDIO=.*)$/.exec(line)!.slice(1))).toEqual([
    ['avc1.64001e,mp4a.40.2,wvtt', 'AUDIO="audio",SUBTITLES="text"'],
    ['avc1.64001e,other,wvtt', 'AUDIO="audio-other-aac",SUBTITLES="text"'],
  ]);
});

test('an init segment is named in the playlist, listed, labelled and parsed', () => {
  const id = newVideoId(new Date());
  expect(mediaPlaylist(plan, renditionNamed(plan, '360p')!)).toContain('\n#EXT-X-MAP:URI="init.tsi"\n');
  const init = { kind: 'init', rev: plan.rev, rendition: '360p', name: 'init.tsi' } as const;
  const key = artifactKey(id, init);
  expect(key).toBe(`v/${id}/${plan.rev}/360p/init.tsi`);
  expect(parseArtifactKey(key)).toEqual({ id, artifact: init });
  expect(parseArtifactKey(key.replace('.tsi', '.mp4'))).toBeUndefined();
  expect(isListed(plan, init)).toBe(true);
  expect(isListed(plan, { ...init, rendition: 'audio-0' })).toBe(false);
  expect(contentHeaders(init)).toMatchObject({ contentType: 'video/mp2t' });
  expect(prewarmedArtifacts(plan)).toContainEqual(init);
});

test('it is made when it is asked for, and with the first chunk of what is made ahead of time', async () => {
  const { id, world } = file;
  await world.media.put(`plans/${id}/${plan.rev}.json`, JSON.stringify(PLAN.stored(plan)), {
    contentType: 'application/json',
  });
  const init = { kind: 'init', rev: plan.rev, rendition: '360p', name: 'init.tsi' } as const;
  const asked = await deriveOf(plannedVideo(id, plan, world), init);
  expect(Buffer.from(asked).equals(HELLO)).toBe(true);

  await world.media.delete([artifactKey(id, init)]);
  const [chunk] = workFor(id, { ...plan, prewarm: ['360p'] });
  await deriveWork({ ...chunk!, what: { kind: 'chunk', from: 0, to: 1, renditions: ['360p'] } }, world);
  const made = world.media.keys().filter((key) => key.includes('/360p/'));
  expect(made.map((key) => key.split('/').at(-1))).toEqual(['00000.tsi', 'init.tsi']);
  expect(await world.uploads.head(sourceKey(id))).toBeDefined();
});

test('text is read by a process of its own, from further back, and goes to its encoder as it is', () => {
  const renditions = plan.renditions.map(({ name }) => name);
  const job = { plan, renditions, from: 2, to: 3, sourceUrl: 'http://127.0.0.1/source', directory: '/tmp' };
  const processes = processesOf(job);
  expect(processes.map((own) => own.renditions)).toEqual([['360p', 'audio-0', 'audio-0-other'], ['text-0']]);
  const [decoded, text] = processes.map((own) => encodeArguments(own, DEFAULT_LIMITS));
  const seekOf = (args: readonly string[]) => Number(args[args.indexOf('-ss') + 1]);
  expect(seekOf(decoded!) - seekOf(text!)).toBeCloseTo(1, 6);
  expect(decoded!.filter((arg) => arg === '-filter_complex')).toHaveLength(2);
  expect(text).not.toContain('-filter_complex');
  expect(text!.slice(text!.indexOf('-map'))).toEqual([
    ...['-map', '0:2', '-c:s', 'webvtt', '-map_metadata', '-1', '-map_chapters', '-1'],
    ...['-f', 'webvtt', '/tmp/text-0/all.vtt'],
  ]);
});

test('a codec is found through the format that holds it, and the two sounds share their track’s graph', () => {
  expect(H264.unitsPerSecond(renditionsOf(plan, 'video')[0]!, plan.grid)).toEqual(plan.grid.frameRate);
  const job = {
    plan,
    renditions: ['audio-0', 'audio-0-other'],
    from: 0,
    to: 1,
    sourceUrl: 'u',
    directory: '/d',
  };
  const args = encodeArguments(job, DEFAULT_LIMITS);
  expect(args[args.indexOf('-filter_complex') + 1]).toMatch(/\[a\];.*\[a1\]$/);
  expect(args.filter((_, at) => args[at - 1] === '-map')).toEqual(['[a]', '[a1]']);
});
