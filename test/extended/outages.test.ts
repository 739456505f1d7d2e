// What the store and the machine do to us is never taken for a property of a file, and is made good by itself.

import { jest } from '@jest/globals';
import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OutageError } from '../../core/errors.ts';
import { CURRENT } from '../../core/artifacts/artifact.ts';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import {
  cardKey,
  delayKey,
  errorKey,
  mezzaninePrefix,
  sourceKey,
  videoPrefix,
} from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { DELAY } from '../../core/records/delay.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { delayVideo } from '../../pipeline/life/delay.ts';
import { deleteVideo } from '../../pipeline/life/deletion.ts';
import { derive, deriveWork } from '../../pipeline/derive/derive.ts';
import { failVideo } from '../../pipeline/life/fail-video.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import type { NewList } from '../../core/work/admission.ts';
import { resumeDelayed } from '../../pipeline/life/resume.ts';
import { readRecord } from '../../pipeline/store.ts';
import { videoStatus } from '../../pipeline/life/video-status.ts';
import { RESERVE_FILE } from '../../pipeline/encode/workspace.ts';
import { faultyStore } from '../support/faults.ts';
import type { Faults } from '../support/faults.ts';
import { WITHOUT_GRACE, cleanedUp, removeVideo } from '../support/janitor.ts';
import { executed, uploadedIn, workIn } from '../support/life.ts';
import type { TestWorld } from '../support/life.ts';
import { binaries, ffmpeg, temporaryDirectory } from '../support/media.ts';
import { memoryStore } from '../support/memory-store.ts';
import { finish } from '../../pipeline/life/finish.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clip: Buffer;
/** The same without an index. */
let recording: Buffer;
/** Another film, of another length. */
let other: Buffer;

const at = (name: string): string => join(directory.path, name);

