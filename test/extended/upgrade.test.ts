// Data folders of earlier commits under today's server: their videos are completed as they were begun, and planned anew
// when an operator says so; who is watching notices neither.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { QUEUE_KEY } from '../../core/artifacts/keys.ts';
import { PRESENT_RECIPE } from '../../core/recipes/present.ts';
import type { MaintenanceAnswer } from '../../pipeline/revisions/maintenance.ts';
import type { VideoRevisions } from '../../pipeline/revisions/recipe-report.ts';
import { bytesAt, renditionsAt } from '../support/hls.ts';
import type { Rendition } from '../support/hls.ts';
import { temporaryDirectory } from '../support/media.ts';
import { deleteVideo, startSystem, statusOf, storeClient, untilStatus } from '../support/system.ts';
import type { Granted, System } from '../support/system.ts';
import {
  BUCKETS,
  copyOfFixture,
  decoded,
  keysBelow,
  maintained,
  objectAt,
  operated,
  segmentsAt,
  storedSegments,
  keysBesideTombstones,
  untilGone,
  videoOf,
  withStoreOf,
} from '../support/upgrade.ts';
import type { Decoded } from '../support/upgrade.ts';

interface FixtureVideo {
  id: string;
  /** Of the plan that it was left with. */
  rev: string;
  rungs: string[];
  /** The rung for cellular lines. */
  cellular: string;
  /** Whether its plan has that already; otherwise it gets one when it is planned anew. */
  hasCellular?: boolean;
  pictures: number;
  aacFrames: number;
}

const FILM: FixtureVideo = {
  ...{ id: 'zd30j0l9uaislz35nxcmsue4k7lpy0xn9v', rev: '8a34a22468' },
  ...{ rungs: ['480p', '360p'], cellular: '234p', pictures: 1120, aacFrames: 10_500 },
};
const RECORDING: FixtureVideo = {
  ...{ id: 'zd30j0hyw3m416uvkoaktgmfnq64sks9hn', rev: '2a9951bfa7' },
  ...{ rungs: ['240p'], cellular: '240p-low', pictures: 200, aacFrames: 1875 },
};
const OLDER_RECORDING: FixtureVideo = {
  ...RECORDING,
  ...{ id: 'zd30j10t0xsw7d3fquk2cipt74aadrnrou', rev: '4a198d3596' },
};

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await system?.stop();
  await directory.remove();
});

const dataDirectory = (name: string): string => join(directory.path, name);

async function start(data: string, environment: Record<string, string> = {}): Promise<void> {
  await system?.stop();
  system = await startSystem(data, environment);
}

/** What a player holds of a video, and what it has got. */
interface Watched {
  renditions: Map<string, Rendition>;
  segments: Map<string, Buffer[]>;
  decoded: Map<string, Decoded>;
}

async function watched({ playbackUrl }: Granted): Promise<Watched> {
  const renditions = await renditionsAt(playbackUrl);
  const segments = await segmentsAt(renditions);
  return { renditions, segments, decoded: await decoded(segments, directory.path) };
}

const revOf = (renditions: Map<string, Rendition>): string =>
  [...renditions.values()].map(({ uri }) => uri.split('/')[0]!)[0]!;

/** Every picture once and in order, all of the sound, and a decoder that has nothing to say. */
function expectWhole(
  found: Map<string, Decoded>,
  { rungs, cellular, hasCellular = false, pictures, aacFrames }: FixtureVideo,
  isPlannedAnew = false,
): void {
  const added = isPlannedAnew || hasCellular ? [cellular, 'audio-0-low'] : [];
  expect([...found.keys()].sort()).toEqual([...rungs, 'audio-0', ...added].sort());
  for (const [name, { complaints, times, numbers }] of found) {
    expect({ name, complaints }).toEqual({ name, complaints: '' });
    expect(times).toHaveLength(name.startsWith('audio-') ? aacFrames : pictures);
    if (name.startsWith('audio-')) continue;
    expect(numbers).toEqual(Array.from({ length: pictures }, (_, index) => index));
    times.forEach((time, picture) => expect(time).toBeCloseTo(10 + picture / 5, 4));
  }
}

