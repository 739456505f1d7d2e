// A worker: has items of the queue made, a few at a time, until nothing is left or its own time is up. It only waits for
// those who encode, so that one process looks after many of them.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { QUEUE_KEY, cardKey, workKey } from '../../core/artifacts/keys.ts';
import {
  OUTAGE_CODES,
  OutageError,
  RequestError,
  SourceError,
  isTimedOut,
  notFound,
} from '../../core/errors.ts';
import type { OutageCode } from '../../core/errors.ts';
import { EMPTY_QUEUE, QUEUE } from '../../core/records/queue.ts';
import type { QueuedList, RunningItem } from '../../core/records/queue.ts';
import { parseWorkList } from '../../core/records/work.ts';
import type { Work } from '../../core/records/work.ts';
import { begun, stepped } from '../../core/work/admission.ts';
import type { Call, Outcome, Settlement, Step } from '../../core/work/admission.ts';
import { LEAST_SECONDS } from '../../core/work/deadlines.ts';
import { itemsThatMake } from '../../core/work/work.ts';
import { deriveWork } from '../derive/derive.ts';
import { derivePlaylists } from '../derive/opening.ts';
import { plannedVideo } from '../derive/planned-video.ts';
import { failVideo } from '../life/fail-video.ts';
import { IncompleteError, finish } from '../life/finish.ts';
import { persistently } from '../../machine/patience.ts';
import { logFailure } from '../observe.ts';
import { isPlanned, planOf } from '../revisions/revisions.ts';
import { updateRecord } from '../store.ts';
import type { World } from '../world.ts';

export interface WorkerOptions {
  /** How many items it has made at a time. */
  lanes: number;
  /** Whether somebody failed for want of a free machine. */
  isBusy(error: unknown): boolean;
}

/** What is to be done when a call of a worker has ended. */
export interface Shift {
  /** Whether to call it again. */
  more: boolean;
  /** Not before so many seconds. */
  waitSeconds: number;
}

/** What was begun with less time than this, and of which nothing is whole when it is over, has not failed. */
const TRY_SECONDS = 150;
/** How often a worker with a free lane looks whether there is something new, and one without shows that it is alive. */
const LOOK_MS = { free: 1000, busy: 30_000 };
/** Where no machine is free, nothing is begun for as long; twice that after the next time. */
const REFUSED_MS = { first: 1000, longest: 60_000 };
/** Where nothing is at work, the worker makes room as well; but what is queued meanwhile is not to wait for it for long. */
const LONGEST_WAIT_SECONDS = 15;

/** With its pauses this lasts for a good minute; a worker is trusted to be alive for three. */
const QUEUE_ATTEMPTS = 25;
/** Then it ends by itself, rather than in the middle of something. */
const LAST_SECONDS = 20;

const OVER: Shift = { more: false, waitSeconds: 0 };

/**
 * One call of a worker. Harmless where two are made at once: the earlier one begins nothing any more.
 * @throws OutageError, RecordError where the queue cannot be read or written: to be called again
 */
export async function workOff(
  { worker, run }: Call,
  world: World,
  { lanes, isBusy }: WorkerOptions,
): Promise<Shift> {
  const by = randomUUID();
  const { media, secondsLeft = () => Infinity } = world;
  if (lanes === 0 || !(await begin({ worker, run }, by, world))) return OVER;
  const lists = workLists(world);
  const atWork = new Map<number, Promise<void>>();
  let ended: Settlement[] = [];
  let [refusals, refusedUntil] = [0, 0];

  const doItem = async (item: RunningItem, list: QueuedList | undefined): Promise<void> => {
    const hasBegunLate = secondsLeft() < TRY_SECONDS;
    // What ends early has not ended for want of time.
    const isLate = () => hasBegunLate && secondsLeft() <= LEAST_SECONDS;
    const outcome = await outcomeOf(() => doOne(item, list, lists, world), item, world, { isBusy, isLate });
    if (outcome === 'busy') {
      refusedUntil = performance.now() + Math.min(REFUSED_MS.longest, REFUSED_MS.first * 2 ** refusals);
      refusals += 1;
    } else refusals = 0;
    ended.push({ ticket: item.ticket, outcome });
    atWork.delete(item.ticket);
  };

  for (;;) {
    const pauseMs = refusedUntil - performance.now();
    const takesMore = secondsLeft() > LEAST_SECONDS && pauseMs <= 0;
    const settlements = ended;
    ended = [];
    const known = new Set(atWork.keys());
    const options = { by, settlements, known, most: takesMore ? lanes - atWork.size : 0 };
    // What is being made is not left for a queue that is out of reach for a while.
    const hasWork = known.size > 0 || settlements.length > 0;
    const { queue, taken, afterwards } = await persistently(() => step(worker, options, media), {
      attempts: QUEUE_ATTEMPTS,
      passes: (error) => error instanceof OutageError && hasWork && secondsLeft() > LAST_SECONDS,
    });
    for (const item of taken) {
      const list = queue.lists.find(({ id, rev }) => id === item.id && rev === item.rev);
      atWork.set(item.ticket, doItem(item, list));
    }
    if (afterwards === 'stop') {
      await Promise.all(atWork.values());
      if (ended.length > 0) await step(worker, { by, settlements: ended, known: new Set(), most: 0 }, media);
      return OVER;
    }
    if (atWork.size === 0 && ended.length === 0 && taken.length === 0) {
      const seconds = pauseMs > 0 ? LONGEST_WAIT_SECONDS : Math.ceil(afterwards.waitMs / 1000);
      return { more: true, waitSeconds: Math.min(LONGEST_WAIT_SECONDS, seconds) };
    }
    if (ended.length > 0) continue;
    const looksMs = takesMore && atWork.size < lanes ? LOOK_MS.free : LOOK_MS.busy;
    await firstOf([...atWork.values()], pauseMs > 0 ? Math.min(looksMs, pauseMs) : looksMs);
  }
}

