// Decides which item of which video is encoded next. The queue (core/records/queue.ts) is data in, data out: the same rules hold
// on one machine, in an account and in a simulation. There are so many lanes and no more, whatever waits: a lane takes one
// item at a time, and what is not taken leaves room for viewers. Groups take turns; within one, short work goes first.

import type { OutageCode } from '../errors.ts';
import type { Queue, QueuedList, RunningItem } from '../records/queue.ts';

/** How an item ended. */
export type Outcome =
  | 'done'
  /** Some of it was made before the time was up; the rest is to be asked for again. */
  | 'partly'
  /** No machine was free for it: it has not been tried. */
  | 'busy'
  /** It was begun when hardly any time was left, and nothing has come of it. */
  | 'unbegun'
  /** The video is no more. */
  | 'gone'
  /** Trying again is of no use. */
  | 'refused'
  | { failed: 'failed' | OutageCode }
  /** The stored list has so many items: another has written it anew after it was queued. */
  | { count: number }
  /** Of an end: something of these items, which were done, is not there any more. */
  | { missing: number[] };

export interface Settlement {
  ticket: number;
  outcome: Outcome;
}

/** Of a group's turns, every so many goes to what has waited longest, so that a film ends though clips keep coming. */
const OLDEST_EVERY = 4;

const MOST_FAILURES = 3;
const MOST_OUTAGES = 5;
const SECOND_MS = 1000;
/** Pauses before the next try, by what has happened how often. */
const PAUSES = {
  failures: (times: number) => 2 * SECOND_MS * 3 ** (times - 1),
  outages: (times: number) => Math.min(120, 2 ** (times - 1)) * SECOND_MS,
};

/** So long a worker is trusted to be alive after it has last said so, which it does far more often. */
const LEASE_MS = 180 * SECOND_MS;
const RENEWED_MS = 60 * SECOND_MS;

/** A list of work that is stored, for the queue. */
export type NewList = Pick<QueuedList, 'id' | 'rev' | 'group' | 'count' | 'secondsPerItem'>;

/** The queue with one more list. Where that is queued already nothing changes. */
export function enqueued(queue: Queue, list: NewList, now: Date): Queue {
  if (isQueued(queue, list)) return queue;
  const added = { ...list, queuedAt: now.toISOString(), next: 0, returned: [], givenUp: [] };
  const { group } = list;
  // Whoever is new has its turn after those that wait.
  const served = servedOf(queue, group)
    ? queue.served
    : [...queue.served, { group, times: 0, last: queue.turns }];
  return { ...queue, lists: [...queue.lists, added], served };
}

export const isQueued = ({ lists }: Queue, { id, rev }: Pick<QueuedList, 'id' | 'rev'>): boolean =>
  lists.some((list) => list.id === id && list.rev === rev);

export interface Call {
  worker: number;
  run: number;
}

/**
 * Calls as many workers that sleep as there is work for.
 * @param lanes how many each worker has
 * @param by who calls them
 */
export function called(
  queue: Queue,
  { lanes, by, now }: { lanes: readonly number[]; by: string; now: Date },
): { queue: Queue; calls: Call[] } {
  const workers = lanes.map((_, index) => queue.workers[index] ?? { run: 0, until: null, by: '' });
  const awake = lanes.filter((_, index) => workers[index]!.until !== null);
  let free = sum(awake) - queue.running.length;
  const open = sum(queue.lists.map(openItems));
  const calls: Call[] = [];
  lanes.forEach((own, worker) => {
    const { run, until } = workers[worker]!;
    if (until !== null || free >= open) return;
    workers[worker] = { run: run + 1, until: after(now, LEASE_MS), by };
    calls.push({ worker, run: run + 1 });
    free += own;
  });
  // Workers beyond the present number stay listed until they end.
  return { queue: { ...queue, workers: [...workers, ...queue.workers.slice(lanes.length)] }, calls };
}

/** Items that somebody could take sooner or later, the list's end among them. */
const openItems = ({ count, next, returned }: QueuedList): number =>
  count + 1 - Math.min(next, count + 1) + returned.length;

/**
 * A call of a worker begins: what an earlier call of the same has left is to be taken again.
 * @returns undefined where another has been called in its place
 */
