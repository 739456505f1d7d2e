// What an account is put through, what is wanted of it then, and what limits it where that is not met.

import { planFor } from '../../../core/plan/plan-for.ts';
import type { Effort, Plan } from '../../../core/plan/plan.ts';
import { DEFAULT_PREWARM_CONCURRENCY, lanesOf } from '../../../core/work/lanes.ts';
import { workFor } from '../../../core/work/work.ts';
import { SOURCE, probeOf } from '../../../test/support/probes.ts';
import { randomNumbers } from '../../../test/support/random-numbers.ts';
import type { AdmissionCost } from './admission-cost.ts';
import { TENANT_MACHINES_PER_EXECUTION } from './parameters.ts';
import { secondsOfItem, secondsWaited } from './simulation.ts';
import type { Result, Scenario, Upload, Video } from './simulation.ts';

/** What was wanted of a scenario, and what came of it. */
export interface Verdict {
  wanted: string;
  got: string;
  isMet: boolean;
}

export interface NamedScenario {
  name: string;
  /** Which videos the percentiles are of. */
  kind: string;
  /** How often it is simulated, with other chances each time. */
  runs?: number;
  of(cost: AdmissionCost): Scenario;
  verdicts(result: Result): Verdict[];
  /** What it takes at the least, and what comes on top. */
  limits?(result: Result): string[];
}

const SOURCE_BITRATE_BPS = 8_000_000;

/** Of a 1080p30 source with stereo sound. */
export function planOfVideo(seconds: number, prewarmEffort: Effort = 'thorough'): Plan {
  const rate = { num: 30, den: 1 };
  const frames = seconds * 30;
  const video = { width: 1920, height: 1080, frames, baseFrameRate: rate, averageFrameRate: rate };
  return planFor(
    probeOf({ video, audio: {} }),
    { ...SOURCE, sizeBytes: (SOURCE_BITRATE_BPS / 8) * seconds },
    { maxDurationSeconds: Infinity, prewarm: 'all', prewarmEffort },
  );
}

const FILM_SECONDS = 2 * 3600;
const FILM = planOfVideo(FILM_SECONDS);
const QUICK_FILM = planOfVideo(FILM_SECONDS, 'quick');
const CLIP = planOfVideo(10);

/** What a new account has, and of that the workers' lanes. */
const NEW_ACCOUNT = { executions: 10, lanes: lanesOf(DEFAULT_PREWARM_CONCURRENCY) };
/** And one whose quota was raised: `prewarmConcurrency` is four fifths of it (docs/operations.md). */
const RAISED_ACCOUNT = { executions: 1000, lanes: lanesOf(800) };

const total = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);

/** What each item takes of a sandbox, stragglers left out. */
const itemSeconds = (plan: Plan, lanes: readonly number[], isEmpty = true): number[] =>
  workFor('', plan, { lanes: total(lanes), isEmpty }).map((item) => secondsOfItem(plan, item));

const FILM_CHUNK_SECONDS = itemSeconds(FILM, NEW_ACCOUNT.lanes, false)[0]!;
/** What a film was thought to take when it was said how fast it is to be. */
const WANTED_FILM_SECONDS = 5400;
/** So many seconds of a film take as long. */
const SHORTER_FILM_SECONDS = Math.round(
  (FILM_SECONDS * WANTED_FILM_SECONDS) / total(itemSeconds(FILM, NEW_ACCOUNT.lanes)),
);
const SHORTER_FILM = planOfVideo(SHORTER_FILM_SECONDS);

const many = (count: number, plan: Plan, kind: string, group = ''): Upload[] =>
  Array.from({ length: count }, () => ({ plan, kind, group, atSeconds: 0, isQueued: true }));

export const SCENARIOS: readonly NamedScenario[] = [
  {
    name: 'a clip behind 100 films, 10 executions',
    kind: 'clip',
    runs: 5,
    of: (cost) => ({
      ...NEW_ACCOUNT,
      // Many, one after the other, as one would say little.
      uploads: [...many(100, FILM, 'film'), ...clips(200, (index) => 300 + index * 97)],
      ...{ seeksPerMinute: 0, awaits: 'clip', cost, seed: 'clip' },
    }),
    verdicts: (result) => [
      atMost('95 % ready', waits(result, 'clip', 0.95), 30),
      ...neverMore(result, NEW_ACCOUNT.lanes),
    ],
  },
  film('one film alone, 10 executions', NEW_ACCOUNT, FILM, 14 * 60),
  film('the same, encoded quickly', NEW_ACCOUNT, QUICK_FILM, 14 * 60),
  film(
    `a film of ${Math.round(SHORTER_FILM_SECONDS / 60)} min, which takes 5,400 seconds of sandboxes, 10 executions`,
    NEW_ACCOUNT,
    SHORTER_FILM,
    14 * 60,
  ),
  film('one film alone, 1,000 executions', RAISED_ACCOUNT, FILM, 60),
  film('the same, were no machine slow and none to die', RAISED_ACCOUNT, FILM, 60, { isLucky: true }),
  films('100 films, 10 executions, with viewers and uploads'),
  films('the same, with sandboxIsolation=none', { isShared: true }),
  crowdOf('10,000 clips in an hour, 1,000 executions', 10_000, 3600, { seeksPerMinute: 60 }),
  crowdOf('500 clips at once, 1,000 executions', 500, 1, { seeksPerMinute: 0 }),
  {
    name: 'a film of one group beside 100 of another, 10 executions',
    kind: 'single',
    of: (cost) => ({
      ...NEW_ACCOUNT,
      uploads: [...many(100, FILM, 'film', 'many'), ...many(1, FILM, 'single', 'one')],
      ...{ seeksPerMinute: 0, awaits: 'single', cost, seed: 'groups' },
    }),
    verdicts: (result) => {
      const { secondsByGroup } = result.lanes;
      const own = secondsByGroup.get('one')! / (secondsByGroup.get('one')! + secondsByGroup.get('many')!);
      return [
        { wanted: 'half of the lanes', got: percent(own), isMet: Math.abs(own - 0.5) < 0.05 },
        ...neverMore(result, NEW_ACCOUNT.lanes),
      ];
    },
  },
];

