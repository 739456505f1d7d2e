// A video that plays although parts of its source cannot be decoded says so, whenever those parts were made.

import { jest } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lostKey, lostPrefix, parseLostKey, readyKey } from '../../core/artifacts/keys.ts';
import { lostNotices } from '../../core/plan/lost.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import { READY } from '../../core/records/ready.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { derive } from '../../pipeline/derive/derive.ts';
import { noteLost } from '../../pipeline/derive/lost.ts';
import { finish } from '../../pipeline/life/finish.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import { videoStatus } from '../../pipeline/life/video-status.ts';
import { lived, uploadedIn } from '../support/life.ts';
import type { TestWorld } from '../support/life.ts';
import { cleanedUp, removeVideo } from '../support/janitor.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const statusOf = (id: string, world: TestWorld) => videoStatus(id, world, () => null);

async function keysBelow(prefix: string, { media }: TestWorld): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of media.list(prefix)) keys.push(key);
  return keys;
}

test('a film whose beginning cannot be decoded plays, and says what it lacks', async () => {
  const path = join(directory.path, 'film.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=160x96:r=25:d=12', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=12'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '25',
      '-c:a',
      'aac',
      '-movflags',
      '+faststart',
      path,
    ],
  );
  const film = await readFile(path);
  const data = film.indexOf('mdat');
  film.fill(0, data + 8, data + Math.round((film.length - data) * 0.2));
  const video = await uploadedIn(directory.path, film);
  const { state, notices } = await lived(video);
  expect(state).toBe('ready');
  expect(notices).toContainEqual({
    code: 'MEDIA_LOST',
    track: 'video-0',
    message:
      'Of the picture, parts cannot be decoded within 12 of 12 s: pictures are held there, or shown in part.',
  });

  const { id, world } = video;
  await removeVideo(id, world);
  expect(await keysBelow('', world)).toEqual([]);
});

describe('a video that is whole', () => {
  let id: string;
  let world: TestWorld;
  beforeAll(async () => {
    const path = join(directory.path, 'whole.mp4');
    const source = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=10', '-c:v', 'libx264', path];
    await ffmpeg(...source);
    ({ id, world } = await uploadedIn(directory.path, await readFile(path)));
    expect((await lived({ id, world })).notices).toEqual([]);
  });

  test('says at once what is found to be lost of it later, however often and by how many at once', async () => {
    const plan = await currentPlan(id, world);
    const { name } = plan.renditions[0]!;
    const notes = [0, 1, 0, 1].map((index) =>
      noteLost(id, plan, { rendition: name, index }, 'held', world.media),
    );
    await Promise.all(notes);
    const { notices } = await statusOf(id, world);
    expect(notices.map(({ message }) => message)).toEqual([
      'Of the picture, parts cannot be decoded within 4 of 10 s: pictures are held there, or shown in part.',
    ]);
    await finish(id, plan.rev, world, new Date());
    expect((await statusOf(id, world)).notices).toEqual(notices);
  });

  test('its marker from before there were notices is read, and sums up what is noted', async () => {
    const plan = await currentPlan(id, world);
    const key = readyKey(id, plan.rev);
    const { notices: _, ...former } = READY.parse(Buffer.from((await world.media.get(key))!).toString(), key);
    const json = { contentType: 'application/json' };
    await world.media.put(key, JSON.stringify({ version: 1, ...former }), json);
    expect((await statusOf(id, world)).notices).toEqual([]);
    await finish(id, plan.rev, world, new Date());
    expect((await statusOf(id, world)).notices).toHaveLength(1);
  });

  test('a note that comes after a deletion leaves nothing behind', async () => {
    const plan = await currentPlan(id, world);
    await removeVideo(id, world);
    const late = noteLost(id, plan, { rendition: plan.renditions[0]!.name, index: 0 }, 'held', world.media);
    await expect(late).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await cleanedUp(world);
    expect(await keysBelow(lostPrefix(id, plan.rev), world)).toEqual([]);
  });
});

test('a note before the video is ready does not have all others listed', async () => {
  const path = join(directory.path, 'unready.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=2', '-c:v', 'libx264', path);
  const { id, world } = await uploadedIn(directory.path, await readFile(path));
  const plan = await currentPlan(id, world);
  const list = jest.spyOn(world.media, 'list');
  await noteLost(id, plan, { rendition: plan.renditions[0]!.name, index: 0 }, 'held', world.media);
  expect(list).not.toHaveBeenCalled();
});

test('what is lost is told once for each track, whichever of its renditions it was found in', () => {
  const plan = planFor(probeOf({ video: {}, audio: {} }), SOURCE, {
    maxDurationSeconds: 1e4,
    prewarm: 'all',
  });
  const [first, second] = plan.renditions.filter(({ kind }) => kind === 'video');
  const lost = [
    { rendition: first!.name, index: 1 },
    { rendition: second!.name, index: 1 },
    { rendition: 'audio-0', index: 2 },
  ];
  expect(lostNotices(plan, lost).map(({ track, message }) => `${track}: ${message}`)).toEqual([
    'video-0: Of the picture, parts cannot be decoded within 2 of 10 s: pictures are held there, or shown in part.',
    'audio-0: Of the sound, parts cannot be decoded within 2 of 10 s: it is silent there, or distorted.',
  ]);
});

test('the key of a note tells its segment', () => {
  const id = '0'.repeat(34);
  expect(parseLostKey(lostKey(id, 'aaaaaaaaaa', 'audio-0', 12))).toEqual({
    ...{ rev: 'aaaaaaaaaa', rendition: 'audio-0', index: 12 },
  });
});