export function begun(
  queue: Queue,
  { worker, run }: Call,
  { by, now }: { by: string; now: Date },
): Queue | undefined {
  const known = queue.workers[worker];
  if (known?.run !== run || known.until === null) return undefined;
  const left = queue.running.filter((item) => item.worker === worker && item.by !== by);
  const workers = queue.workers.with(worker, { run, by, until: after(now, LEASE_MS) });
  return { ...givenBack(queue, left, now), workers };
}

/** Workers that have not been heard of for too long sleep, and what they were at is to be taken again. */
export function recovered(queue: Queue, now: Date): Queue {
  const isLost = (until: string | null) => until !== null && new Date(until) < now;
  return without(queue, (worker) => isLost(queue.workers[worker]?.until ?? null), now);
}

/** All workers have been ended from outside, by nobody's fault. */
export const released = (queue: Queue): Queue => without(queue, () => true, null);

function without(queue: Queue, isLost: (worker: number) => boolean, now: Date | null): Queue {
  const lost = queue.workers.flatMap(({ until }, worker) =>
    until !== null && isLost(worker) ? [worker] : [],
  );
  if (lost.length === 0) return queue;
  const left = queue.running.filter(({ worker }) => lost.includes(worker));
  const workers = queue.workers.map((each, worker) =>
    lost.includes(worker) ? { ...each, until: null } : each,
  );
  return { ...givenBack(queue, left, now), workers };
}

/**
 * Items whose worker was lost are tried again. One of them may have ended it, and it is not known which: so nothing counts as
 * failed, and they do not all meet again.
 * @param now null where nobody is to blame
 */
function givenBack(queue: Queue, left: readonly RunningItem[], now: Date | null): Queue {
  return left.reduce((before, item) => {
    const rest = { ...before, running: before.running.filter(({ ticket }) => ticket !== item.ticket) };
    if (!now) return changed(rest, item, (list) => again(list, item, null));
    const later = new Date(now.getTime() + (item.ticket % APART) * APART_MS);
    return changed(rest, item, (list) => failedOnce(list, item, 'TOOL_UNAVAILABLE', later));
  }, queue);
}

/** So many items of a lost worker come back one after the other, with so much time between. */
const APART = 6;
const APART_MS = 5 * SECOND_MS;

export interface Step {
  /** The same object where nothing has changed. */
  queue: Queue;
  /** What it is to do now. */
  taken: RunningItem[];
  /** `stop`: nothing is left for it, or another is in its place; otherwise how long it has nothing to do, at the least. */
  afterwards: 'stop' | { waitMs: number };
}

/**
 * A worker says how items ended, and takes new ones.
 * @param known tickets of those that it is at
 * @param most that it takes
 */
export function stepped(
  queue: Queue,
  worker: number,
  {
    by,
    settlements,
    known,
    most,
    now,
  }: {
    by: string;
    settlements: readonly Settlement[];
    known: ReadonlySet<number>;
    most: number;
    now: Date;
  },
): Step {
  let next = settlements.reduce((before, settlement) => settled(before, settlement, now), queue);
  const own = next.workers[worker];
  const isOwn = own?.by === by && own.until !== null;
  if (!isOwn) return { queue: next, taken: [], afterwards: 'stop' };
  // Of a write that succeeded though its answer was lost.
  const taken = next.running.filter(
    (item) => item.worker === worker && item.by === by && !known.has(item.ticket),
  );
  while (taken.length < most) {
    const found = nextItem(next, now);
    if (!found) break;
    const item = { ...found.item, ticket: next.turns, worker, by };
    next = handedOut(next, found.list, item);
    taken.push(item);
  }
  const isAtWork = next.running.some((item) => item.worker === worker && item.by === by);
  const waitMs = isAtWork ? 0 : untilNextItem(next, now);
  const until = waitMs === undefined ? null : after(now, LEASE_MS + waitMs);
  const isFresh = until !== null && msBetween(own.until!, until) < RENEWED_MS;
  const afterwards = waitMs === undefined ? 'stop' : { waitMs };
  if (next === queue && isFresh) return { queue, taken, afterwards };
  return { queue: { ...next, workers: next.workers.with(worker, { ...own, until }) }, taken, afterwards };
}

/** How long until something can be taken: 0 for now, undefined for never. */
function untilNextItem(queue: Queue, now: Date): number | undefined {
  if (nextItem(queue, now)) return 0;
  const times = queue.lists.flatMap((list) =>
    list.returned.flatMap(({ index, notBefore }) => (isEarly(list, index, queue) ? [] : [notBefore])),
  );
  const soonest = Math.min(...times.map((time) => (time === null ? 0 : Date.parse(time))));
  return times.length === 0 ? undefined : Math.max(0, soonest - now.getTime());
}

