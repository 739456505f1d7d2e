// What becomes of many viewers at once: a hundred at places of a film that nobody has encoded, thirty who change their
// minds; and how much memory the server takes as it derives thousands of segments.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendantsOf, isEncoder } from '../test/support/descendants.ts';
import { bytesAt, renditionsAt } from '../test/support/hls.ts';
import type { Rendition } from '../test/support/hls.ts';
import { temporaryDirectory } from '../test/support/media.ts';
import { startSystem, untilStatus, uploadFile } from '../test/support/system.ts';
import type { System } from '../test/support/system.ts';
import { fetchSegments, openFirst } from './support/as-a-player.ts';
import type { FirstStream } from './support/as-a-player.ts';
import { longFilm } from './support/fault-sources.ts';
import { median } from './support/figures.ts';
import { residentMegabytes } from './support/processes.ts';
import { giveUpSeeks } from './support/seeks.ts';
import { minuteOfFilm, repeated } from './support/sources.ts';

const VIEWERS = 100;
const SEGMENTS_EACH = 5;
const IMPATIENT = 30;
const ABORTED_SEEKS = 5;
const ABORTED_AFTER_MS = 200;
const FILM_MINUTES = 90;
const MEMORY_AFTER = [1000, 2000, 3000];
/** Of those that ask for cheap segments, only to see what is left behind. */
const ASKING_AT_ONCE = 4;

const directory = await temporaryDirectory();
try {
  const minute = await minuteOfFilm(directory.path);
  const film = await repeated(minute, FILM_MINUTES, join(directory.path, 'film.mp4'));
  console.log(`film: ${FILM_MINUTES} minutes of 720p, never encoded; ${availableParallelism()} cores`);
  await crowd(film);
  await impatient(film);
  await memory(await longFilm(directory.path, MEMORY_AFTER.at(-1)!));
} finally {
  await directory.remove();
}

async function crowd(film: string): Promise<void> {
  await watched(film, async (stream, system) => {
    const places = spread(stream, VIEWERS);
    const waits: number[] = [];
    let failures = 0;
    const seen = await observed(system, () =>
      together(places, async (place) => {
        for (let index = place; index < place + SEGMENTS_EACH; index += 1) {
          const begun = performance.now();
          await fetchSegments(stream, index).catch(() => (failures += 1));
          waits.push((performance.now() - begun) / 1000);
        }
      }),
    );
    console.log(
      [
        `${VIEWERS} viewers, ${SEGMENTS_EACH} segments each: ${failures} failures`,
        `at most ${seen.encoders} ffmpeg processes (wanted: ${availableParallelism() + 2})`,
        `${seen.megabytes.toFixed(0)} MB with them (wanted: 1000)`,
        `health after ${seen.healthMs.toFixed(0)} ms at most (wanted: 1000)`,
        `a wait of ${median(waits).toFixed(1)} s in the median, ${Math.max(...waits).toFixed(1)} at most`,
      ].join('; '),
    );
  });
}

async function impatient(film: string): Promise<void> {
  const waitsOf = (aborted: number): Promise<number> =>
    watched(film, async (stream) => {
      const places = spread(stream, IMPATIENT * (aborted + 1));
      const waits: number[] = [];
      await together(Array.from({ length: IMPATIENT }), async (_, viewer) => {
        const own = places.slice(viewer * (aborted + 1), (viewer + 1) * (aborted + 1));
        await giveUpSeeks(stream, own.slice(0, -1), ABORTED_AFTER_MS);
        const begun = performance.now();
        await fetchSegments(stream, own.at(-1)!);
        waits.push((performance.now() - begun) / 1000);
      });
      return median(waits);
    });
  const [patient, changing] = [await waitsOf(0), await waitsOf(ABORTED_SEEKS)];
  console.log(
    `${IMPATIENT} viewers: a wait of ${patient.toFixed(1)} s in the median; after ${ABORTED_SEEKS} aborted seeks each, ${changing.toFixed(1)} s: ${(changing / patient).toFixed(2)} times`,
  );
}

async function memory(film: string): Promise<void> {
  const system = await startSystem(join(directory.path, 'memory'), { PREWARM: 'none' });
  try {
    const video = await uploadFile(system, film);
    await untilStatus(video, ({ playable }) => playable);
    const [{ segments }] = [...(await renditionsAt(video.playbackUrl)).values()] as [Rendition];
    let next = 0;
    const figures: string[] = [];
    for (const count of MEMORY_AFTER) {
      await together(Array.from({ length: ASKING_AT_ONCE }), async () => {
        while (next < count) await bytesAt(segments[next++]!.url);
      });
      figures.push(`${(await residentMegabytes(system.process.pid!)).toFixed(0)} MB after ${count}`);
    }
    console.log(
      `segments derived, and the server's memory: ${figures.join(', ')} (wanted: level, at most 300)`,
    );
  } finally {
    await system.stop();
  }
}

async function watched<T>(
  film: string,
  use: (stream: FirstStream, system: System) => Promise<T>,
): Promise<T> {
  const data = await temporaryDirectory();
  const system = await startSystem(data.path, { PREWARM: 'none' });
  try {
    const video = await uploadFile(system, film);
    await untilStatus(video, ({ state }) => state === 'ready');
    return await use(await openFirst(video.playbackUrl), system);
  } finally {
    await system.stop();
    await data.remove();
  }
}

/** Places far from each other, in an order that is not that of the film, and always the same. */
function spread({ pictures }: FirstStream, count: number): number[] {
  const apart = Math.floor((pictures.length - SEGMENTS_EACH) / count);
  if (apart < SEGMENTS_EACH) throw new Error('The film is too short.');
  const STEP = 37;
  return Array.from({ length: count }, (_, index) => 1 + ((index * STEP) % count) * apart);
}

async function together<T>(
  all: readonly T[],
  work: (each: T, index: number) => Promise<void>,
): Promise<void> {
  await Promise.all(all.map(work));
}

/** The most of each while `work` is done. */
async function observed(
  system: System,
  work: () => Promise<void>,
): Promise<{ encoders: number; megabytes: number; healthMs: number }> {
  const most = { encoders: 0, megabytes: 0, healthMs: 0 };
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      const encoders = (await descendantsOf(system.process.pid!)).filter(isEncoder);
      const pids = [system.process.pid!, ...encoders.map(({ pid }) => pid)];
      const each = await Promise.all(pids.map((pid) => residentMegabytes(pid).catch(() => 0))); // it may have ended
      most.encoders = Math.max(most.encoders, encoders.length);
      most.megabytes = Math.max(
        most.megabytes,
        each.reduce((sum, own) => sum + own, 0),
      );
      await sleep(50);
    }
  })();
  const asking = (async () => {
    while (!isOver) {
      const begun = performance.now();
      await bytesAt(`${system.baseUrl}/api/health`);
      most.healthMs = Math.max(most.healthMs, performance.now() - begun);
      await sleep(200);
    }
  })();
  await work().finally(() => (isOver = true));
  await Promise.all([looking, asking]);
  return most;
}