async function begin(call: Call, by: string, { media }: World): Promise<boolean> {
  let isOwn = false;
  await updateRecord(media, QUEUE, QUEUE_KEY, (before = EMPTY_QUEUE) => {
    const after = begun(before, call, { by, now: new Date() });
    isOwn = after !== undefined;
    return after;
  });
  return isOwn;
}

type StepOptions = Omit<Parameters<typeof stepped>[2], 'now'>;

async function step(worker: number, options: StepOptions, media: World['media']): Promise<Step> {
  let made: Step | undefined;
  await updateRecord(media, QUEUE, QUEUE_KEY, (before = EMPTY_QUEUE) => {
    made = stepped(before, worker, { ...options, now: new Date() });
    return made.queue === before ? undefined : made.queue;
  });
  return made!;
}

/** Resolves with the first of them, or after a while. */
async function firstOf(promises: readonly Promise<void>[], ms: number): Promise<void> {
  const over = new AbortController();
  const timer = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([...promises, timer]);
  over.abort();
}

/** Lists as they are stored, the last few: chunks of one film come one after another. */
const LISTS_KEPT = 32;

function workLists({ media }: World): (list: QueuedList) => Promise<Work[]> {
  const read = new Map<string, Promise<Work[]>>();
  const readList = async (key: string): Promise<Work[]> => {
    const bytes = await media.get(key);
    if (!bytes) throw notFound('such list of work');
    return parseWorkList(Buffer.from(bytes).toString('utf8'), key);
  };
  return ({ id, rev, queuedAt, count }) => {
    // Another list of the same revision may be queued later, and one that is queued be written anew.
    const name = `${id} ${rev} ${queuedAt} ${count}`;
    const known = read.get(name);
    const list = known ?? readList(workKey(id, rev));
    read.delete(name);
    read.set(name, list);
    if (!known) list.catch(() => read.delete(name));
    const [first] = read.keys();
    if (read.size > LISTS_KEPT) read.delete(first!);
    return list;
  };
}

async function doOne(
  { index }: RunningItem,
  list: QueuedList | undefined,
  listOf: ReturnType<typeof workLists>,
  world: World,
): Promise<Outcome> {
  if (!list) return 'gone';
  const isEnd = index === list.count;
  if (isEnd && list.givenUp.length > 0) return ended(list, [], world); // perhaps because its list cannot be read
  const work = await listOf(list);
  if (work.length === 0) return 'gone'; // its revision is being swept
  if (work.length !== list.count) return { count: work.length };
  return isEnd ? ended(list, work, world) : deriveWork(work[index]!, world, { background: true });
}

/** Everything of a list has been tried. */
async function ended(
  { id, rev, givenUp }: QueuedList,
  work: readonly Work[],
  world: World,
): Promise<Outcome> {
  const now = new Date();
  const outage = givenUp.find((code) => OUTAGE_CODES.includes(code as OutageCode));
  if (givenUp.includes('failed')) await failVideo(id, rev, 'ENCODING_FAILED', world, now);
  else if (outage) await failVideo(id, rev, outage as OutageCode, world, now);
  else {
    const plan = await planOf(id, rev, world.media);
    const unlisted = plan && (await derivePlaylists(plannedVideo(id, plan, world)));
    if (unlisted) throw unlisted; // what `ingest` could not store: the list has none of them
    try {
      await finish(id, rev, world, now);
    } catch (error) {
      if (!(error instanceof IncompleteError)) throw error;
      logFailure(id, error);
      return { missing: itemsThatMake(error.missing, work) };
    }
  }
  return 'done';
}

async function outcomeOf(
  work: () => Promise<Outcome>,
  item: RunningItem,
  world: World,
  { isBusy, isLate }: Pick<WorkerOptions, 'isBusy'> & { isLate: () => boolean },
): Promise<Outcome> {
  const { id } = item;
  try {
    return await work();
  } catch (error) {
    if (isBusy(error)) return 'busy';
    if (isLate() && isTimedOut(error)) return 'unbegun';
    // Replaced, or deleted, meanwhile: nobody's failure.
    if (error instanceof RequestError && error.status !== 404) return 'done';
    if (error instanceof RequestError && (await isGone(item, world))) return 'gone';
    logFailure(id, error);
    // What is not there is its source, or its list.
    if (error instanceof RequestError || error instanceof SourceError) return 'refused';
    return { failed: error instanceof OutageError ? error.code : 'failed' };
  }
}

/** Whether a video, or its revision, is known to be no more. */
async function isGone({ id, rev }: RunningItem, { media }: World): Promise<boolean> {
  const unknown = [true];
  const there = await Promise.all([media.head(cardKey(id)), isPlanned(id, rev, media)]).catch(() => unknown);
  return !there.every(Boolean);
}