/** By their keys, as they were before the upgrade. */
function expectUnchanged(
  before: Map<string, Buffer>,
  { id, rev }: FixtureVideo,
  { renditions, segments }: Watched,
): void {
  const stored = [...before].filter(([key]) => key.startsWith(`v/${id}/`));
  expect(stored).not.toHaveLength(0);
  for (const [key, bytes] of stored) {
    const [, , ofRev, name, file] = key.split('/');
    expect(ofRev).toBe(rev);
    const index = renditions.get(name!)!.segments.findIndex(({ url }) => url.endsWith(`/${file}`));
    expect(segments.get(name!)![index]!.equals(bytes)).toBe(true);
  }
}

type AnswerWith<Property extends string> = Extract<MaintenanceAnswer, Record<Property, unknown>>;
const recipes = () => maintained<AnswerWith<'recipes'>>(system, { command: 'recipes' });
const revisionsOf = async (id: string) =>
  (await maintained<VideoRevisions>(system, { command: 'recipes', id })).revisions;

/** Looks until a video's current revision is the last one, complete, and holds all that the one before held. */
async function untilSuperseded({ id, rev }: FixtureVideo): Promise<string> {
  for (;;) {
    const [current, former] = await revisionsOf(id);
    if (current!.rev !== rev && current!.isReady && former?.graceEndsAt) return current!.rev;
    await sleep(500);
  }
}

async function untilSwept({ id }: FixtureVideo): Promise<void> {
  while ((await revisionsOf(id)).length > 1) await sleep(200);
}

const allBy = (recipe: string, videos = 2) => new RegExp(`│ '${recipe}' +│ ${videos} +│ 0 +│ 0 +│`);

/** Without what is measured, and what is for cellular lines: it is new. */
const described = (master: string, rev: string): string =>
  master
    .replaceAll(rev, 'REV')
    .replace(/BANDWIDTH=\d+/g, 'BANDWIDTH')
    .replace(/^.*"audio-low".*\n(REV.*\n)?/gm, '');

const redirectOf = async (url: string) => {
  const { status, headers } = await fetch(url, { redirect: 'manual' });
  return { status, location: headers.get('location') };
};

