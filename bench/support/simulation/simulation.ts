// An account at work: uploads come, are planned and queued, workers make them, viewers seek. By a virtual clock, with the
// admission rules and work lists of the project itself, and by the figures of parameters.ts.

import { segmentCount } from '../../../core/plan/grid.ts';
import type { Plan } from '../../../core/plan/plan.ts';
import type { QueuedList, RunningItem } from '../../../core/records/queue.ts';
import type { Work } from '../../../core/records/work.ts';
import { called, enqueued, recovered } from '../../../core/work/admission.ts';
import type { Call, NewList, Outcome } from '../../../core/work/admission.ts';
import { STORING_SECONDS } from '../../../core/work/deadlines.ts';
import { cpuSecondsBeforeItem, cpuSecondsOfItem, cpuSecondsOfWork } from '../../../core/work/cpu-seconds.ts';
import { AWS_PRICES } from '../../../core/work/prices.ts';
import { prewarmedArtifacts, workFor } from '../../../core/work/work.ts';
import { randomNumbers } from '../../../test/support/random-numbers.ts';
import type { AdmissionCost } from './admission-cost.ts';
import { occupiedLanes } from './occupied-lanes.ts';
import type { LaneFacts } from './occupied-lanes.ts';
import {
  DEATHS_SHARE,
  EVENT,
  KEYS_PER_PAGE,
  LISTINGS_OF_END,
  OPENING,
  PLAYER_PAUSES_SECONDS,
  POSTER_SECONDS,
  QUEUED_CALLS,
  READS_PER_CHUNK,
  REQUESTS_BEFORE_ITEM,
  REQUESTS_OF_END,
  REQUESTS_OF_INGEST,
  RESUME_SECONDS,
  SANDBOX_ATTEMPTS,
  SANDBOX_PROCESSORS,
  SDK_PAUSE_SECONDS,
  SEGMENT,
  STORE,
  STRAGGLERS,
  WORKER,
} from './parameters.ts';
import type { FunctionName } from './parameters.ts';
import { Throttled, secondsOf, simulatedAccount } from './account.ts';
import type { Want } from './account.ts';
import { dollarsOfQueue, simulatedQueue, storeLatency } from './queue.ts';
import type { QueueFacts } from './queue.ts';
import { dateAt, execution } from './worker.ts';
import { virtualClock } from './virtual-clock.ts';

/** What is uploaded. */
export interface Upload {
  plan: Plan;
  /** What it is called in the results: `film`, `clip`. */
  kind: string;
  group: string;
  atSeconds: number;
  /** In the queue from the beginning: it was planned before. */
  isQueued?: boolean;
}

export interface Scenario {
  executions: number;
  /** Of the workers (core/work/lanes.ts). */
  lanes: readonly number[];
  uploads: readonly Upload[];
  /** How often a viewer seeks to what nobody has made. */
  seeksPerMinute: number;
  /** When to look no more; otherwise when all is ready. */
  untilSeconds?: number;
  /** Where the videos of one kind are all that is waited for. */
  awaits?: string;
  /** Without stragglers, and without sandboxes that die. */
  isLucky?: boolean;
  /** With `sandboxIsolation=none`: machines serve all videos. */
  isShared?: boolean;
  cost: AdmissionCost;
  seed: string;
}

export interface Video {
  kind: string;
  group: string;
  uploadedAt: number;
  queuedAt: number | undefined;
  readyAt: number | undefined;
  /** Why it never will be. */
  lostBy: string | undefined;
}

/** Seconds. */
export type SeekWait = Readonly<Record<Want, number>>;
export const secondsWaited = ({ executions, machines, growth }: SeekWait): number =>
  executions + machines + growth;

export interface Result {
  videos: readonly Video[];
  seconds: number;
  lanes: LaneFacts;
  /** How long each viewer's request was refused, until there were two executions for it: by what there was not. */
  seekWaits: readonly SeekWait[];
  /** From the request to the answer. */
  seekSeconds: readonly number[];
  /** How long uploads' events were refused an execution. */
  ingestWaits: readonly number[];
  refused: Readonly<Record<Want, number>>;
  queue: QueueFacts;
  /** Of each item that was made, by how it ended. */
  outcomes: ReadonlyMap<string, number>;
  /** Seconds of the longest item. */
  longestItemSeconds: number;
  dollars: number;
}

