// One round: a new system on a new store, sources sent and watched, faults between the two; then the faults end, and
// what has become of it is held against what is right. Nothing is restarted but what a scenario kills.

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { QUEUE_KEY, TOMBSTONES, parseSourceKey } from '../../core/artifacts/keys.ts';
import { descendantsOf, isEncoder, stillRunning } from '../../test/support/descendants.ts';
import type { Process } from '../../test/support/descendants.ts';
import { countByKind, faultyStore } from '../../test/support/faulty-store.ts';
import type { Fault, FaultyStore } from '../../test/support/faulty-store.ts';
import { randomNumbers } from '../../test/support/random-numbers.ts';
import { spawnS3 } from '../../test/support/s3-process.ts';
import { keyring } from '../../test/support/s3-server.ts';
import { deleteVideo, startSystem } from '../../test/support/system.ts';
import type { Granted, System } from '../../test/support/system.ts';
import { openUploads } from '../../test/support/tampering.ts';
import { keysBelow } from '../../test/support/upgrade.ts';
import type { VideoStatus } from '../../pipeline/life/video-status.ts';
import type { FaultSource } from './fault-sources.ts';
import { differences, pictureProblems, servedOf, wrongAnswers } from './fault-truth.ts';
import type { Served } from './fault-truth.ts';
import { grantUpload, sendFile } from './fault-uploads.ts';
import type { GrantedUpload } from './fault-uploads.ts';
import { startViewers } from './fault-viewers.ts';
import type { Viewers } from './fault-viewers.ts';