describe('a folder of 8e3bc33', () => {
  const videos = [FILM, RECORDING];
  const old = new Map<string, Watched>();
  const anew = new Map<string, Watched>();
  const newRevs = new Map<string, string>();
  const video = ({ id }: FixtureVideo): Granted => videoOf(system, id);
  const pictureUrl = ({ id }: FixtureVideo, path: string): string => `${system.baseUrl}/v/${id}/${path}`;

  test('both videos become ready at the addresses that they have, by the recipe that they were begun with', async () => {
    const data = await copyOfFixture('data-8e3bc33', dataDirectory('films'));
    const before = await withStoreOf(data, storedSegments);
    await start(data);
    for (const fixture of videos) {
      await untilStatus(video(fixture), ({ state }) => state !== 'processing', 500);
      expect(await statusOf(video(fixture))).toMatchObject({ state: 'ready', progress: 1 });
      const seen = await watched(video(fixture));
      expect(revOf(seen.renditions)).toBe(fixture.rev);
      expectUnchanged(before, fixture, seen);
      expectWhole(seen.decoded, fixture);
      old.set(fixture.id, seen);
    }
    const { code, stdout } = await operated(system, 'recipes');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^videos planned: 2$/m);
    expect(stdout).toMatch(/│ '1' +│ 2 +│ 0 +│ 0 +│/);
  });

  test('planned anew while somebody watches, they go on for those and are new for others', async () => {
    const client = await storeClient(system, dataDirectory('films'));
    const [copy] = (await keysBelow(client, 'mezzanine/')).filter((key) => key.endsWith('.mkv'));
    const copyBefore = await objectAt(client, copy!);
    const oldMasters = await Promise.all(videos.map((fixture) => bytesAt(video(fixture).playbackUrl)));
    const firstHalves = new Map<string, Map<string, Buffer[]>>();
    for (const { id } of videos) {
      const { renditions } = old.get(id)!;
      firstHalves.set(id, await segmentsAt(renditions, { from: 0, to: halfOf(renditions) }));
    }

    const asked = await operated(system, 'replan', '--all');
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    for (const { id } of videos) expect(asked.stdout).toMatch(new RegExp(`'${id}' .* 'planned' `));
    for (const fixture of videos) newRevs.set(fixture.id, await untilSuperseded(fixture));
    expect(await recipes()).toMatchObject({
      videos: 2,
      recipes: [
        { recipe: PRESENT_RECIPE.name, current: 2, next: 0, former: 0 },
        { recipe: '1', current: 0, next: 0, former: 2 },
      ],
      failed: [],
    });
    expect((await operated(system, 'recipes')).stdout).toMatch(allBy(PRESENT_RECIPE.name));

    for (const [index, fixture] of videos.entries()) {
      const { renditions, segments, decoded: decodedBefore } = old.get(fixture.id)!;
      const newRev = newRevs.get(fixture.id)!;

      // Somebody in the middle of the film.
      const rest = await segmentsAt(renditions, { from: halfOf(renditions) });
      const player = [...firstHalves.get(fixture.id)!].map(
        ([name, first]) => [name, [...first, ...rest.get(name)!]] as [string, Buffer[]],
      );
      for (const [name, pieces] of player) {
        expect(Buffer.concat(pieces).equals(Buffer.concat(segments.get(name)!))).toBe(true);
      }
      expectWhole(await decoded(new Map(player), directory.path), fixture);

      // Somebody who comes now.
      const seen = await watched(video(fixture));
      expect(revOf(seen.renditions)).toBe(newRev);
      const master = (await bytesAt(video(fixture).playbackUrl)).toString();
      expect(described(master, newRev)).toBe(described(oldMasters[index]!.toString(), fixture.rev));
      expect(master).toContain('AVERAGE-BANDWIDTH=');
      for (const [name, rendition] of renditions) {
        expect(secondsOf(seen.renditions.get(name)!)).toBeCloseTo(secondsOf(rendition), 4);
      }
      expectWhole(seen.decoded, fixture, true);
      for (const [name, { times }] of decodedBefore) expect(seen.decoded.get(name)!.times).toEqual(times);
      anew.set(fixture.id, seen);

      // A page that was given the pictures' addresses.
      const { posterUrl, storyboardUrl } = await statusOf(video(fixture));
      expect(posterUrl).toBe(pictureUrl(fixture, 'poster.jpg'));
      expect(storyboardUrl).toBe(pictureUrl(fixture, 'storyboard.vtt'));
      const oldPoster = pictureUrl(fixture, `${fixture.rev}/poster.jpg`);
      for (const url of [posterUrl!, oldPoster]) {
        expect((await bytesAt(url)).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
      }
      const storyboard = (await bytesAt(storyboardUrl!)).toString();
      expect(storyboard).toContain(`\n${newRev}/storyboard/0.jpg#`);
      await bytesAt(new URL(`${newRev}/storyboard/0.jpg`, storyboardUrl!).href);
    }

    // 8e3bc33 did not note what it had found in the copy, so another was made, and noted; the old revision has its own.
    const copies = await keysBelow(client, 'mezzanine/');
    expect(copies).toHaveLength(3);
    expect(copies.filter((key) => key.endsWith('.json'))).toHaveLength(1);
    expect((await objectAt(client, copy!)).equals(copyBefore)).toBe(true);
    client.destroy();
  });

  test('planned anew once more they stay as they are', async () => {
    const { replanned, failed } = await maintained<AnswerWith<'replanned'>>(system, {
      command: 'replan',
      all: true,
    });
    expect(failed).toEqual([]);
    expect(replanned.map(({ id, outcome, rev }) => ({ id, outcome, rev }))).toEqual(
      [RECORDING, FILM].map(({ id }) => ({ id, outcome: 'unchanged', rev: newRevs.get(id) })),
    );
  });

  test('after the grace time nothing is left of the old revisions, and old pictures lead to the new', async () => {
    expect([...newRevs.keys()].sort()).toEqual(videos.map(({ id }) => id).sort());
    await start(dataDirectory('films'), { REVISION_GRACE_DAYS: '0.000001' });
    for (const fixture of videos) await untilSwept(fixture);

    const client = await storeClient(system, dataDirectory('films'));
    expect(await keysBelow(client, 'plans/')).toEqual(
      [RECORDING, FILM].flatMap(({ id }) => {
        const rev = newRevs.get(id)!;
        return [`${rev}.json`, `${rev}.ready.json`, `${rev}.work.json`, 'revisions.json'].map(
          (name) => `plans/${id}/${name}`,
        );
      }),
    );
    for (const fixture of videos) {
      const { id, rev } = fixture;
      const newRev = newRevs.get(id)!;
      expect(await keysBelow(client, `v/${id}/${rev}/`)).toEqual([]);
      const [rung] = fixture.rungs;
      expect((await fetch(pictureUrl(fixture, `${rev}/${rung}/00003.ts`))).status).toBe(404);
      expect((await fetch(pictureUrl(fixture, `${rev}/audio-0/index.m3u8`))).status).toBe(404);
      for (const [path, location] of [
        ['poster.jpg', '../poster.jpg'],
        ['storyboard.vtt', '../storyboard.vtt'],
        ['storyboard/0.jpg', `../../${newRev}/storyboard/0.jpg`],
      ] as const) {
        const url = pictureUrl(fixture, `${rev}/${path}`);
        expect(await redirectOf(url)).toEqual({ status: 302, location });
        await bytesAt(url);
      }
      const renditions = await renditionsAt(video(fixture).playbackUrl);
      const { segments } = anew.get(id)!;
      for (const [name, pieces] of await segmentsAt(renditions)) {
        expect(Buffer.concat(pieces).equals(Buffer.concat(segments.get(name)!))).toBe(true);
      }
    }
    // The old copy went with the old revision.
    expect(await keysBelow(client, `mezzanine/${RECORDING.id}`)).toHaveLength(2);

    expect((await deleteVideo(system, video(RECORDING))).status).toBe(204);
    await untilGone(client, RECORDING);
    const left = await keysBesideTombstones(client);
    expect(left.filter((key) => key.includes(RECORDING.id))).toEqual([]);
    expect(left.filter((key) => key.includes(FILM.id))).not.toEqual([]);
    expect((await fetch(video(RECORDING).playbackUrl)).status).toBe(404);
    await bytesAt(video(FILM).playbackUrl);
    client.destroy();
    expect(system.output()).toMatch(/^API key: key\nready: \S+\n$/);
  });
});