beforeAll(async () => {
  directory = await temporaryDirectory();
  const made = async (name: string, seconds: number): Promise<Buffer> => {
    const picture = ['-f', 'lavfi', '-i', `testsrc2=s=320x240:r=25:d=${seconds}`];
    const sound = ['-f', 'lavfi', '-i', `sine=440:r=48000:d=${seconds}`];
    await ffmpeg(...picture, ...sound, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', at(name));
    return readFile(at(name));
  };
  clip = await made('clip.mp4', 9);
  other = await made('other.mp4', 6);
  await ffmpeg('-i', at('clip.mp4'), '-c', 'copy', at('recording.ts'));
  recording = await readFile(at('recording.ts'));
});
afterAll(() => directory.remove());

let complaints: jest.Spied<typeof console.error>;
beforeEach(() => {
  complaints = jest.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(() => complaints.mockRestore());

/** A video whose buckets can be made to misbehave. */
async function uploaded(source: Buffer) {
  const { id, world: sound } = await uploadedIn(directory.path, source);
  const faults: { uploads: Faults; media: Faults } = { uploads: {}, media: {} };
  const world: TestWorld = {
    ...sound,
    uploads: faultyStore(sound.uploads, faults.uploads),
    media: faultyStore(sound.media, faults.media),
  };
  const requests: NewList[] = [];
  const enqueue = async (request: NewList) => void requests.push(request);
  const status = () => videoStatus(id, sound, () => 'https://cdn.example/');
  return { id, world, faults, requests, enqueue, status, media: sound.media };
}
type Video = Awaited<ReturnType<typeof uploaded>>;

/** All the lists of work that were asked for. */
async function run({ requests, world }: Video): Promise<void> {
  for (const request of requests.splice(0)) await executed(request, world);
}

const inTheFuture = () => new Date(Date.now() + 48 * 3600 * 1000);
const resume = ({ world, enqueue }: Video) =>
  resumeDelayed(world, { enqueue, now: inTheFuture(), isTimeUp: () => false });

const away = () => Promise.reject(new OutageError('STORE_UNAVAILABLE'));

async function* pieces(...all: Uint8Array[]) {
  yield* all;
}

describe('a source that the store', () => {
  test.each<[string, (video: Video) => NonNullable<Faults['readRange']>]>([
    [
      'gives shorter than asked for, now and then',
      everyOther((bytes) => bytes.subarray(0, bytes.length / 2)),
    ],
    ['gives in answers that are empty, now and then', everyOther((bytes) => bytes.subarray(0, 0))],
    [
      'breaks off in the middle, now and then',
      everyOther((bytes) => bytes.subarray(0, 1000), new Error('reset')),
    ],
  ])('%s is planned and made as if nothing had been', async (_, fault) => {
    const video = await uploaded(clip);
    video.faults.uploads.readRange = fault(video);
    await ingest(video.id, video.world, video.enqueue);
    await run(video);
    const sound = await uploaded(clip);
    await ingest(sound.id, sound.world, sound.enqueue);
    await run(sound);
    expect(await video.status()).toMatchObject({ state: 'ready', progress: 1 });
    const lengths = async ({ id, world }: Video) => {
      const keys = world.media.keys().filter((key) => key.startsWith(videoPrefix(id)));
      const sized = keys.map(
        async (key) => [key.split('/').slice(3).join('/'), (await world.media.get(key))!.length] as const,
      );
      return new Map(await Promise.all(sized));
    };
    const [found, expected] = [await lengths(video), await lengths(sound)];
    expect([...found.keys()]).toEqual([...expected.keys()]);
    // With threads x264 spends bits a little otherwise each time, and segments grow in steps of 16 packets.
    for (const [name, length] of found)
      expect(Math.abs(length - expected.get(name)!)).toBeLessThanOrEqual(0.1 * length + 2 * 16 * 188);
  });

  function everyOther(change: (bytes: Uint8Array) => Uint8Array, error?: Error) {
    let calls = 0;
    return (): NonNullable<Faults['readRange']> =>
      async (_key, { first, last }) => {
        calls += 1;
        const bytes = clip.subarray(first, last + 1);
        if (calls % 2 === 0) return pieces(bytes);
        return (async function* () {
          yield change(bytes);
          if (error) throw error;
        })();
      };
  }

  test('cannot give at all is not refused; when it can again, the video becomes ready', async () => {
    const video = await uploaded(recording);
    video.faults.uploads.readRange = away;
    await ingest(video.id, video.world, video.enqueue);
    const { state, delayed, error } = await video.status();
    expect({ state, error }).toEqual({ state: 'processing', error: undefined });
    expect(delayed).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(new Date(delayed!.retryAt).getTime()).toBeGreaterThan(new Date(delayed!.since).getTime());

    video.faults.uploads.readRange = undefined;
    expect(await resume(video)).toEqual({ resumed: [video.id] });
    await run(video);
    expect(await video.status()).toMatchObject({ state: 'ready', progress: 1 });
    expect((await video.status()).delayed).toBeUndefined();
    expect(await resume(video)).toEqual({ resumed: [] });
  });

  test('gives half of, and no more, has no copy of that half', async () => {
    const video = await uploaded(recording);
    const half = recording.length / 2;
    video.faults.uploads.readRange = (_key, { first, last }) =>
      last < half ? Promise.resolve(pieces(recording.subarray(first, last + 1))) : away();
    await ingest(video.id, video.world, video.enqueue);
    expect(await video.status()).toMatchObject({ state: 'processing', playable: false });
    expect(video.world.media.keys().filter((key) => key.startsWith(mezzaninePrefix(video.id)))).toEqual([]);

    video.faults.uploads.readRange = undefined;
    await resume(video);
    await run(video);
    expect(await video.status()).toMatchObject({ state: 'ready', durationSeconds: 9 });
  });

  test('holds back is asked again', async () => {
    const video = await uploaded(clip);
    let held = 0;
    video.faults.uploads.readRange = (_key, _range, signal) => {
      held += 1;
      if (held > 1) return undefined;
      return sleep(3_600_000, undefined, { signal }) as Promise<never>;
    };
    await ingest(video.id, video.world, video.enqueue);
    expect(await video.status()).toMatchObject({ state: 'processing', playable: true });
    expect(held).toBeGreaterThan(1);
  });

  test('gives too slowly to tell what it is, is not unreadable', async () => {
    const video = await uploaded(clip);
    video.world.settings.probeTimeoutSeconds = 3;
    video.faults.uploads.readRange = async (_key, { first, last }, signal) =>
      (async function* () {
        await sleep(4000, undefined, { signal });
        yield clip.subarray(first, last + 1);
      })();
    await ingest(video.id, video.world, video.enqueue);
    const { state, delayed } = await video.status();
    expect({ state, code: delayed?.code }).toEqual({ state: 'processing', code: 'TIMED_OUT' });
  });
});

test('a source that ffprobe hangs on, read as fast as can be, is refused', async () => {
  const video = await uploaded(clip);
  const hanging = at('ffprobe-that-hangs');
  await writeFile(hanging, '#!/bin/sh\n[ "$1" = -version ] && exit 0\nwhile :; do :; done\n');
  await chmod(hanging, 0o755);
  video.world.tools.binaries = { ...binaries, ffprobePath: hanging };
  video.world.settings.probeTimeoutSeconds = 1;
  await ingest(video.id, video.world, video.enqueue);
  expect(await video.status()).toMatchObject({ state: 'failed', error: { code: 'UNREADABLE' } });
});

test.each([
  ['is not there', undefined],
  ['may not be executed', 0o644],
  ['is for another machine', 0o755],
])('an ffprobe or ffmpeg that %s refuses nobody, and leaves nothing behind', async (name, mode) => {
  const path = at(`tool that ${name}`);
  if (mode) {
    await writeFile(path, '\x7fELF and so on');
    await chmod(path, mode);
  }
  const video = await uploaded(clip);
  video.world.tools.binaries = { ...binaries, ffprobePath: path };
  await ingest(video.id, video.world, video.enqueue);
  expect(await video.status()).toMatchObject({ state: 'processing', delayed: { code: 'TOOL_UNAVAILABLE' } });

  video.world.tools.binaries = { ...binaries, ffmpegPath: path };
  await resume(video);
  const pictures = () => video.world.media.keys().filter((key) => key.endsWith('.jpg'));
  await expect(derive(video.id, { kind: 'poster', rev: CURRENT }, video.world)).rejects.toMatchObject({
    code: 'TOOL_UNAVAILABLE',
  });
  expect(pictures()).toEqual([]);

  video.world.tools.binaries = binaries;
  video.requests.length = 0;
  await resume(video);
  await run(video);
  expect(await video.status()).toMatchObject({ state: 'ready' });
});

describe('a stored artifact that', () => {
  const DAMAGES: [string, (bytes: Uint8Array) => Uint8Array][] = [
    ['is cut', (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2))],
    ['is empty', () => new Uint8Array()],
  ];
  test.each(DAMAGES)('%s is made again, and takes the place of what is damaged', async (_, damage) => {
    const video = await uploaded(clip);
    await ingest(video.id, video.world, video.enqueue);
    await run(video);
    const plan = await currentPlan(video.id, video.world);
    const { rev } = plan;
    const [segment] = segmentsOf(plan);
    const sound = segmentsOf(plan).find(({ extension }) => extension === 'aac')!;
    const all: Artifact[] = [
      ...[segment!, sound, { kind: 'multivariant' as const }, { kind: 'storyboard' as const, rev }],
      ...[
        { kind: 'playlist' as const, rev, rendition: '240p' },
        { kind: 'poster' as const, rev },
      ],
    ];
    // A store that keeps no checksums: what is whole is seen by the plan.
    video.faults.media.getTagged = async (key) => {
      const found = await video.media.getTagged(key);
      return found && { ...found, isProven: false };
    };
    for (const artifact of all) {
      const key = artifactKey(video.id, artifact);
      const whole = (await raw(video, key))!;
      expect(Buffer.compare(await derive(video.id, artifact, video.world), whole)).toBe(0);
      await video.world.media.put(key, damage(whole), { contentType: 'x/y' });
      expect((await derive(video.id, artifact, video.world)).length).toBeGreaterThan(whole.length * 0.9);
      expect((await raw(video, key))!.length).toBeGreaterThan(whole.length * 0.9);
    }
  });

  test('is made again while another one is measured counts as it is then', async () => {
    const video = await uploaded(clip);
    const { id, world, media } = video;
    await ingest(id, world, video.enqueue);
    const { rev, ...plan } = await currentPlan(id, world);
    const key = artifactKey(id, segmentsOf({ rev, ...plan })[0]!);
    const master = artifactKey(id, { kind: 'multivariant' });
    // Somebody else makes it again while the rates that were measured are being written.
    let isUnderWay = false;
    video.faults.media.put = (written) => {
      if (written !== master || isUnderWay) return undefined;
      isUnderWay = true;
      return (async () => {
        const outcome = await media.put(master, (await media.get(master))!, { contentType: 'x/y' });
        const whole = (await media.get(key))!;
        await media.put(key, Buffer.concat([whole, whole]), { contentType: 'x/y' });
        return outcome;
      })();
    };
    await run(video);
    expect(isUnderWay).toBe(true);
    const told = Buffer.from((await media.get(master))!).toString();
    await finish(id, rev, world, new Date());
    expect(Buffer.from((await media.get(master))!).toString()).toBe(told);
    expect(told).toContain('AVERAGE-BANDWIDTH=');
  });

  test('cannot be read is made again', async () => {
    const video = await uploaded(clip);
    const plan = await currentPlan(video.id, video.world);
    const [segment] = segmentsOf(plan);
    const key = artifactKey(video.id, segment!);
    const before = await derive(video.id, segment!, video.world);
    video.faults.media.getTagged = (asked) => (asked === key ? away() : undefined);
    const after = await derive(video.id, segment!, video.world);
    expect(after.length).toBe(before.length);
  });
});

/** Past what the test has the bucket say. */
const raw = ({ media }: Video, key: string): Promise<Uint8Array | undefined> => media.get(key);

test('what the store cannot take is shown all the same, and made again next time', async () => {
  const video = await uploaded(clip);
  const plan = await currentPlan(video.id, video.world);
  const full = () => Promise.reject(new OutageError('STORAGE_FULL'));
  video.faults.media.put = (key) => (key.startsWith('v/') ? full() : undefined);
  const [segment] = segmentsOf(plan);
  expect((await derive(video.id, segment!, video.world)).length).toBeGreaterThan(0);
  expect((await derive(video.id, { kind: 'multivariant' }, video.world)).length).toBeGreaterThan(0);
  await ingest(video.id, video.world, video.enqueue);
  const [request] = video.requests;
  const [item] = await workIn(request!, video.world);
  await expect(deriveWork(item!, video.world)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  await failVideo(video.id, plan.rev, 'STORAGE_FULL', video.world, new Date());
  expect(await video.status()).toMatchObject({ state: 'processing', delayed: { code: 'STORAGE_FULL' } });

  video.faults.media.put = undefined;
  video.requests.length = 0;
  await resume(video);
  await run(video);
  expect(await video.status()).toMatchObject({ state: 'ready' });
});

test('whoever makes the last piece makes the video ready, whatever was said of it before', async () => {
  const video = await uploaded(clip);
  const { id, world } = video;
  await ingest(id, world, video.enqueue);
  const plan = await currentPlan(id, world);
  for (const item of await workIn(video.requests[0]!, world)) await deriveWork(item, world);
  const last = segmentsOf(plan).at(-1)!;
  await world.media.delete([artifactKey(id, last)]);
  await failVideo(id, plan.rev, 'ENCODING_FAILED', world, new Date());
  expect(await video.status()).toMatchObject({ state: 'failed', error: { code: 'ENCODING_FAILED' } });

  await derive(id, last, world);
  expect(await video.status()).toMatchObject({ state: 'ready', progress: 1 });
  expect(world.media.keys().filter((key) => [errorKey(id), delayKey(id)].includes(key))).toEqual([]);
});

test('a list that failed although everything exists makes the video ready', async () => {
  const video = await uploaded(clip);
  const { id, world } = video;
  await ingest(id, world, video.enqueue);
  for (const item of await workIn(video.requests[0]!, world)) await deriveWork(item, world);
  await failVideo(id, (await currentPlan(id, world)).rev, 'STORE_UNAVAILABLE', world, new Date());
  expect(await video.status()).toMatchObject({ state: 'ready' });
});

test('what failed is tried again by itself, at growing distances, by one at a time', async () => {
  const video = await uploaded(clip);
  const { id, world, enqueue } = video;
  video.faults.uploads.readRange = away;
  const now = new Date();
  const waits: number[] = [];
  for (let failures = 0; failures < 4; failures += 1) {
    await delayVideo(id, 'STORE_UNAVAILABLE', world, now);
    const { retryAt } = (await readRecord(world.media, DELAY, delayKey(id)))!;
    waits.push(new Date(retryAt).getTime() - now.getTime());
  }
  expect(waits).toEqual([5000, 10_000, 20_000, 40_000]);
  const tried = (when: Date) => resumeDelayed(world, { enqueue, now: when, isTimeUp: () => false });
  expect(await tried(new Date(now.getTime() + 39_000))).toEqual({ resumed: [] });
  video.faults.uploads.readRange = undefined;
  const later = new Date(now.getTime() + 41_000);
  const both = await Promise.all([tried(later), tried(later)]);
  expect(both.flatMap(({ resumed }) => resumed)).toEqual([id]);
  // Nobody else tries it while somebody is at it, and its status says that it is being worked on.
  expect(await tried(new Date(later.getTime() + 3_600_000))).toEqual({ resumed: [] });
  expect(await video.status()).toMatchObject({ state: 'processing' });
  expect((await video.status()).delayed).toBeUndefined();
  expect(video.requests).toMatchObject([{ id }]);
  await run(video);
  expect(await video.status()).toMatchObject({ state: 'ready' });
});

describe('a file that takes the place of another', () => {
  test('while that is prewarmed is planned and made, and nothing of the two is mixed', async () => {
    const video = await uploaded(clip);
    const { id, world } = video;
    await ingest(id, world, video.enqueue);
    const before = await currentPlan(id, world);
    await world.uploads.put(sourceKey(id), other, { contentType: 'video/mp4' });
    const [request] = video.requests.splice(0);
    const items = await workIn(request!, world);
    await expect(deriveWork(items[0]!, world)).rejects.toMatchObject({ code: 'SOURCE_REPLACED' });
    await ingest(id, world, video.enqueue);
    await run(video);
    const after = await currentPlan(id, world);
    expect(after.rev).not.toBe(before.rev);
    expect(await video.status()).toMatchObject({ state: 'ready', durationSeconds: 6 });
    const master = Buffer.from(await derive(id, { kind: 'multivariant' }, world)).toString();
    expect([master.includes(after.rev), master.includes(before.rev)]).toEqual([true, false]);
  });

  test('while it is planned is planned itself', async () => {
    const video = await uploaded(recording);
    let isReplaced = false;
    video.faults.uploads.readRange = () => {
      if (isReplaced) return undefined;
      isReplaced = true;
      return video.world.uploads
        .put(sourceKey(video.id), other, { contentType: 'video/mp4' })
        .then(() => Promise.reject(new Error('reset')));
    };
    await ingest(video.id, video.world, video.enqueue);
    await run(video);
    expect(await video.status()).toMatchObject({ state: 'ready', durationSeconds: 6 });
  });

  test('and is none, leaves a video that is ready as it is, and is refused where there is none', async () => {
    const nonsense = Buffer.from('Once upon a time.\n'.repeat(50));
    for (const wasReady of [true, false]) {
      const video = await uploaded(clip);
      await ingest(video.id, video.world, video.enqueue);
      if (wasReady) await run(video);
      await video.world.uploads.put(sourceKey(video.id), nonsense, { contentType: 'video/mp4' });
      await ingest(video.id, video.world, video.enqueue);
      const { state, error } = await video.status();
      expect({ state, code: error?.code }).toEqual(
        wasReady ? { state: 'ready', code: undefined } : { state: 'failed', code: 'NOT_MEDIA' },
      );
    }
  });
});

test('what is asked for while its video is deleted is not there, whatever the store says', async () => {
  const video = await uploaded(clip);
  const { id, world } = video;
  const plan = await currentPlan(id, world);
  const [first, ...rest] = segmentsOf(plan);
  await derive(id, first!, world);
  video.faults.uploads.readRange = async () => {
    await removeVideo(id, world);
    throw new Error('The specified key does not exist.');
  };
  await expect(derive(id, rest.at(-1)!, world)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await cleanedUp(world);
  expect(world.media.keys().filter((key) => key.includes(id))).toEqual([]);
  expect(await world.media.head(cardKey(id))).toBeUndefined();
});

test('on a full disk, encoders have what was kept aside, and what others left behind', async () => {
  const { id, world } = await uploaded(clip);
  const temporary = at('temporary');
  await mkdir(join(temporary, 'encode-of-another-time'), { recursive: true });
  await writeFile(join(temporary, RESERVE_FILE), 'kept aside');
  // Says so as ffmpeg does, for as long as there is something to be given up.
  const cramped = at('ffmpeg-on-a-full-disk');
  const script = [
    '#!/bin/sh',
    `case "$*" in *-version*|*-codecs*) exec '${binaries.ffmpegPath}' "$@"; esac`,
    `[ -e '${join(temporary, RESERVE_FILE)}' ] || exec '${binaries.ffmpegPath}' "$@"`,
    'echo "av_interleaved_write_frame(): No space left on device" >&2',
  ];
  await writeFile(cramped, `${script.join('\n')}\n`);
  await chmod(cramped, 0o755);
  Object.assign(world.tools, {
    binaries: { ...binaries, ffmpegPath: cramped },
    temporaryDirectory: temporary,
  });
  const [segment] = segmentsOf(await currentPlan(id, world));
  expect((await derive(id, segment!, world)).length).toBeGreaterThan(0);
  expect(await readdir(temporary)).toEqual([]);
});

test('the world of these tests misbehaves only where it is told to', async () => {
  const store = faultyStore(memoryStore(), {});
  await store.put('key', 'value', { contentType: 'text/plain' });
  expect(Buffer.from((await store.get('key'))!).toString()).toBe('value');
});

describe('found by trying to break it:', () => {
  test('a store that takes a copy slowly does not make its source unreadable', async () => {
    const video = await uploaded(recording);
    const { upload } = video.world.media;
    video.world.media.upload = async (key, options) => ({
      ...(await upload(key, options)),
      part: () => Promise.reject(new OutageError('TIMED_OUT')),
    });
    await ingest(video.id, video.world, video.enqueue);
    expect(await video.status()).toMatchObject({ state: 'processing', delayed: { code: 'TIMED_OUT' } });
  });

  test('a try whose beginning was written but not answered is begun', async () => {
    const video = await uploaded(clip);
    const { id, world } = video;
    const { uploads } = video.faults;
    uploads.readRange = away;
    await ingest(id, world, video.enqueue);
    uploads.readRange = undefined;
    // The store writes, and says that another was faster, as it does to whoever repeats a request.
    const { media } = video.faults;
    media.put = (key, body, options) => {
      if (key !== delayKey(id)) return undefined;
      media.put = undefined;
      return world.media.put(key, body, options).then(() => 'exists' as const);
    };
    expect(await resume(video)).toEqual({ resumed: [id] });
    await run(video);
    expect(await video.status()).toMatchObject({ state: 'ready' });
  });

  test('a file that takes the place of another just before that one’s plan is stored is planned', async () => {
    const video = await uploaded(clip);
    const { id, world } = video;
    video.faults.media.put = (key) => {
      if (!key.endsWith('/revisions.json')) return undefined;
      video.faults.media.put = undefined;
      void world.uploads.put(sourceKey(id), other, { contentType: 'video/mp4' });
      return undefined;
    };
    await ingest(id, world, video.enqueue);
    // Of the other file its own event tells.
    await run(video).catch((error: unknown) => expect(error).toMatchObject({ code: 'SOURCE_REPLACED' }));
    await ingest(id, world, video.enqueue);
    await run(video);
    expect(await video.status()).toMatchObject({ state: 'ready', durationSeconds: 6 });
  });

  test('half a picture is not copied to its lasting address', async () => {
    const video = await uploaded(clip);
    const { id, world } = video;
    await ingest(id, world, video.enqueue);
    const { rev } = await currentPlan(id, world);
    const own = artifactKey(id, { kind: 'poster', rev });
    const whole = (await world.media.get(own))!;
    await world.media.put(own, whole.subarray(0, whole.length / 2), { contentType: 'image/jpeg' });
    video.faults.media.getTagged = async (key) => {
      const bytes = await raw(video, key);
      return bytes && { bytes, etag: 'any', isProven: key !== own };
    };
    await run(video);
    expect(await video.status()).toMatchObject({ state: 'ready' });
    const lasting = await derive(id, { kind: 'poster', rev: CURRENT }, world);
    expect(lasting.length).toBe(whole.length);
  });

  test('a picture that cannot be read keeps no video from being ready', async () => {
    const video = await uploaded(clip);
    const { id, world } = video;
    await ingest(id, world, video.enqueue);
    const { rev } = await currentPlan(id, world);
    const own = artifactKey(id, { kind: 'poster', rev });
    video.faults.media.getTagged = (key) => (key === own ? away() : undefined);
    await run(video);
    expect(await video.status()).toMatchObject({ state: 'ready' });
  });

  test('a deletion that breaks off is brought to its end', async () => {
    const video = await uploaded(clip);
    const { id, world } = video;
    await ingest(id, world, video.enqueue);
    await run(video);
    video.faults.media.delete = (keys) => (keys.some((key) => key.startsWith('v/')) ? away() : undefined);
    await deleteVideo(id, world, WITHOUT_GRACE);
    await expect(video.status()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(cleanedUp(world)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(world.media.keys().some((key) => key.startsWith('v/'))).toBe(true);
    video.faults.media.delete = undefined;
    await cleanedUp(world);
    expect([...world.media.keys(), ...world.uploads.keys()]).toEqual([]);
  });

  test('a copy that is lost is made again', async () => {
    const video = await uploaded(recording);
    const { id, world } = video;
    await ingest(id, world, video.enqueue);
    const { source } = await currentPlan(id, world);
    await world.media.delete([source.key!]);
    const [item] = await workIn(video.requests[0]!, world);
    await expect(deriveWork(item!, world)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await failVideo(id, (await currentPlan(id, world)).rev, 'STORE_UNAVAILABLE', world, new Date());
    video.requests.length = 0;
    await resume(video);
    await run(video);
    expect(await video.status()).toMatchObject({ state: 'ready' });
  });

  test('a delay ends with a refusal, and one that cannot be read is no matter for who watches', async () => {
    const refused = await uploaded(Buffer.from('Once upon a time.\n'.repeat(50)));
    await delayVideo(refused.id, 'STORE_UNAVAILABLE', refused.world, new Date());
    await ingest(refused.id, refused.world, refused.enqueue);
    expect(refused.world.media.keys()).not.toContain(delayKey(refused.id));

    const video = await uploaded(clip);
    await video.world.media.put(delayKey(video.id), 'x', { contentType: 'application/json' });
    expect(await video.status()).toMatchObject({ state: 'processing' });
  });
});