export const PROBLEM_KINDS = [
  'answers', // broken or wrong, to viewers
  'stuck',
  'refused', // though the file is good, or with another code
  'made', // wrong or missing artifacts of a video that is ready
  'left', // what should be gone
  'other',
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export interface Problem {
  kind: ProblemKind;
  text: string;
}

export interface Scenario {
  name: string;
  /** Of the requests to the store, from the first upload on. */
  faults?: readonly Fault[];
  /** Which sources take part, by name: all, if nothing is said. */
  isWanted?(name: string): boolean;
  environment?: Record<string, string>;
  /** Before a source is sent. */
  beforeUpload?(video: RoundVideo, round: Round): Promise<void>;
  /** What else befalls store, system and videos after the uploads; asks `isOver` now and then. */
  meanwhile?(round: Round): Promise<void>;
  /** Faults go on until there were enough of them, also where everything is ready. */
  goesOn?: boolean;
  /** Whether viewers may meet no failure at all, but for what is tolerated. */
  isStrict?: boolean;
  tolerates?(video: RoundVideo, label: string): boolean;
}

export interface RoundVideo {
  source: FaultSource;
  granted: GrantedUpload;
  /** What else its source may have become. */
  otherSource?: FaultSource;
  isDeleted?: boolean;
}

/** What a scenario can reach into. */
export interface Round {
  random(): number;
  /** Shared by all rounds of a run. */
  sources: readonly FaultSource[];
  videos: readonly RoundVideo[];
  store: FaultyStore;
  storeDirectory: string;
  /** Of the store itself, without faults. */
  client: S3Client;
  supervisor: Supervisor;
  /** How long an outage is. */
  outageSeconds: number;
  /** Counts a fault that did not come from the faulty store. */
  struck(kind: string): void;
  /** Whether there were enough faults, or nothing is left for them to meet. */
  isOver(): boolean;
  report(problem: Problem): void;
}

export interface RoundOptions {
  seed: number;
  sources: readonly FaultSource[];
  /** What is right, by the source's name; undefined for the round that finds it out. */
  truths: ReadonlyMap<string, Served> | undefined;
  /** Of faults. */
  enough: number;
  viewers: number;
  deadlineSeconds: number;
  /** A video is stuck, too, where for so long nothing is encoded, nothing is written, and nothing is to be tried later. */
  quietSeconds: number;
  outageSeconds: number;
  slowSeconds: number;
  hangSeconds: number;
  retrySeconds: number;
  directory: string;
}

export interface RoundResult {
  scenario: string;
  seed: number;
  faults: Map<string, number>;
  /** Those of them that were injected one by one, and not in an outage. */
  singleFaults: number;
  requests: number;
  answers: Map<string, number>;
  slowestAnswerSeconds: number;
  /** From the first upload until all had ended. */
  seconds: number;
  problems: Problem[];
  served: Map<string, Served>;
  /** All that the server printed. */
  output: string;
  /** Line by line, what was injected and when. */
  injected: string[];
}

export async function runRound(scenario: Scenario, options: RoundOptions): Promise<RoundResult> {
  const { seed, directory, truths } = options;
  const [dataDirectory, storeDirectory] = [join(directory, 'data'), join(directory, 'store')];
  const scratch = join(directory, 'scratch');
  await mkdir(scratch, { recursive: true });
  const behind = await spawnS3(storeDirectory);
  const store = await faultyStore({
    ...{ endpoint: behind.endpoint, seed },
    ...{ slowSeconds: options.slowSeconds, hangSeconds: options.hangSeconds },
  });
  const { region, ...credentials } = keyring;
  const client = new S3Client({ region, credentials, endpoint: behind.endpoint, forcePathStyle: true });
  const problems: Problem[] = [];
  const others = new Map<string, number>();
  const videos: RoundVideo[] = [];
  const random = randomNumbers(`${seed} ${scenario.name}`);
  const supervisor = await startSupervised(
    dataDirectory,
    {
      S3_ENDPOINT: store.endpoint,
      AWS_ACCESS_KEY_ID: keyring.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keyring.secretAccessKey,
      AWS_REGION: keyring.region,
      ...scenario.environment,
    },
    (text) => problems.push({ kind: 'other', text }),
  );
  const sources = options.sources.filter(({ name }) => scenario.isWanted?.(name) ?? true);
  const watching = watchStates(videos, problems);
  const enough = (): boolean => {
    const other = [...others.values()].reduce((sum, count) => sum + count, 0);
    return store.injected.length + other >= options.enough;
  };
  let viewers: Viewers | undefined;
  const begun = performance.now();
  const secondsSoFar = (): number => (performance.now() - begun) / 1000;
  const round: Round = {
    ...{ random, sources: options.sources, videos, store, storeDirectory, client, supervisor },
    outageSeconds: options.outageSeconds,
    struck: (kind) => void others.set(kind, (others.get(kind) ?? 0) + 1),
    isOver: () =>
      enough() || (watching.allEnded() && !scenario.goesOn) || secondsSoFar() > options.deadlineSeconds,
    report: (problem) => void problems.push(problem),
  };
  try {
    store.plan(scenario.faults ?? []);
    for (const source of sources) videos.push(await sent(source, scenario, round, options.retrySeconds));
    const watched = videos.filter(({ source }) => !source.refusal);
    viewers = startViewers(
      watched.map(({ source, granted }) => ({ name: source.name, ...granted })),
      {
        ...{ count: options.viewers, seed, retrySeconds: options.retrySeconds, pauseSeconds: 0.5 },
        isStrict: scenario.isStrict ?? false,
        tolerates: ({ id }, label) =>
          scenario.tolerates?.(
            videos.find(({ granted }) => granted.id === id)!,
            label,
          ) ?? false,
      },
    );
    if (truths) {
      await scenario.meanwhile?.(round);
      while (!round.isOver()) await sleep(100);
    }
    store.plan([]);
    await untilQuiet(round, watching, options);
    const seconds = secondsSoFar();
    await sleep(1000);
    await viewers.stop();
    watching.stop();

    const served = new Map<string, Served>();
    for (const video of videos) {
      const found = await endProblems(video, { truths, viewers, client, scratch, served });
      problems.push(
        ...found.map((problem) => ({ ...problem, text: `${video.source.name}: ${problem.text}` })),
      );
    }
    problems.push(...viewers.wrong().map((text): Problem => ({ kind: 'answers', text })));
    problems.push(...(await leftovers(round, dataDirectory, options.quietSeconds)));
    const faults = new Map<string, number>([...countByKind(store.injected), ...others]);
    const inOutages = store.injected.filter(({ isOutage }) => isOutage).length;
    const all = [...faults.values()].reduce((sum, count) => sum + count, 0);
    return {
      ...{ scenario: scenario.name, seed, faults, singleFaults: all - inOutages },
      ...{ requests: store.requests(), answers: viewers.answers },
      ...{ slowestAnswerSeconds: viewers.slowestSeconds(), seconds, problems, served },
      output: supervisor.output(),
      injected: store.injected.map(({ at, kind, request }) => `${at.toISOString()} ${kind}: ${request}`),
    };
  } finally {
    watching.stop();
    await viewers?.stop();
    await supervisor.stop();
    client.destroy();
    await store.close();
    await behind.kill();
  }
}

/** Until it is granted and sent, as a patient client does. */
async function sent(
  source: FaultSource,
  scenario: Scenario,
  round: Round,
  retrySeconds: number,
): Promise<RoundVideo> {
  for (let tries = 0; ; tries += 1) {
    try {
      const video = { source, granted: await grantUpload(round.supervisor.system(), source.path) };
      await scenario.beforeUpload?.(video, round);
      await sendFile(video.granted, source.path);
      return video;
    } catch (error) {
      if (tries === 6) throw error;
      await sleep(retrySeconds * 1000 * 2 ** tries);
    }
  }
}

/** Until all videos have ended, or nobody does anything about it any more. */
async function untilQuiet(
  { store, supervisor }: Round,
  watching: Watching,
  { deadlineSeconds, quietSeconds }: RoundOptions,
): Promise<void> {
  const begun = performance.now();
  let [lastSign, writes] = [begun, store.writes()];
  while (!watching.allEnded()) {
    await sleep(200);
    const now = performance.now();
    const isEncoding = (await descendantsOf(supervisor.system().process.pid!)).some(isEncoder);
    if (isEncoding || store.writes() > writes || watching.isAnyDelayed()) {
      [lastSign, writes] = [now, store.writes()];
    }
    if (now - lastSign > quietSeconds * 1000 || now - begun > deadlineSeconds * 1000) return;
  }
}

interface Watching {
  allEnded(): boolean;
  /** Whether it is said of one that it will be tried again. */
  isAnyDelayed(): boolean;
  stop(): void;
}

/** Looks at all states again and again. */
function watchStates(videos: readonly RoundVideo[], problems: Problem[]): Watching {
  const ended = new Set<string>();
  const delayed = new Set<string>();
  let isStopped = false;
  const look = async (): Promise<void> => {
    while (!isStopped) {
      for (const { source, granted, isDeleted } of videos.filter((video) => !ended.has(video.granted.id))) {
        const status = isDeleted ? undefined : await statusAt(granted);
        if (!isDeleted && !status) continue;
        if (status?.delayed) delayed.add(granted.id);
        else delayed.delete(granted.id);
        if (status?.delayed && !DELAYS.includes(status.delayed.code)) {
          problems.push({ kind: 'other', text: `${source.name}: delayed by ${status.delayed.code}` });
        }
        if (isDeleted || status?.state === 'ready' || status?.state === 'failed') ended.add(granted.id);
        const { code, message } = status?.error ?? {};
        if (status?.state === 'failed' && code !== source.refusal) {
          problems.push({ kind: 'refused', text: `${source.name}: ${code} ${message}` });
        }
      }
      await sleep(1000);
    }
  };
  void look();
  return {
    allEnded: () => videos.length > 0 && ended.size === videos.length,
    isAnyDelayed: () => delayed.size > 0,
    stop: () => void (isStopped = true),
  };
}

const DELAYS = ['STORE_UNAVAILABLE', 'STORAGE_FULL', 'TOOL_UNAVAILABLE', 'TIMED_OUT', 'ENCODING_FAILED'];

export type DelayableStatus = VideoStatus & { delayed?: { code: string; since: string; retryAt: string } };

/** Undefined where there is no answer, or a failure. */
async function statusAt({ statusUrl }: Granted): Promise<DelayableStatus | undefined> {
  try {
    const answer = await fetch(statusUrl, { signal: AbortSignal.timeout(60_000) });
    const body = (await answer.json()) as DelayableStatus;
    return answer.ok ? body : undefined;
  } catch {
    return undefined;
  }
}

interface Ending {
  truths: RoundOptions['truths'];
  viewers: Viewers;
  client: S3Client;
  scratch: string;
  /** Takes what is served of the video. */
  served: Map<string, Served>;
}

/** What is wrong with a video when all is said to be done. */
async function endProblems(
  video: RoundVideo,
  { truths, viewers, client, scratch, served }: Ending,
): Promise<Problem[]> {
  const { source, granted, otherSource, isDeleted } = video;
  const watched = { name: source.name, ...granted };
  const possible = [source, ...(otherSource ? [otherSource] : [])];
  const rights = possible.flatMap(({ name }) => truths?.get(name) ?? []);
  const answers = truths
    ? (await wrongAnswers(viewers.seen.get(granted.id) ?? new Map(), rights, scratch)).map(
        (text): Problem => ({ kind: 'answers', text }),
      )
    : [];
  if (isDeleted) return answers;
  const status = await statusAt(granted);
  if (!status) return [...answers, { kind: 'other', text: 'has no state' }];
  const { state, progress, delayed, error } = status;
  const said = JSON.stringify({ state, progress, delayed, error });
  if (source.refusal) {
    if (state === 'failed') return []; // its code has been looked at
    return [{ kind: state === 'ready' ? 'made' : 'stuck', text: said }];
  }
  if (state !== 'ready') return [...answers, { kind: state === 'failed' ? 'refused' : 'stuck', text: said }];
  if (progress !== 1 || delayed) answers.push({ kind: 'other', text: said });
  const own = await servedOf(watched, client);
  served.set(source.name, own);
  if (!truths) {
    const texts = [...own.problems, ...(await pictureProblems(source, own, scratch))];
    return texts.map((text): Problem => ({ kind: 'made', text }));
  }
  const texts = await Promise.all(rights.map((right) => differences(own, right, scratch)));
  const least = texts.sort((a, b) => a.length - b.length)[0]!;
  return [...answers, ...least.map((text): Problem => ({ kind: 'made', text }))];
}

/** What should be gone; some of it may take a moment to go. */
async function leftovers(round: Round, dataDirectory: string, seconds: number): Promise<Problem[]> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const found = await leftNow(round, dataDirectory);
    if (found.length === 0 || performance.now() > until) {
      return [...found, ...(await leftAfterDeletion(round))];
    }
    await sleep(500);
  }
}

