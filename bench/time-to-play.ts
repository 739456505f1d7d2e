// How long after the end of an upload is there something to play, and how long does a seek to a place never encoded
// take? All as a multiple of the bare ffmpeg commands for the same segments, so that the figures of slow and fast
// machines compare. And what does the usual way take: one ffmpeg command over the whole file, and then play?

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Plan } from '../core/plan/plan.ts';
import { segmentCount } from '../core/plan/grid.ts';
import { openBrowser } from '../test/support/browser.ts';
import { temporaryDirectory } from '../test/support/media.ts';
import { startSystem, statusOf, storeClient, untilStatus, uploadFile } from '../test/support/system.ts';
import type { Granted, System } from '../test/support/system.ts';
import { expectUnmade, middleOf, openFirst } from './support/as-a-player.ts';
import type { FirstStream } from './support/as-a-player.ts';
import { bareSeconds, planOfFile, segmentsIn } from './support/bare-commands.ts';
import { median, tableOfMultiples } from './support/figures.ts';
import type { Timed } from './support/figures.ts';
import { firstPictureOnPage, playInHlsJs, seekInHlsJs, serveHlsJs } from './support/in-chromium.ts';
import { isEncodedInBackground } from './support/processes.ts';
import { fetchFrom, seek, seekAround } from './support/seeks.ts';
import type { Seek } from './support/seeks.ts';
import { cut, megabytes, minuteOfFilm, phoneClip, repeated } from './support/sources.ts';
import { encodeTheUsualWay } from './support/usual-way.ts';

const ROUNDS = 5;
const FILM_MINUTES = 20;
const CLIP_SECONDS = 10;
/** Seeks go into this part of the film: the prewarm reaches it last. */
const FAR = { from: 0.5, to: 0.96 };
const SEEKS_PER_ROUND = 3;
const CROWD = 3;
/** Seeks of one viewer who looks for something. */
const SEEKS_AROUND = 20;
const SEEK_AROUND_EVERY_MS = 200;
/** What a player likes to have before it is at ease; the bare commands make as much. */
const ENOUGH_SECONDS = 4;
/** Three segments are buffered before the seek in hls.js, so that it has chosen a quality. */
const SECONDS_BEFORE_SEEK = 12;
/** The usual way is timed over so much of the film, and the rest is reckoned from it. */
const TIMED_SECONDS = 60;

const FIRST_SEGMENTS = 'film, end of upload to first segments';
const FIRST_ENOUGH = 'film, end of upload to 4 s of them';
const SEEK_PREWARMING = 'film, far seek while the prewarm runs';
const SEEK_PREWARMING_ENOUGH = 'film, far seek while the prewarm runs, 4 s';
const SEEK_ALONE = 'film, far seek with PREWARM=none';
const SEEK_ALONE_ENOUGH = 'film, far seek with PREWARM=none, 4 s';
const SEEK_OF_THREE = 'film, three far seeks at once, each (bare: three pairs)';
const SEEK_AROUND = 'film, the last of 20 far seeks in 4 s';
const FIRST_PICTURE = 'film, end of upload to first picture, our page';
const SEEK_IN_HLS_JS = 'film, far seek to its picture, hls.js as it comes';
const CLIP_PICTURE = '10 s clip, end of upload to first picture, our page';
const PHONE_PICTURE = "phone's clip, end of upload to first picture, our page";
const PHONE_CHOSEN = "phone's clip, choice of the file to first picture, our page";

interface Source {
  path: string;
  plan: Plan;
}

/** A segment's number, and the time the bare commands take for it. */
interface Place {
  index: number;
  bareSeconds: number;
}

