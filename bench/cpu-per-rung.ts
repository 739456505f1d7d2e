// What does a second of video cost in CPU seconds, rung by rung, quickly and thoroughly? core/codecs and
// core/work/cpu-seconds.ts reckon with what this prints.
//
//   npm run bench:cpu-per-rung [-- <seconds of film> <runs>]

import { join } from 'node:path';
import { withRangeServer } from '../machine/range-server.ts';
import { valueOf } from '../core/fraction.ts';
import { planFor } from '../core/plan/plan-for.ts';
import { renditionNames, renditionsOf } from '../core/plan/plan.ts';
import type { Effort } from '../core/plan/plan.ts';
import { segmentCount } from '../core/plan/grid.ts';
import { encode } from '../pipeline/encode/encode.ts';
import { probeSource } from '../pipeline/source/probe-source.ts';
import { binaries, ffmpeg, fileSource, temporaryDirectory } from '../test/support/media.ts';
import { median } from './support/figures.ts';
import { cpuSeconds } from './support/processes.ts';

const [SECONDS = 32, RUNS = 3] = process.argv.slice(2).map(Number); // 32 s are one chunk of prewarm

const directory = await temporaryDirectory();
try {
  const source = join(directory.path, 'source.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=1920x1080:r=30:d=${SECONDS},noise=alls=8:allf=t`],
    ...['-f', 'lavfi', '-i', `sine=440:r=48000:d=${SECONDS}`],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-b:v',
      '8M',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
      source,
    ],
  );
  await withRangeServer(await fileSource(source), async (served) => {
    const { url } = served;
    const settings = { maxDurationSeconds: 3600, prewarm: 'all' } as const;
    const plan = planFor(
      await probeSource(served, binaries),
      { kind: 'upload', sizeBytes: 1, etag: '', keyframeSeconds: 2 },
      settings,
    );
    const job = { plan, from: 0, to: segmentCount(plan.grid), sourceUrl: url };
    const tools = { binaries, temporaryDirectory: directory.path };
    const framesPerSecond = valueOf(plan.grid.frameRate);

    async function costOf(renditions: string[], effort: Effort = 'quick'): Promise<number> {
      const runs: number[] = [];
      for (let run = 0; run < RUNS; run += 1) {
        const before = await cpuSeconds('self');
        for await (const segment of encode({ ...job, renditions, effort }, tools)) void segment;
        runs.push((await cpuSeconds('self')) - before);
      }
      return median(runs) / SECONDS;
    }

    const decodeOnly: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const before = await cpuSeconds('self');
      await ffmpeg('-i', source, '-map', '0:v', '-f', 'null', '-');
      decodeOnly.push((await cpuSeconds('self')) - before);
    }
    const decode = median(decodeOnly) / SECONDS;
    const decodePerMegapixel = decode / ((1920 * 1080 * framesPerSecond) / 1e6);
    console.log(`CPU seconds per second of a 1080p30 source, medians of ${RUNS}`);
    console.log(`decode      ${decode.toFixed(3)}  (${decodePerMegapixel.toFixed(5)} per megapixel)`);
    for (const { name, width, height } of renditionsOf(plan, 'video')) {
      const megapixels = (width * height * framesPerSecond) / 1e6;
      const quick = (await costOf([name])) - decode;
      const thorough = (await costOf([name], 'thorough')) - decode;
      const shown = [quick, thorough].map(
        (own) => `${own.toFixed(3)}  (${(own / megapixels).toFixed(5)} per megapixel)`,
      );
      console.log(`${name.padEnd(12)}${shown.join('  thorough ')}  ${(thorough / quick).toFixed(2)} times`);
    }
    console.log(`sound       ${(await costOf(['audio-0', 'audio-0-low'])).toFixed(3)}`);
    const [quick, thorough] = [
      await costOf(renditionNames(plan)),
      await costOf(renditionNames(plan), 'thorough'),
    ];
    console.log(`all at once ${quick.toFixed(3)}  thorough ${thorough.toFixed(3)}`);
  });
} finally {
  await directory.remove();
}