async function leftNow({ videos, client, supervisor }: Round, dataDirectory: string): Promise<Problem[]> {
  const left = (text: string): Problem => ({ kind: 'left', text });
  const keys = await keysBelow(client);
  const deleted = videos.filter(({ isDeleted }) => isDeleted).map(({ granted }) => granted.id);
  const ended = videos.map(({ granted }) => granted.id);
  const encoders = (await descendantsOf(supervisor.system().process.pid!)).filter(isEncoder);
  return [
    ...keys
      .filter((key) => !key.startsWith(TOMBSTONES) && deleted.some((id) => key.includes(id)))
      .map((key) => left(`of a deleted video: ${key}`)),
    ...keys
      .filter((key) => key.startsWith('delayed/') && ended.some((id) => key.includes(id)))
      .map((key) => left(`of a video that is not delayed: ${key}`)),
    ...(await openUploads(client)).map((key) => left(`an upload in parts: ${key}`)),
    ...(await readdir(join(dataDirectory, 'encoding')))
      .filter((name) => name !== RESERVE)
      .map((name) => left(`in the folder for encoding: ${name}`)),
    ...[...encoders, ...(await stillRunning(supervisor.orphans()))].map(({ name, pid }) =>
      left(`${name} (${pid}) runs on`),
    ),
  ];
}