const rows = new Map<string, Timed[]>();
const directory = await temporaryDirectory();
const player = await serveHlsJs();
try {
  const minute = await minuteOfFilm(directory.path);
  const film = await source(await repeated(minute, FILM_MINUTES, join(directory.path, 'film.mp4')));
  const clip = await source(await cut(minute, CLIP_SECONDS, join(directory.path, 'clip.mp4')));
  const phone = await source(await phoneClip(directory.path));

  for (let round = 0; round < ROUNDS; round += 1) {
    await withPrewarm(film, round);
    await withoutPrewarm(film, farIndexes(film, round, SEEKS_PER_ROUND));
    for (const [source, row] of [
      [film, FIRST_PICTURE],
      [clip, CLIP_PICTURE],
      [phone, PHONE_PICTURE],
    ] as const) {
      const { sinceUpload, sinceChosen, start } = await onPage(source);
      note(row, sinceUpload, start);
      if (source === phone) note(PHONE_CHOSEN, sinceChosen, start);
    }
    console.error(`round ${round + 1} of ${ROUNDS}`);
  }

  console.log(`film: ${FILM_MINUTES} minutes of 720p, ${(await megabytes(film.path)).toFixed(0)} MB`);
  console.log(`phone's clip: 10 s of 1080p, ${(await megabytes(phone.path)).toFixed(0)} MB`);
  console.log(
    `bare: the ffmpeg commands for the same ${ENOUGH_SECONDS} s of the first variant's picture and of its sound, together\n`,
  );
  console.log(tableOfMultiples(rows));
  const [filmPicture, clipPicture] = [FIRST_PICTURE, CLIP_PICTURE].map((row) =>
    median(rows.get(row)!.map(({ seconds }) => seconds)),
  );
  console.log(
    `\nfirst picture, film / clip: ${(filmPicture! / clipPicture!).toFixed(2)} (wanted: at most 1.5)`,
  );
  const [around, single] = [SEEK_AROUND, SEEK_PREWARMING].map((row) =>
    median(rows.get(row)!.map(({ seconds }) => seconds)),
  );
  console.log(
    `the last of 20 far seeks / a single one: ${(around! / single!).toFixed(2)} (wanted: at most 1.5)`,
  );
  const [filmUsual, clipUsual] = [
    await usualWay(film, FILM_MINUTES * 60),
    await usualWay(clip, CLIP_SECONDS),
  ];
  console.log(
    `the usual way: ${clipUsual.toFixed(1)} s for the clip, ${filmUsual.toFixed(0)} s for the film, reckoned from its first minute`,
  );
} finally {
  player.close();
  await directory.remove();
}

async function source(path: string): Promise<Source> {
  return { path, plan: await planOfFile(path) };
}

/** Far apart, and others in each round. */
function farIndexes({ plan }: Source, round: number, count: number): number[] {
  const segments = segmentCount(plan.grid);
  return Array.from({ length: count }, (_, seek) => {
    const share = (seek + round / ROUNDS) / count;
    return Math.floor(segments * (FAR.from + (FAR.to - FAR.from) * share));
  });
}

/** The last place is for Chromium, which goes on to fetch the segments after it. */
async function withPrewarm(film: Source, round: number): Promise<void> {
  const far = farIndexes(film, round, SEEKS_PER_ROUND + CROWD + SEEKS_AROUND + 1);
  const next = (count: number): number[] => far.splice(0, count);
  const start = await placeAt(film, 0);
  const places = await placesAt(film, next(SEEKS_PER_ROUND));
  const crowd = next(CROWD);
  const crowdBareSeconds = await bare(film, crowd);
  const around = next(SEEKS_AROUND);
  const lastAround = await placeAt(film, around.at(-1)!);
  const place = await placeAt(film, next(1)[0]!);
  await withSystem('all', async (system, data) => {
    const media = await storeClient(system, data);
    const { video, stream, seconds } = await uploadAndOpen(system, film);
    note(FIRST_SEGMENTS, seconds.first, start);
    note(FIRST_ENOUGH, seconds.enough, start);
    for (const far of places) {
      await untilPrewarmEncodes(video, data);
      const { first, enough } = await seek(media, stream, far.index, enoughOf(film));
      note(SEEK_PREWARMING, first, far);
      note(SEEK_PREWARMING_ENOUGH, enough, far);
    }
    await untilPrewarmEncodes(video, data);
    const each = await Promise.all(crowd.map((index) => seek(media, stream, index, 1)));
    for (const { first } of each) note(SEEK_OF_THREE, first, { bareSeconds: crowdBareSeconds });
    await untilPrewarmEncodes(video, data);
    note(SEEK_AROUND, await seekAround(media, stream, around, SEEK_AROUND_EVERY_MS), lastAround);
    await withPage(async (page) => {
      await playInHlsJs(page, player.url, video.playbackUrl, SECONDS_BEFORE_SEEK);
      await untilPrewarmEncodes(video, data);
      await expectUnmade(media, stream, place.index);
      note(SEEK_IN_HLS_JS, await seekInHlsJs(page, middleOf(stream, place.index)), place);
    });
  });
}