function film(
  name: string,
  account: typeof NEW_ACCOUNT,
  plan: Plan,
  within: number,
  options: Pick<Scenario, 'isLucky'> = {},
): NamedScenario {
  return {
    ...{ name, kind: 'film', runs: 20 },
    of: (cost) => ({
      ...{ ...account, ...options },
      uploads: [{ plan, kind: 'film', group: '', atSeconds: 0 }],
      ...{ seeksPerMinute: 0, cost, seed: 'film' },
    }),
    verdicts: (result) => [
      atMost('ready', waits(result, 'film', 0.5), within),
      ...neverMore(result, account.lanes),
    ],
    limits: ({ queue, longestItemSeconds }) => {
      const items = itemSeconds(plan, account.lanes);
      const [all, lanes] = [total(items), total(account.lanes)];
      return [
        `${items.length} items of ${all.toFixed(0)} seconds of a sandbox in all, the longest of ${seconds(Math.max(...items))}`,
        `at the least ${seconds(Math.max(all / lanes, ...items))} on ${lanes} lanes; the longest took ${seconds(longestItemSeconds)}`,
        `a worker lost up to ${queue.mostLostInARow} writes in a row`,
      ];
    },
  };
}

function films(name: string, options: Pick<Scenario, 'isShared'> = {}): NamedScenario {
  return {
    name,
    kind: 'film',
    of: (cost) => ({
      ...{ ...NEW_ACCOUNT, ...options },
      uploads: [...many(100, FILM, 'film'), ...clips(200, (index) => 120 + index * 600)],
      ...{ seeksPerMinute: 2, cost, seed: 'films' },
    }),
    verdicts: (result) => [
      {
        wanted: 'lanes never idle while there is work',
        got: `${percent(result.lanes.idleThoughWork)} of the time, one for ${seconds(result.lanes.longestIdleSeconds)}`,
        isMet: result.lanes.idleThoughWork < 0.01,
      },
      atMost('99 % of viewers have executions', seekWait(result, 0.99), FILM_CHUNK_SECONDS),
      atMost('all of them', seekWait(result, 1), FILM_CHUNK_SECONDS),
      atMost('an upload has one', share(result.ingestWaits, 1), FILM_CHUNK_SECONDS),
      ...neverMore(result, NEW_ACCOUNT.lanes),
    ],
    limits: ({ seekWaits }) => {
      const long = seekWaits.filter((wait) => secondsWaited(wait) > FILM_CHUNK_SECONDS).length;
      const machines = NEW_ACCOUNT.executions * TENANT_MACHINES_PER_EXECUTION;
      return [
        `${long} of ${seekWaits.length} viewers' requests were refused for longer than a chunk takes: one of them, or one upload, takes the two executions that are free`,
        ...(options.isShared ? [] : [`there are machines for ${machines} videos`]),
      ];
    },
  };
}

const clips = (count: number, atSeconds: (index: number) => number): Upload[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ plan: CLIP, kind: 'clip', group: '', atSeconds: atSeconds(index) },
  }));

function crowdOf(
  name: string,
  count: number,
  withinSeconds: number,
  options: Pick<Scenario, 'seeksPerMinute'>,
): NamedScenario {
  return {
    ...{ name, kind: 'clip' },
    of: (cost) => {
      const random = randomNumbers('arrivals');
      const uploads = clips(count, () => random() * withinSeconds);
      return { ...RAISED_ACCOUNT, ...options, uploads, cost, seed: 'crowd' };
    },
    verdicts: (result) => {
      const lost = result.videos.filter(({ readyAt }) => readyAt === undefined).length;
      return [
        { wanted: 'none lost', got: `${lost} of ${count.toLocaleString('en')}`, isMet: lost === 0 },
        atMost('95 % ready', waits(result, 'clip', 0.95), 60),
        ...neverMore(result, RAISED_ACCOUNT.lanes),
      ];
    },
  };
}

function neverMore({ lanes }: Result, allowed: readonly number[]): Verdict[] {
  const all = total(allowed);
  if (lanes.mostAtOnce <= all) return [];
  return [{ wanted: `no more than ${all} lanes`, got: String(lanes.mostAtOnce), isMet: false }];
}

const atMost = (what: string, got: number, most: number): Verdict => ({
  ...{ wanted: `${what} within ${seconds(most)}`, got: seconds(got), isMet: got <= most },
});

const seekWait = ({ seekWaits }: Result, of: number): number => share(seekWaits.map(secondsWaited), of);

/** From the end of an upload to ready; Infinity for those that are not. */
export const waits = ({ videos }: Result, kind: string, of: number): number =>
  share(videos.filter((video) => video.kind === kind).map(waitOf), of);

const waitOf = ({ uploadedAt, readyAt = Infinity }: Video): number => readyAt - uploadedAt;

/** So large a share of the values is at most this. NaN where there are none. */
export function share(values: readonly number[], of: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(of * sorted.length) - 1)] ?? NaN;
}

export function seconds(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '' : 'never';
  if (value >= 2 * 3600) return `${(value / 3600).toFixed(1)} h`;
  if (value >= 120) return `${(value / 60).toFixed(1)} min`;
  return `${value.toFixed(value < 10 ? 1 : 0)} s`;
}

export const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