const secondsOf = ({ segments }: Rendition): number =>
  segments.reduce((sum, { seconds }) => sum + seconds, 0);

const halfOf = (renditions: Map<string, Rendition>): number =>
  Math.floor([...renditions.values()][0]!.segments.length / 2);

describe.each([
  {
    release: 'e50b81e, when plans had tracks, and no notices',
    folder: 'data-e50b81e',
    recipe: '2',
    videos: [
      { ...FILM, id: 'zd2zqr8u752woyxs38yto1hkh70r1628kz', rev: 'ea8d02f4bf' },
      { ...RECORDING, id: 'zd2zqr76772ux77oj397k79hfn7lm12az7', rev: 'fd5c4da8c2' },
    ],
  },
  {
    release: '6648bd6, when films had no variant for cellular lines',
    folder: 'data-6648bd6',
    recipe: '3',
    videos: [
      { ...FILM, id: 'zd2zi9clzwp3io8bey9ymoxthun0pdsbuq', rev: '3c24433ce2' },
      { ...RECORDING, id: 'zd2zi9agk5hdmusoi1n1j1yyjgl5u0vv03', rev: '0c0965a636' },
    ],
  },
  {
    release: 'ec5dbee, when segments had two GOPs, and sixteen tables each',
    folder: 'data-ec5dbee',
    recipe: '4',
    videos: [
      { ...RECORDING, id: 'zd2zc86wyi0pw0n6qm8ob23ep5d88vmqcv', rev: '2de16a1546', hasCellular: true },
    ],
  },
])('a folder of $release', ({ folder, recipe, videos }) => {
  const video = ({ id }: FixtureVideo): Granted => videoOf(system, id);

  test('both videos become ready by their own recipe, at the addresses that they have', async () => {
    const data = await copyOfFixture(folder, dataDirectory(folder));
    const before = await withStoreOf(data, storedSegments);
    await start(data);
    for (const fixture of videos) {
      await untilStatus(video(fixture), ({ state }) => state !== 'processing', 500);
      expect(await statusOf(video(fixture))).toMatchObject({ state: 'ready', progress: 1, notices: [] });
      const seen = await watched(video(fixture));
      expect(revOf(seen.renditions)).toBe(fixture.rev);
      expectUnchanged(before, fixture, seen);
      expectWhole(seen.decoded, fixture);
    }
    expect((await operated(system, 'recipes')).stdout).toMatch(allBy(recipe, videos.length));
  });

  test('planned anew, they are whole by the present recipe', async () => {
    expect(await operated(system, 'replan', '--all')).toMatchObject({ code: 0, stderr: '' });
    for (const fixture of videos) {
      const rev = await untilSuperseded(fixture);
      const seen = await watched(video(fixture));
      expect(revOf(seen.renditions)).toBe(rev);
      expectWhole(seen.decoded, fixture, true);
    }
    expect((await operated(system, 'recipes')).stdout).toMatch(allBy(PRESENT_RECIPE.name, videos.length));
  });
});