export async function simulated(scenario: Scenario): Promise<Result> {
  const {
    executions,
    lanes,
    uploads,
    seeksPerMinute,
    untilSeconds = Infinity,
    cost,
    seed,
    isLucky,
    isShared,
  } = scenario;
  const random = randomNumbers(seed);
  const clock = virtualClock();
  const account = simulatedAccount(executions, { clock, random });
  const laneCount = lanes.reduce((sum, each) => sum + each, 0);
  const occupied = occupiedLanes(laneCount, clock.now);
  const latency = storeLatency(random);
  const queue = simulatedQueue({ clock, latency, cost, random, changed: occupied.changed });
  const outcomes = new Map<string, number>();
  /** By upload. */
  const workOf = new Map<number, Work[]>();
  let [transitions, otherDollars, longestItemSeconds, callers] = [0, 0, 0, 0];
  const [seekSeconds, ingestWaits]: [number[], number[]] = [[], []];
  const seekWaits: SeekWait[] = [];

  const videos = uploads.map(({ kind, group, atSeconds, isQueued }): Video => {
    const queuedAt = isQueued ? 0 : undefined;
    return { kind, group, uploadedAt: atSeconds, queuedAt, readyAt: undefined, lostBy: undefined };
  });
  const worker = {
    ...{ clock, queue, account, random, make, callSeconds: WORKER.callSeconds },
    transition: () => void (transitions += 1),
  };

  const uploadOf = ({ id }: { id: string }): number => Number(id);
  const get = (requests: number) =>
    Array.from({ length: requests }, () => secondsOf(STORE.get, random)).reduce((a, b) => a + b, 0);

  /** As pipeline/life/ingest.ts and pipeline/prewarm/queue-work.ts have it. */
  function listOf(index: number, isEmpty: boolean): NewList {
    const { plan, group } = uploads[index]!;
    const work = workFor('', plan, { lanes: laneCount, isEmpty });
    workOf.set(index, work);
    const secondsPerItem = cpuSecondsOfWork(plan, work) / work.length;
    return { id: String(index), rev: 'r', group, count: work.length, secondsPerItem };
  }

  /** As `change` of pipeline/prewarm/queue.ts. */
  async function callWorkers(...lists: NewList[]): Promise<void> {
    const by = `caller ${(callers += 1)}`;
    let calls: Call[] = [];
    await queue.update((before) => {
      const now = dateAt(clock.now());
      const known = recovered(before, now);
      const wanted = lists.reduce((longer, list) => enqueued(longer, list, now), known);
      const after = called(wanted, { lanes, by, now });
      ({ calls } = after);
      return wanted === before && calls.length === 0 ? undefined : after.queue;
    }, 1);
    for (const call of calls) void execution(call, by, lanes[call.worker]!, worker);
  }

  async function make(
    item: RunningItem,
    list: QueuedList | undefined,
    secondsLeft: number,
  ): Promise<Outcome> {
    const index = uploadOf(item);
    const begunAt = clock.now();
    occupied.takes(item.group);
    const outcome = await outcomeOf(index, item, list, secondsLeft);
    occupied.leaves(item.group);
    longestItemSeconds = Math.max(longestItemSeconds, clock.now() - begunAt);
    const name = typeof outcome === 'string' ? outcome : 'failed';
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
    return outcome;
  }

  /** Of items that were cut off, the segments that are stored. */
  const made = new Map<string, number>();

  async function outcomeOf(
    index: number,
    item: RunningItem,
    list: QueuedList | undefined,
    secondsLeft: number,
  ): Promise<Outcome> {
    const { plan } = uploads[index]!;
    const endsAt = clock.now() + secondsLeft - STORING_SECONDS;
    await clock.sleep(get(REQUESTS_BEFORE_ITEM));
    if (list && item.index === list.count) return ended(index, list);
    const work = workOf.get(index)![item.index]!;
    const name = `${index} ${item.index}`;
    const count = work.what.kind === 'chunk' ? work.what.to - work.what.from : 1;
    const before = made.get(name) ?? 0;
    const [beginning, whole] = [
      cpuSecondsBeforeItem(plan, work) / SANDBOX_PROCESSORS,
      secondsOfItem(plan, work),
    ];
    const own = beginning + ((whole - beginning) * (count - before)) / count;
    const isStraggler = random() < STRAGGLERS.share && !isLucky;
    const times = isStraggler ? STRAGGLERS.least + random() * (STRAGGLERS.most - STRAGGLERS.least) : 1;
    const dies = random() < DEATHS_SHARE && !isLucky;
    otherDollars += dollarsOfItem(plan, work);
    try {
      const seconds = own * times * (dies ? random() : 1);
      const encoded = await inSandbox('prewarmSandbox', index, SANDBOX_ATTEMPTS.prewarm, async () => {
        const given = Math.min(seconds, Math.max(0, endsAt - clock.now()));
        await clock.sleep(given);
        return given;
      });
      if (encoded < seconds) {
        const encoding = Math.max(0, encoded - beginning * times) / ((own - beginning) * times);
        const segments = Math.floor((count - before) * encoding);
        if (segments === 0) return 'unbegun';
        made.set(name, before + segments);
        return 'partly';
      }
      return dies ? { failed: 'TOOL_UNAVAILABLE' } : 'done';
    } catch (error) {
      if (error instanceof Throttled) return 'busy';
      throw error;
    }
  }

  async function ended(index: number, { givenUp }: QueuedList): Promise<Outcome> {
    const pages = Math.ceil(prewarmedArtifacts(uploads[index]!.plan).length / KEYS_PER_PAGE);
    await clock.sleep(get(REQUESTS_OF_END));
    for (let page = 0; page < pages * LISTINGS_OF_END; page += 1) {
      await clock.sleep(secondsOf(STORE.page, random));
    }
    const video = videos[index]!;
    if (givenUp.length > 0) video.lostBy = `an item that failed with ${givenUp[0]}`;
    else video.readyAt ??= clock.now();
    return 'done';
  }

  /** @throws Throttled, after as many attempts as its client makes */
  async function inSandbox<T>(
    name: FunctionName,
    index: number,
    attempts: number,
    work: () => Promise<T>,
    waits: (want: Want, seconds: number) => void = () => undefined,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await account.invoke(name, isShared ? '' : String(index), work);
      } catch (error) {
        if (!(error instanceof Throttled) || attempt === attempts) throw error;
        const pauseSeconds = random() * SDK_PAUSE_SECONDS * 2 ** (attempt - 1);
        waits(error.want, pauseSeconds);
        await clock.sleep(pauseSeconds);
      }
    }
  }

  async function upload(index: number): Promise<void> {
    await clock.sleep(uploads[index]!.atSeconds);
    await clock.sleep(secondsOf(EVENT, random));
    const video = videos[index]!;
    const isAsked = await asynchronously('ingest', async (refusedSeconds) => {
      ingestWaits.push(refusedSeconds);
      await ingest(index);
    });
    if (!isAsked) video.lostBy = 'three failures of ingest in a row';
  }

  async function ingest(index: number): Promise<void> {
    try {
      const opening = () => clock.sleep(secondsOf(OPENING, random));
      await inSandbox('sandbox', index, SANDBOX_ATTEMPTS.viewers, opening);
      await clock.sleep(get(REQUESTS_OF_INGEST));
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      // It is noted as delayed, and taken up when somebody next looks.
      void clock
        .sleep(RESUME_SECONDS - (clock.now() % RESUME_SECONDS))
        .then(() => asynchronously('maintenance', () => ingest(index)));
      return;
    }
    await callWorkers(listOf(index, queue.stored().lists.length === 0));
    videos[index]!.queuedAt ??= clock.now();
    await inSandbox('sandbox', index, SANDBOX_ATTEMPTS.viewers, () => clock.sleep(POSTER_SECONDS)).catch(
      () => undefined, // left to the prewarm
    );
  }

  /** As Lambda's own queue does it. Whether it went well in the end. */
  async function asynchronously(
    name: FunctionName,
    work: (refusedSeconds: number) => Promise<void>,
  ): Promise<boolean> {
    const askedAt = clock.now();
    let [throttles, failures] = [0, 0];
    for (;;) {
      const refusedSeconds = clock.now() - askedAt;
      try {
        await account.invoke(name, '', () => work(refusedSeconds));
        return true;
      } catch (error) {
        const { throttled, failed } = QUEUED_CALLS;
        if (error instanceof Throttled) {
          await clock.sleep(Math.min(throttled.longest, throttled.first * 2 ** throttles));
          throttles += 1;
        } else {
          if (failures >= failed.length) return false;
          await clock.sleep(failed[failures]!);
          failures += 1;
        }
      }
    }
  }

  async function seek(index: number): Promise<void> {
    const askedAt = clock.now();
    const waited = { executions: 0, machines: 0, growth: 0 };
    const waits = (want: Want, seconds: number) => void (waited[want] += seconds);
    const segment = async () => {
      seekWaits.push(waited);
      await clock.sleep(secondsOf(SEGMENT, random));
    };
    for (let attempt = 0; ; attempt += 1) {
      try {
        await account.invoke('origin', '', () =>
          inSandbox('sandbox', index, SANDBOX_ATTEMPTS.viewers, segment, waits),
        );
        seekSeconds.push(clock.now() - askedAt);
        return;
      } catch (error) {
        if (!(error instanceof Throttled)) throw error;
        const pauseSeconds = PLAYER_PAUSES_SECONDS[attempt] ?? PLAYER_PAUSES_SECONDS.at(-1)!;
        waits(error.want, pauseSeconds);
        await clock.sleep(pauseSeconds);
      }
    }
  }

  async function viewers(): Promise<void> {
    while (seeksPerMinute > 0) {
      await clock.sleep((-Math.log(1 - random()) * 60) / seeksPerMinute);
      // Of what came last, as most are.
      const shown = videos.flatMap(({ uploadedAt }, index) => (uploadedAt <= clock.now() ? [index] : []));
      const watched = shown.at(-1 - Math.floor(random() ** 2 * shown.length));
      if (watched === undefined) continue;
      void seek(watched);
    }
  }

  async function resumes(): Promise<void> {
    for (;;) {
      await clock.sleep(RESUME_SECONDS);
      await asynchronously('maintenance', () => callWorkers());
    }
  }

  const isOpen = ({ kind, readyAt, lostBy }: Video) =>
    (scenario.awaits ?? kind) === kind && readyAt === undefined && lostBy === undefined;
  let firstOpen = 0;
  function isOver(): boolean {
    if (clock.now() >= untilSeconds) return true;
    while (firstOpen < videos.length && !isOpen(videos[firstOpen]!)) firstOpen += 1;
    return firstOpen === videos.length;
  }

  uploads.forEach(({ isQueued }, index) => {
    if (!isQueued) void upload(index);
  });
  void callWorkers(...uploads.flatMap(({ isQueued }, index) => (isQueued ? [listOf(index, false)] : [])));
  void viewers();
  void resumes();
  await clock.run(isOver);

  return {
    ...{ videos, seconds: clock.now(), lanes: occupied.facts() },
    ...{ seekWaits, seekSeconds, ingestWaits },
    ...{ refused: account.refused(), queue: queue.facts(), outcomes, longestItemSeconds },
    dollars:
      account.dollars() +
      otherDollars +
      dollarsOfQueue(queue.facts()) +
      transitions * AWS_PRICES.stepFunctionsPerTransition,
  };
}

/** Of a sandbox; stragglers left out. */
export const secondsOfItem = (plan: Plan, item: Work): number =>
  cpuSecondsOfItem(plan, item) / SANDBOX_PROCESSORS;

/** Requests of S3, as core/work/cost.ts reckons them. */
function dollarsOfItem(plan: Plan, { what }: Work): number {
  const reads = READS_PER_CHUNK * AWS_PRICES.s3PerGet;
  if (what.kind !== 'chunk') return reads;
  const objects = plan.prewarm.length * (Math.min(what.to, segmentCount(plan.grid)) - what.from + 1);
  return reads + objects * AWS_PRICES.s3PerPut;
}