type Item = Omit<RunningItem, 'ticket' | 'worker' | 'by'>;

/**
 * What goes next: an end, which takes a moment and makes a video ready; or of the group with the fewest items at work, which had
 * its turn longest ago, the shortest list.
 */
function nextItem(queue: Queue, now: Date): { list: QueuedList; item: Item } | undefined {
  const open = new Map<string, { shortest: QueuedList; oldest: QueuedList }>();
  for (const list of queue.lists) {
    const item = itemOf(list, now, queue);
    if (!item) continue;
    if (item.index === list.count) return { list, item };
    const found = open.get(list.group);
    if (!found) {
      open.set(list.group, { shortest: list, oldest: list });
      continue;
    }
    if (secondsLeftOf(list) < secondsLeftOf(found.shortest)) found.shortest = list;
    if (list.queuedAt < found.oldest.queuedAt) found.oldest = list;
  }
  const [group] = [...open.keys()].sort(inTurn(queue));
  if (group === undefined) return undefined;
  const { shortest, oldest } = open.get(group)!;
  const turn = (servedOf(queue, group)?.times ?? 0) + 1;
  const list = turn % OLDEST_EVERY === 0 ? oldest : shortest;
  return { list, item: itemOf(list, now, queue)! };
}

function inTurn(queue: Queue): (one: string, other: string) => number {
  const atWork = new Map<string, number>();
  for (const { group } of queue.running) atWork.set(group, (atWork.get(group) ?? 0) + 1);
  const order = (group: string) => ({
    atWork: atWork.get(group) ?? 0,
    last: servedOf(queue, group)?.last ?? -1,
  });
  return (one, other) => {
    const [a, b] = [order(one), order(other)];
    return a.atWork - b.atWork || a.last - b.last;
  };
}

const servedOf = ({ served }: Queue, group: string) => served.find((each) => each.group === group);

const secondsLeftOf = (list: QueuedList): number => (openItems(list) - 1) * list.secondsPerItem;

/** The list's next item; its end, when all others are settled. */
function itemOf(list: QueuedList, now: Date, queue: Queue): Item | undefined {
  const { id, rev, group, count, next, returned } = list;
  const isDue = (notBefore: string | null) => notBefore === null || new Date(notBefore) <= now;
  const ready = returned.find(({ index, notBefore }) => isDue(notBefore) && !isEarly(list, index, queue));
  if (ready) {
    const { index, failures, outages } = ready;
    return { id, rev, group, index, failures, outages };
  }
  if (next > count) return undefined;
  if (isEarly(list, next, queue)) return undefined;
  return { id, rev, group, index: next, failures: 0, outages: 0 };
}

/** An end is early while something else of its list is to be taken again, or somebody is at it. */
function isEarly(list: QueuedList, index: number, { running }: Queue): boolean {
  if (index < list.count) return false;
  return list.returned.some((other) => other.index < list.count) || running.some((item) => isOf(list, item));
}

function handedOut(queue: Queue, list: QueuedList, item: RunningItem): Queue {
  const lists = queue.lists.map((each) => {
    if (each !== list) return each;
    const returned = list.returned.filter(({ index }) => index !== item.index);
    return returned.length < list.returned.length ? { ...list, returned } : { ...list, next: list.next + 1 };
  });
  const { group } = item;
  const served = servedOf(queue, group);
  const isTurn = item.index < list.count; // an end is nobody's
  return {
    ...queue,
    lists,
    running: [...queue.running, item],
    turns: queue.turns + 1,
    served: isTurn
      ? [
          ...queue.served.filter((each) => each !== served),
          { group, times: (served?.times ?? 0) + 1, last: queue.turns },
        ]
      : queue.served,
  };
}

/** One that was given to another meanwhile is the other's to settle. */
function settled(queue: Queue, { ticket, outcome }: Settlement, now: Date): Queue {
  const item = queue.running.find((each) => each.ticket === ticket);
  if (!item) return queue;
  const rest = { ...queue, running: queue.running.filter((each) => each !== item) };
  const moved = { ...rest, movedAt: now.toISOString() };
  const isEnd = queue.lists.some((list) => isOf(list, item) && item.index === list.count);
  if (outcome === 'gone' || (outcome === 'done' && isEnd)) return withoutList(moved, item);
  if (outcome === 'done') return moved;
  if (outcome === 'partly')
    return changed(moved, item, (list) => again(list, { ...item, failures: 0 }, null));
  if (outcome === 'busy' || outcome === 'unbegun')
    return changed(rest, item, (list) => again(list, item, null));
  if (outcome === 'refused') return changed(rest, item, (list) => givenUp(list, item, 'failed'));
  if ('count' in outcome) return recounted(rest, item, outcome.count);
  if ('missing' in outcome) return changed(rest, item, (list) => lacking(list, item, outcome.missing, now));
  return changed(rest, item, (list) => failedOnce(list, item, outcome.failed, now));
}

