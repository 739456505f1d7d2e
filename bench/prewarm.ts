// What does a complete prewarm cost in CPU time, against one ffmpeg process that makes the same ladder in one go? And how
// much memory does our own process need while a large file is uploaded and played?

import { join } from 'node:path';
import { s3Store } from '../adapters/s3-store.ts';
import type { Plan } from '../core/plan/plan.ts';
import { currentPlanOf } from '../pipeline/revisions/revisions.ts';
import { bytesAt, renditionsAt } from '../test/support/hls.ts';
import { temporaryDirectory } from '../test/support/media.ts';
import { startSystem, storeClient, untilStatus, uploadFile } from '../test/support/system.ts';
import { median } from './support/figures.ts';
import { cpuSeconds, peakMegabytes } from './support/processes.ts';
import { cut, megabytes, minuteOfFilm, repeated } from './support/sources.ts';
import { encodeTheUsualWay } from './support/usual-way.ts';

const RUNS = 3;
const LARGE_MEGABYTES = 600;

const directory = await temporaryDirectory();
try {
  const minute = await minuteOfFilm(directory.path);
  const film = await repeated(minute, 3, join(directory.path, 'film.mp4'));
  console.log(`source: 3 minutes of 720p at 30 fps, ${(await megabytes(film)).toFixed(0)} MB; ${RUNS} runs`);
  const ratios: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { ours, plan } = await prewarmed(film, join(directory.path, `data-${run}`));
    const before = await cpuSeconds('self');
    await encodeTheUsualWay(film, plan, join(directory.path, `usual-${run}`), {
      effort: plan.prewarmEffort,
    });
    const usual = (await cpuSeconds('self')) - before;
    ratios.push(ours / usual);
    console.log(
      `prewarm ${ours.toFixed(1)} CPU s, one process ${usual.toFixed(1)} CPU s: ${(ours / usual).toFixed(3)}`,
    );
  }
  console.log(`prewarm / one process: ${median(ratios).toFixed(3)} (median; wanted: at most 1.05)`);

  for (const [name, source] of [
    ['10 s', await cut(minute, 10, join(directory.path, 'clip.mp4'))],
    ['large', await large(minute, join(directory.path, 'large.mp4'))],
  ] as const) {
    const peak = await memoryWhilePlayed(source, join(directory.path, `memory-${name}`));
    const size = (await megabytes(source)).toFixed(0);
    console.log(
      `memory, ${name} file of ${size} MB uploaded and played: peak ${peak.toFixed(0)} MB (wanted: at most 250)`,
    );
  }
} finally {
  await directory.remove();
}

/** CPU seconds from the upload to ready, of our process and all of its encoders. */
async function prewarmed(source: string, data: string): Promise<{ ours: number; plan: Plan }> {
  const system = await startSystem(data);
  try {
    const before = await cpuSeconds(system.process.pid!);
    const video = await uploadFile(system, source);
    // As often as the page looks.
    await untilStatus(video, ({ state }) => state === 'ready', 1000);
    const ours = (await cpuSeconds(system.process.pid!)) - before;
    const client = await storeClient(system, data);
    const plan = await currentPlanOf(video.id, s3Store(client, 'instant-hls-media'));
    return { ours, plan: plan! };
  } finally {
    await system.stop();
  }
}

async function large(minute: string, path: string): Promise<string> {
  return repeated(minute, Math.ceil(LARGE_MEGABYTES / (await megabytes(minute))), path);
}

async function memoryWhilePlayed(source: string, data: string): Promise<number> {
  const system = await startSystem(data);
  try {
    const video = await uploadFile(system, source);
    for (const { segments } of (await renditionsAt(video.playbackUrl)).values()) {
      for (const { url } of segments.filter((_, index) => index % Math.ceil(segments.length / 5) === 0)) {
        await bytesAt(url);
      }
    }
    return await peakMegabytes(system.process.pid!);
  } finally {
    await system.stop();
  }
}