describe('damage that decoders go over by themselves', () => {
  const SOURCE_OF_12 = [
    ...['-f', 'lavfi', '-i', 'testsrc2=s=160x96:r=25:d=12', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=12'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '2', '-c:a', 'aac'],
  ];
  const filmOf = async (name: string, ...args: string[]) => {
    const path = join(directory.path, name);
    await ffmpeg(...SOURCE_OF_12, ...args, path);
    return readFile(path);
  };
  /** Puts zeros in the place of some of it, of the shares of its length. */
  const damaged = (film: Buffer, from: number, to: number) => {
    const [first, end] = [from, to].map((share) => Math.round(film.length * share));
    return Buffer.from(film).fill(0, first, end);
  };
  const WITHIN_4 = [
    'Of the picture, parts cannot be decoded within 4 of 12 s: pictures are held there, or shown in part.',
    'Of the sound, parts cannot be decoded within 4 of 12 s: it is silent there, or distorted.',
  ];

  test('is told, with the segments in which it is, however they were made', async () => {
    const film = damaged(await filmOf('middle.mp4'), 0.48, 0.52);
    const ahead = await uploadedIn(directory.path, film);
    const { state, notices } = await lived(ahead);
    expect(state).toBe('ready');
    expect(notices.map(({ message }) => message)).toEqual(WITHIN_4);

    const { id, world } = await uploadedIn(directory.path, film);
    const plan = await currentPlan(id, world);
    for (const segment of segmentsOf(plan)) await derive(id, segment, world);
    expect((await keysBelow(lostPrefix(id, plan.rev), world)).sort()).toEqual(
      plan.renditions.flatMap(({ name }) => [2, 3].map((index) => lostKey(id, plan.rev, name, index))).sort(),
    );
    await world.media.delete([lostKey(id, plan.rev, plan.renditions[0]!.name, 2)]);
  });

  test('is told of sound that is decoded while it is copied', async () => {
    const sound = await filmOf('sound.aac', '-vn');
    // Whole frames, of which all but the heads is nonsense.
    for (let [frame, at] = [0, 0]; at + 7 < sound.length; frame += 1) {
      const end = at + ((sound.readUIntBE(at + 3, 3) >> 5) & 0x1fff);
      if (frame >= 200 && frame < 250) sound.fill(0x55, at + 7, end);
      at = end;
    }
    const { state, notices } = await lived(await uploadedIn(directory.path, sound));
    expect(state).toBe('ready');
    expect(notices.map(({ code, track }) => [code, track])).toEqual([['MEDIA_LOST', 'audio-0']]);
    expect(notices[0]!.message).toMatch(/^Of the sound, parts cannot be decoded within about [12] s: /);
  });

  test('is not told of a recording that begins and ends in the middle of a packet', async () => {
    const recording = await filmOf('recording.ts');
    const part = recording.subarray(188 * 40 + 100, recording.length - 188 * 40 - 50);
    const { state, notices } = await lived(await uploadedIn(directory.path, part));
    expect({ state, notices }).toEqual({ state: 'ready', notices: [] });
  });
});

test('a film whose decoder cannot even be set up is refused, and not tried again', async () => {
  const path = join(directory.path, 'unset.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=2', '-c:v', 'libx264', path);
  const film = await readFile(path);
  const setup = film.indexOf('avcC');
  film.fill(0x77, setup + 5, setup - 4 + film.readUInt32BE(setup - 4));
  const { error } = await lived(await uploadedIn(directory.path, film));
  expect(error?.code).toBe('DAMAGED');
});

test('a film without a picture that can be decoded is refused, and not tried again', async () => {
  const path = join(directory.path, 'nonsense.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=2', '-c:v', 'libx264'];
  await ffmpeg(...picture, '-movflags', '+frag_keyframe+empty_moov', path);
  const film = await readFile(path);
  for (let at = film.indexOf('mdat'); at >= 0; at = film.indexOf('mdat', at + 4)) {
    film.fill(0x77, at + 4, at - 4 + film.readUInt32BE(at - 4));
  }
  const { error } = await lived(await uploadedIn(directory.path, film));
  expect(error?.code).toBe('DAMAGED');
});

test('sound that begins later than was looked for any is told, where the container lists no tracks', async () => {
  const path = join(directory.path, 'late.flv');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=32x32:r=1:d=640'],
    ...['-itsoffset', '625', '-f', 'lavfi', '-i', 'sine=440:r=44100:d=15'],
    ...['-map', '0', '-map', '1', '-c:v', 'flv', '-c:a', 'libmp3lame', path],
  );
  const { id, world } = await uploadedIn(directory.path, await readFile(path));
  const { notices } = await currentPlan(id, world);
  expect(notices).toEqual([
    {
      code: 'TRACK_LEFT_OUT',
      track: null,
      message: 'The sound, which begins about 625 s into the file, was found too late and left out.',
    },
  ]);
});

test('pictures whose first one is lost are shown, as players show them, and that is said', async () => {
  const path = join(directory.path, 'keyless.avi');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=4', '-c:v', 'mpeg4', '-g', '75'];
  await ffmpeg(...picture, path);
  const film = await readFile(path);
  const first = film.indexOf('00dc', film.indexOf('movi'));
  film.fill(0, first, film.indexOf('00dc', first + 4));
  const { id, world } = await uploadedIn(directory.path, film);
  const { state, notices } = await lived({ id, world });
  expect(state).toBe('ready');
  expect(notices.map(({ code, track }) => [code, track])).toEqual([['MEDIA_LOST', 'video-0']]);
  const { grid } = await currentPlan(id, world);
  expect(grid.frameCount).toBe(99);
});