describe('a folder of 266c94b, whose copy of the source lies where later ones do not', () => {
  const { id, rev } = OLDER_RECORDING;
  const firstCopy = `mezzanine/${id}.mkv`;

  test('becomes ready, is planned anew, and its first copy goes with its first revision', async () => {
    const data = await copyOfFixture('data-266c94b', dataDirectory('recording'));
    const before = await withStoreOf(data, storedSegments);
    await start(data, { REVISION_GRACE_DAYS: '0.000001' });
    const video = videoOf(system, id);
    await untilStatus(video, ({ state }) => state !== 'processing', 200);
    expect(await statusOf(video)).toMatchObject({ state: 'ready', progress: 1 });
    const old = await watched(video);
    expect(revOf(old.renditions)).toBe(rev);
    expectUnchanged(before, OLDER_RECORDING, old);
    expectWhole(old.decoded, OLDER_RECORDING);

    const replanned = await operated(system, 'replan', id);
    expect(replanned).toMatchObject({ code: 0, stderr: '' });
    const newRev = await untilSuperseded(OLDER_RECORDING);
    const anew = await watched(video);
    expect(revOf(anew.renditions)).toBe(newRev);
    expectWhole(anew.decoded, OLDER_RECORDING, true);

    const client = await storeClient(system, data);
    expect(await keysBelow(client, 'mezzanine/')).toContain(firstCopy);
    expect(await maintained(system, { command: 'sweep' })).toMatchObject({ swept: 1, kept: 0, failed: [] });
    const copies = await keysBelow(client, 'mezzanine/');
    expect(copies).toHaveLength(2);
    expect(copies.every((key) => key.startsWith(`mezzanine/${id}/`))).toBe(true);
    expect(await segmentsAt(await renditionsAt(video.playbackUrl))).toEqual(anew.segments);

    expect((await deleteVideo(system, video)).status).toBe(204);
    await untilGone(client, video);
    expect(await keysBesideTombstones(client)).toEqual([QUEUE_KEY]);
    client.destroy();
  });

  test('becomes ready also where 8e3bc33 could make nothing of it and said so', async () => {
    const data = await copyOfFixture('data-266c94b', dataDirectory('failed'));
    const message = 'Not all of the video could be prepared. It will be tried again.';
    await withStoreOf(data, (client) =>
      client.send(
        new PutObjectCommand({
          ...{ Bucket: BUCKETS[1], Key: `plans/${id}.error.json` },
          Body: JSON.stringify({ code: 'ENCODING_FAILED', message }),
        }),
      ),
    );
    await start(data);
    const video = videoOf(system, id);
    const ready = await untilStatus(video, ({ state }) => state === 'ready', 200);
    expect(ready.error).toBeUndefined();
    const client = await storeClient(system, data);
    expect(await keysBelow(client, `plans/${id}.error.json`)).toEqual([]);
    client.destroy();
    await segmentsAt(await renditionsAt(video.playbackUrl));
  });
});
