// Does the simulation predict what is really so? Three films are made ahead of time on this machine by two workers, in one
// process, and the same lists are simulated, by what one film took on one lane.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cardKey, newVideoId, sourceKey } from '../../../core/artifacts/keys.ts';
import { CARD } from '../../../core/records/card.ts';
import type { Work } from '../../../core/records/work.ts';
import { called, enqueued } from '../../../core/work/admission.ts';
import type { Call } from '../../../core/work/admission.ts';
import { cpuSecondsOfItem, cpuSecondsOfWork } from '../../../core/work/cpu-seconds.ts';
import { workFor } from '../../../core/work/work.ts';
import type { Plan } from '../../../core/plan/plan.ts';
import { ENCODERS_IN_BACKGROUND } from '../../../machine/ffmpeg.ts';
import { waitingLine } from '../../../machine/waiting-line.ts';
import { ingest } from '../../../pipeline/life/ingest.ts';
import { enqueue } from '../../../pipeline/prewarm/queue.ts';
import { workOff } from '../../../pipeline/prewarm/worker.ts';
import { currentPlanOf, readyMarkerOf } from '../../../pipeline/revisions/revisions.ts';
import { putJson } from '../../../pipeline/store.ts';
import { ffmpeg, temporaryDirectory } from '../../../test/support/media.ts';
import { worldIn } from '../../../test/support/world.ts';
import type { TestWorld } from '../../../test/support/world.ts';
import { NO_ADMISSION_COST } from './admission-cost.ts';
import { cpuSeconds } from '../processes.ts';
import { sharedProcessors } from './shared-processors.ts';
import { simulatedQueue } from './queue.ts';
import { dateAt, workOff as simulatedWorkOff } from './worker.ts';
import { virtualClock } from './virtual-clock.ts';

const FILMS = [
  { size: '480x270', seconds: 80 },
  { size: '426x240', seconds: 66 },
  { size: '320x180', seconds: 66 },
];
/** Which one is measured by itself. */
const MEASURED = 1;
const LANES = [1, 1];
/** How far the prediction may be off. */
const WITHIN = 0.15;

/** @returns whether all that was predicted is near enough */
export async function calibrated(say: (line: string) => void): Promise<boolean> {
  const directory = await temporaryDirectory();
  try {
    const films: Buffer[] = [];
    for (const film of FILMS) films.push(await made(film, directory.path));

    const alone = async () => {
      const one = await prewarmed([films[MEASURED]!], [1], directory.path);
      const { cpuSeconds, seconds, byKind } = one;
      say(
        `one film on one lane: ${cpuSeconds.toFixed(1)} CPU s in ${seconds.toFixed(1)} s, ` +
          `of which chunks ${byKind.chunk.toFixed(1)}, stills ${byKind.stills.toFixed(1)}`,
      );
      return one;
    };
    // Before and after, as others come and go on this machine.
    const before = await alone();
    const real = await prewarmed(films, LANES, directory.path);
    const after = await alone();
    const [plan] = before.plans;
    // Stills are decoded, chunks are encoded: what one takes says little of the other.
    const [chunk, stills] = (['chunk', 'stills'] as const).map(
      (kind) => (factorOf(before, plan!, kind) + factorOf(after, plan!, kind)) / 2,
    ) as [number, number];
    const factors = { chunk, stills };
    say(`a chunk takes ${chunk.toFixed(2)} of what is reckoned, stills ${stills.toFixed(2)}`);

    // Where others leave us little, a lane by itself has little; what counts is how much of that it uses.
    const share = (before.cpuSeconds + after.cpuSeconds) / (leftTo(before) + leftTo(after));
    const most = share * real.processors;
    const secondsOf = (plan: Plan, item: Work) => cpuSecondsOfItem(plan, item) * factors[item.what.kind];
    const total = real.plans.reduce(
      (sum, each) => sum + workFor('', each).reduce((all, item) => all + secondsOf(each, item), 0),
      0,
    );
    const wall = await predicted(real.plans, secondsOf, { processors: real.processors, most });
    say(
      `three films on two: ${real.processors.toFixed(2)} processors were left to us; one lane alone uses ${(100 * share).toFixed(0)} % of what is left`,
    );
    let isAllMet = true;
    for (const [what, guess, got] of [
      ['CPU seconds', total, real.cpuSeconds],
      ['seconds', wall, real.seconds],
    ] as const) {
      const ratio = guess / got;
      const isMet = Math.abs(ratio - 1) <= WITHIN;
      isAllMet &&= isMet;
      say(
        `${what}: predicted ${guess.toFixed(1)}, measured ${got.toFixed(1)}, ratio ${ratio.toFixed(2)}; ` +
          `wanted 0.85 to 1.15: ${isMet ? 'yes' : 'no'}`,
      );
    }
    return isAllMet;
  } finally {
    await directory.remove();
  }
}

/** Seconds of processors that nobody else used. */
const leftTo = ({ processors, seconds }: Prewarmed): number => processors * seconds;