async function withoutPrewarm(film: Source, far: readonly number[]): Promise<void> {
  const places = await placesAt(film, far);
  await withSystem('none', async (system, data) => {
    const media = await storeClient(system, data);
    const { video, stream } = await uploadAndOpen(system, film);
    await untilStatus(video, ({ state }) => state === 'ready');
    for (const place of places) {
      const { first, enough } = await seek(media, stream, place.index, enoughOf(film));
      note(SEEK_ALONE, first, place);
      note(SEEK_ALONE_ENOUGH, enough, place);
    }
  });
}

async function onPage(source: Source): Promise<{ sinceUpload: number; sinceChosen: number; start: Place }> {
  const start = await placeAt(source, 0);
  const seconds = await withSystem('all', ({ baseUrl }) =>
    withPage((page) => firstPictureOnPage(page, baseUrl, source.path)),
  );
  return { ...seconds, start };
}

/** Call this while no system runs, right before starting one: no machine keeps its speed. */
function bare({ path, plan }: Source, indexes: readonly number[]): Promise<number> {
  return bareSeconds(path, plan, indexes, join(directory.path, 'bare'));
}

async function placeAt(source: Source, index: number): Promise<Place> {
  return { index, bareSeconds: await bare(source, [index]) };
}

async function placesAt(source: Source, indexes: readonly number[]): Promise<Place[]> {
  const places: Place[] = [];
  for (const index of indexes) places.push(await placeAt(source, index));
  return places;
}

function enoughOf({ plan }: Source): number {
  return segmentsIn(plan, ENOUGH_SECONDS);
}

function note(row: string, seconds: number, { bareSeconds }: Pick<Place, 'bareSeconds'>): void {
  rows.set(row, [...(rows.get(row) ?? []), { seconds, bareSeconds }]);
}

/** @returns the seconds from the store's answer to the upload until the first segments are here */
async function uploadAndOpen(
  system: System,
  film: Source,
): Promise<{ video: Granted; stream: FirstStream; seconds: Seek }> {
  const video = await uploadFile(system, film.path);
  const begun = performance.now();
  const stream = await openFirst(video.playbackUrl);
  const opened = (performance.now() - begun) / 1000;
  const { first, enough } = await fetchFrom(stream, 0, enoughOf(film));
  return { video, stream, seconds: { first: opened + first, enough: opened + enough } };
}

/** @throws Error where the prewarm is over */
async function untilPrewarmEncodes(video: Granted, data: string): Promise<void> {
  while (!(await isEncodedInBackground(data))) {
    const { state } = await statusOf(video);
    if (state !== 'processing') throw new Error(`The video is ${state} already: the film is too short.`);
    await sleep(50);
  }
}

/** Starts a system with an empty data directory, and removes both afterwards. */
async function withSystem<T>(
  prewarm: 'all' | 'none',
  use: (system: System, data: string) => Promise<T>,
): Promise<T> {
  const data = join(directory.path, 'data');
  const system = await startSystem(data, { PREWARM: prewarm, REHEARSAL: 'on' });
  try {
    await untilRehearsed(data);
    return await use(system, data);
  } finally {
    await system.stop();
    await rm(data, { recursive: true });
  }
}

/** Nobody uploads in the first seconds of a server's life. */
async function untilRehearsed(data: string): Promise<void> {
  while ((await readdir(data)).includes('rehearsal')) await sleep(50);
}

async function withPage<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const browser = await openBrowser();
  try {
    return await use(await browser.newPage());
  } finally {
    await browser.close();
  }
}

async function usualWay({ path, plan }: Source, seconds: number): Promise<number> {
  const timed = Math.min(seconds, TIMED_SECONDS);
  const begun = performance.now();
  await encodeTheUsualWay(path, plan, join(directory.path, 'usual'), { effort: 'quick', seconds: timed });
  return ((performance.now() - begun) / 1000) * (seconds / timed);
}
