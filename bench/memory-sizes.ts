// How much memory should a function of AWS have? More memory is more processor, which somebody who waits notices, and which
// costs the more, the less of it is used. What a viewer waits for and a chunk of the prewarm, on one processor and on two.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { valueOf } from '../core/fraction.ts';
import type { Effort, Plan } from '../core/plan/plan.ts';
import { segmentCount } from '../core/plan/grid.ts';
import { mainTrack, openingRenditions } from '../core/plan/plan.ts';
import { AWS_PRICES } from '../core/work/prices.ts';
import { withRangeServer } from '../machine/range-server.ts';
import { encode } from '../pipeline/encode/encode.ts';
import { binaries, ffmpeg, fileSource, temporaryDirectory } from '../test/support/media.ts';
import { planOfFile } from './support/bare-commands.ts';
import { median } from './support/figures.ts';

const RUNS = 5;
const SECONDS = 12;
const CHUNK_SEGMENTS = 4;

/** Lambda gives one processor for each 1,769 MB. Source: AWS, "Configure Lambda function memory". */
const SIZES = [
  { processors: 1, megabytes: 1769 },
  { processors: 2, megabytes: 3538 },
];

interface Job {
  name: string;
  renditions: string[];
  from: number;
  to: number;
  effort: Effort;
}

const [, , source, jobText] = process.argv;
if (source && jobText) await runJob(source, JSON.parse(jobText) as Job);
else await compare();

async function compare(): Promise<void> {
  const directory = await temporaryDirectory();
  try {
    const path = join(directory.path, 'film.mp4');
    await ffmpeg(
      ...['-f', 'lavfi', '-i', `testsrc2=s=1920x1080:r=30:d=${SECONDS},noise=alls=8:allf=t`],
      ...['-f', 'lavfi', '-i', `sine=440:r=48000:d=${SECONDS}`, '-c:v', 'libx264', '-preset', 'ultrafast'],
      ...['-b:v', '8M', '-g', '60', '-pix_fmt', 'yuv420p', '-c:a', 'aac', path],
    );
    console.log(`source: ${SECONDS} s of 1080p30 with noise; medians of ${RUNS} runs, and the longest`);
    for (const job of jobsFor(await planOfFile(path))) {
      const taken = new Map<number, number[]>(SIZES.map(({ processors }) => [processors, []]));
      for (let run = 0; run < RUNS; run += 1) {
        // By turns, so that what else the machine does meets all of them.
        for (const { processors } of SIZES) {
          taken.get(processors)!.push(await secondsOn(processors, path, job));
        }
      }
      for (const { processors, megabytes } of SIZES) {
        const seconds = median(taken.get(processors)!);
        const dollars = seconds * (megabytes / 1024) * AWS_PRICES.lambdaPerGigabyteSecond;
        console.log(
          [
            job.name.padEnd(40),
            `${megabytes} MB`,
            `${seconds.toFixed(2)} s (${Math.max(...taken.get(processors)!).toFixed(2)})`,
            `$${(dollars * 1000).toFixed(3)} per thousand`,
          ].join('  '),
        );
      }
    }
  } finally {
    await directory.remove();
  }
}

function jobsFor(plan: Plan): Job[] {
  const first = openingRenditions(plan)[0]!.name;
  const highest = plan.renditions.find((rendition) => rendition.track === mainTrack(plan, 'video')!.id)!.name;
  const middle = Math.floor(segmentCount(plan.grid) / 2);
  const to = Math.min(segmentCount(plan.grid), CHUNK_SEGMENTS);
  const chunkSeconds = (to * plan.grid.segmentFrames) / valueOf(plan.grid.frameRate);
  return [
    {
      name: `viewer: a segment of ${first}`,
      renditions: [first],
      from: middle,
      to: middle + 1,
      effort: 'quick',
    },
    {
      name: `viewer: a segment of ${highest}`,
      renditions: [highest],
      from: middle,
      to: middle + 1,
      effort: 'quick',
    },
    {
      name: `prewarm: ${chunkSeconds.toFixed(0)} s of all renditions`,
      renditions: plan.prewarm,
      from: 0,
      to,
      effort: plan.prewarmEffort,
    },
  ];
}

/** In a process of its own, whose encoders have no more processors than it. */
async function secondsOn(processors: number, path: string, job: Job): Promise<number> {
  const cores = Array.from({ length: processors }, (_, core) => core).join();
  const child = spawn(
    'taskset',
    ['-c', cores, process.execPath, fileURLToPath(import.meta.url), path, JSON.stringify(job)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${job.name}: exited with ${code}`);
  return Number(printed);
}

/** Prints the seconds of the second time, as of a function that is warm. */
async function runJob(path: string, job: Job): Promise<void> {
  const directory = await temporaryDirectory();
  try {
    const plan = await planOfFile(path);
    await withRangeServer(await fileSource(path), async ({ url }) => {
      const tools = { binaries, temporaryDirectory: directory.path };
      let begun = 0;
      for (let time = 0; time < 2; time += 1) {
        begun = performance.now();
        for await (const segment of encode({ ...job, plan, sourceUrl: url }, tools)) {
          void segment;
        }
      }
      console.log((performance.now() - begun) / 1000);
    });
  } finally {
    await directory.remove();
  }
}