/** Space that is kept aside. */
const RESERVE = 'reserve';

/** What the janitor meets an outage in is tried again after up to a minute. */
const JANITOR_MS = 180_000;

/** The store is empty when all videos are deleted, but for those that were granted and never sent. */
async function leftAfterDeletion({ videos, client, supervisor }: Round): Promise<Problem[]> {
  const problems: Problem[] = [];
  const sources = (await keysBelow(client, 'uploads/')).flatMap((key) => parseSourceKey(key) ?? []);
  const kept = videos.filter(({ isDeleted }) => !isDeleted).map(({ granted }) => granted.id);
  for (const id of new Set([...kept, ...sources])) {
    const answer = await deleteVideo(supervisor.system(), { id } as Granted);
    if (answer.status === 204) continue;
    problems.push({
      kind: 'left',
      text: `the deletion of ${id} answers ${answer.status} ${await answer.text()}`,
    });
  }
  // The queue is of all videos, and stays; a tombstone does until no link for an upload is valid.
  const isOfVideo = (key: string) =>
    !key.startsWith('videos/') && !key.startsWith(TOMBSTONES) && key !== QUEUE_KEY;
  const stillThere = async () => (await keysBelow(client)).filter(isOfVideo);
  let left = await stillThere();
  for (const until = performance.now() + JANITOR_MS; left.length > 0 && performance.now() < until;) {
    await sleep(500);
    left = await stillThere();
  }
  return [
    ...problems,
    ...left.map((key): Problem => ({ kind: 'left', text: `after all deletions: ${key}` })),
  ];
}

/** A system that is started again where a scenario kills it, on the same port. */
export interface Supervisor {
  system(): System;
  /** SIGKILL, and a new start; resolves when that has come up. */
  killAndRestart(): Promise<void>;
  /** Encoders of servers that were killed. */
  orphans(): readonly Process[];
  output(): string;
  stop(): Promise<void>;
}

async function startSupervised(
  dataDirectory: string,
  environment: Record<string, string>,
  report: (text: string) => void,
): Promise<Supervisor> {
  let isExpected = false;
  const orphans: Process[] = [];
  const systems: System[] = [];
  async function start(more: Record<string, string> = {}): Promise<System> {
    const system = await startSystem(dataDirectory, { ...environment, ...more });
    systems.push(system);
    system.process.once('exit', (code, signal) => {
      if (!isExpected) report(`the server has ended by itself, with ${code ?? signal}`);
    });
    return system;
  }
  let system = await start();
  const { port } = new URL(system.baseUrl);
  return {
    system: () => system,
    async killAndRestart() {
      isExpected = true;
      orphans.push(...(await descendantsOf(system.process.pid!)).filter(isEncoder));
      await system.kill();
      // A start may meet faults as well; whoever runs a server starts it again.
      for (let tries = 0; ; tries += 1) {
        try {
          system = await start({ PORT: port });
          break;
        } catch (error) {
          if (tries === 20) throw error;
          await sleep(500);
        }
      }
      isExpected = false;
    },
    orphans: () => orphans,
    output: () => systems.map((each) => each.output()).join('\n--- killed, and started again ---\n'),
    async stop() {
      isExpected = true;
      await system.stop();
    },
  };
}