/** With noise, as a camera's picture has it. */
async function made({ size, seconds }: (typeof FILMS)[number], directory: string): Promise<Buffer> {
  const path = join(directory, `${size}.mp4`);
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=30:d=${seconds},noise=alls=8:allf=t`],
    ...['-f', 'lavfi', '-i', `sine=440:r=48000:d=${seconds}`, '-c:v', 'libx264', '-preset', 'ultrafast'],
    ...['-b:v', '2500k', '-maxrate', '2500k', '-bufsize', '5000k', '-pix_fmt', 'yuv420p', '-g', '60'],
    ...['-c:a', 'aac', '-shortest', path],
  );
  return readFile(path);
}

interface Prewarmed {
  plans: Plan[];
  seconds: number;
  /** Of our process and its encoders. */
  cpuSeconds: number;
  /** Of that, what tasks of the sandbox took, by kind: to be trusted where there is one lane. */
  byKind: { chunk: number; stills: number };
  /** That nobody else used meanwhile, on average. */
  processors: number;
}

/** From when all are queued until all are ready. */
async function prewarmed(
  films: readonly Buffer[],
  lanes: readonly number[],
  directory: string,
): Promise<Prewarmed> {
  const world = worldIn(directory);
  const ids: string[] = [];
  let calls: Call[] = [];
  const call = async (each: Call) => void calls.push(each);
  for (const film of films) {
    const id = newVideoId(new Date());
    ids.push(id);
    const card = { maxBytes: 1e9, createdAt: new Date().toISOString(), sizeBytes: film.length };
    await putJson(
      world.media,
      cardKey(id),
      CARD.stored({ ...card, filename: 'film', contentType: 'video/mp4' }),
    );
    await world.uploads.put(sourceKey(id), film, { contentType: 'video/mp4' });
    await ingest(id, world, (list) => enqueue(list, world, { lanes, call }));
  }
  const byKind = { chunk: 0, stills: 0 };
  const noted = withTasksNoted(world, byKind);
  const [before, othersBefore, begunAt] = [
    await cpuSeconds('self'),
    await machineSeconds(),
    performance.now(),
  ];
  while (calls.length > 0) {
    const now = calls;
    calls = [];
    await Promise.all(
      now.map((each) => workOff(each, noted, { lanes: lanes[each.worker]!, isBusy: () => false })),
    );
  }
  const seconds = (performance.now() - begunAt) / 1000;
  const own = (await cpuSeconds('self')) - before;
  const machine = await machineSeconds();
  const plans = await Promise.all(
    ids.map(async (id) => {
      const plan = (await currentPlanOf(id, world.media))!;
      if (!(await readyMarkerOf(id, plan.rev, world.media))) throw new Error('a film has not become ready');
      return plan;
    }),
  );
  return {
    ...{ plans, seconds, cpuSeconds: own, byKind },
    processors: (machine.idle - othersBefore.idle + own) / seconds,
  };
}

/** What each kind of task takes, of our process and its children. */
const withTasksNoted = (world: TestWorld, byKind: Prewarmed['byKind']): TestWorld => ({
  ...world,
  sandbox: {
    async run(task, ...rest) {
      const before = await cpuSeconds('self');
      await world.sandbox.run(task, ...rest);
      byKind[task.kind === 'segments' ? 'chunk' : 'stills'] += (await cpuSeconds('self')) - before;
    },
  },
});

/** What a kind of item takes, for each CPU second that is reckoned for it; what is done around the tasks is part of it. */
function factorOf({ byKind, cpuSeconds }: Prewarmed, plan: Plan, kind: 'chunk' | 'stills'): number {
  const items = workFor('', plan).filter(({ what }) => what.kind === kind);
  const whole = cpuSeconds / (byKind.chunk + byKind.stills);
  return (whole * byKind[kind]) / items.reduce((sum, item) => sum + cpuSecondsOfItem(plan, item), 0);
}

/** Seconds of all processors in which nobody ran. */
async function machineSeconds(): Promise<{ idle: number }> {
  const [first] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const ticks = first!.split(/\s+/).slice(1).map(Number);
  return { idle: (ticks[3]! + ticks[4]!) / 100 };
}

/** The same lists, by the same rules, on processors that the lanes share, where encoders wait in line as on one machine. */
async function predicted(
  plans: readonly Plan[],
  secondsOf: (plan: Plan, item: Work) => number,
  { processors, most }: { processors: number; most: number },
): Promise<number> {
  const clock = virtualClock();
  const machine = sharedProcessors(processors, most, clock);
  const queue = simulatedQueue({
    ...{ clock, cost: NO_ADMISSION_COST, random: () => 0, changed: () => undefined },
    latency: { get: () => 0, put: () => 0 },
  });
  let calls: Call[] = [];
  await Promise.all([
    queue.update((before) => {
      const now = dateAt(0);
      const all = plans.reduce((longer, plan, index) => {
        const work = workFor('', plan);
        const secondsPerItem = cpuSecondsOfWork(plan, work) / work.length;
        const list = { id: String(index), rev: 'r', group: '', count: work.length, secondsPerItem };
        return enqueued(longer, list, now);
      }, before);
      const after = called(all, { lanes: LANES, by: 'c', now });
      ({ calls } = after);
      return after.queue;
    }, 1),
    clock.run(() => false),
  ]);
  const lines = {
    chunk: waitingLine(ENCODERS_IN_BACKGROUND),
    stills: waitingLine(ENCODERS_IN_BACKGROUND),
  };
  let working = calls.length;
  for (const call of calls) {
    void simulatedWorkOff(call, `worker ${call.worker}`, LANES[call.worker]!, {
      ...{ clock, queue, callSeconds: Infinity },
      async make(item) {
        const plan = plans[Number(item.id)]!;
        const work = workFor('', plan)[item.index];
        if (work) await lines[work.what.kind].through(() => machine.work(secondsOf(plan, work)));
        return 'done';
      },
    }).then(() => (working -= 1));
  }
  await clock.run(() => working === 0);
  return clock.now();
}