function withoutList(queue: Queue, gone: Pick<QueuedList, 'id' | 'rev'>): Queue {
  const lists = queue.lists.filter((list) => !isOf(list, gone));
  const groups = new Set(lists.map(({ group }) => group));
  const served = queue.served.filter(({ group }) => groups.has(group));
  return { ...queue, lists, served };
}

const isOf = (list: QueuedList, { id, rev }: Pick<QueuedList, 'id' | 'rev'>): boolean =>
  list.id === id && list.rev === rev;

/** A list that is no longer queued stays so. */
function changed(
  queue: Queue,
  item: Pick<QueuedList, 'id' | 'rev'>,
  change: (list: QueuedList) => QueuedList | undefined,
): Queue {
  const list = queue.lists.find((each) => isOf(each, item));
  if (!list) return queue;
  const after = change(list);
  if (!after) return withoutList(queue, item);
  return { ...queue, lists: queue.lists.map((each) => (each === list ? after : each)) };
}

type Counts = Pick<RunningItem, 'index' | 'failures' | 'outages'>;

function again(list: QueuedList, { index, failures, outages }: Counts, notBefore: string | null): QueuedList {
  const returned = [...list.returned, { index, failures, outages, notBefore }];
  return { ...list, returned: returned.sort((a, b) => a.index - b.index) };
}

/**
 * It begins anew, once: which items are the same, nobody knows, and what is stored of them is not made again. Whoever is still
 * at some of before settles them in vain.
 */
function recounted(queue: Queue, of: RunningItem, count: number): Queue {
  const list = queue.lists.find((each) => isOf(each, of));
  if (!list || list.count === count) return queue;
  const secondsPerItem = (list.secondsPerItem * list.count) / count;
  const anew = { ...list, count, secondsPerItem, next: 0, returned: [], givenUp: [] };
  return {
    ...queue,
    lists: queue.lists.map((each) => (each === list ? anew : each)),
    running: queue.running.filter((item) => !isOf(list, item)),
  };
}

/** What is gone is made again before the next try of the end. */
function lacking(
  list: QueuedList,
  end: Counts,
  missing: readonly number[],
  now: Date,
): QueuedList | undefined {
  const after = failedOnce(list, end, 'failed', now);
  if (!after || after.givenUp.length > list.givenUp.length) return after;
  return missing.reduce((before, index) => again(before, { index, failures: 0, outages: 0 }, null), after);
}

/** What took too long has waited by itself: that is tried as a failure is. */
const isOutage = (code: 'failed' | OutageCode): boolean => code !== 'failed' && code !== 'TIMED_OUT';

function failedOnce(
  list: QueuedList,
  item: Counts,
  code: 'failed' | OutageCode,
  now: Date,
): QueuedList | undefined {
  const kind = isOutage(code) ? 'outages' : 'failures';
  const times = item[kind] + 1;
  const most = isOutage(code) ? MOST_OUTAGES : MOST_FAILURES;
  // If the end were given up, nobody would learn how the list has ended.
  const isEndless = item.index === list.count && isOutage(code);
  if (times >= most && !isEndless) return givenUp(list, item, code);
  return again(list, { ...item, [kind]: times }, after(now, PAUSES[kind](times)));
}

/** @returns undefined for a list of which not even the failure could be noted */
function givenUp(list: QueuedList, item: Counts, code: 'failed' | OutageCode): QueuedList | undefined {
  const after = { ...list, givenUp: [...list.givenUp, code] };
  if (item.index < list.count) return after;
  if (list.givenUp.includes('failed')) return undefined;
  return again(after, { index: item.index, failures: 0, outages: 0 }, null);
}

const after = (now: Date, ms: number): string => new Date(now.getTime() + ms).toISOString();
const msBetween = (from: string, to: string): number => Date.parse(to) - Date.parse(from);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
