// What the queue takes of a processor (core/work/admission.ts, core/records/queue.ts), by how many lists are in it: measured
// on this machine, in CPU seconds, as others may be at work beside.

import { EMPTY_QUEUE, QUEUE } from '../../../core/records/queue.ts';
import type { Queue } from '../../../core/records/queue.ts';
import { begun, called, enqueued, stepped } from '../../../core/work/admission.ts';

/** CPU seconds. */
export interface AdmissionCost {
  /** Of parsing a record with so many lists, and of a step that settles and takes so many items. */
  read(lists: number, items: number): number;
  /** Of checking and writing it. */
  write(lists: number): number;
}

/** What one machine was measured to take, for where it is not to matter which machine that is. */
export const NO_ADMISSION_COST: AdmissionCost = { read: () => 0, write: () => 0 };

export interface MeasuredCost {
  lists: number;
  bytes: number;
  parse: number;
  store: number;
  /** One settled and one taken. */
  step: number;
  /** A worker's all lanes at once. */
  stepOfAll: number;
}

const LANES = 24;
const NOW = new Date('2026-01-01T00:00:00Z');

export function measuredCost(lists: number, groups = 1): MeasuredCost {
  const queue = queueOf(lists, groups);
  const text = JSON.stringify(QUEUE.stored(queue));
  const step = (items: number) => {
    const before = atWork(queue, items);
    const settlements = before.running.map(({ ticket }) => ({ ticket, outcome: 'done' as const }));
    return cpuSecondsOf(() =>
      stepped(before, 0, { by: 'w', settlements, known: new Set(), most: items, now: NOW }),
    );
  };
  return {
    lists,
    bytes: text.length,
    parse: cpuSecondsOf(() => QUEUE.parse(text, 'queue')),
    store: cpuSecondsOf(() => JSON.stringify(QUEUE.stored(queue))),
    step: step(1),
    stepOfAll: step(LANES),
  };
}

/** Between the sizes that were measured it is reckoned in proportion. */
export function costBy(measured: readonly MeasuredCost[]): AdmissionCost {
  const of = (value: (each: MeasuredCost) => number, lists: number): number => {
    const next = Math.max(
      1,
      measured.findIndex((each) => each.lists >= lists),
    );
    const [one, other] = [measured[next - 1]!, measured[next]!];
    return Math.max(
      0,
      value(one) + ((value(other) - value(one)) * (lists - one.lists)) / (other.lists - one.lists),
    );
  };
  const perItem = ({ step, stepOfAll }: MeasuredCost) => Math.max(0, stepOfAll - step) / (LANES - 1);
  return {
    read: (lists, items) =>
      of(({ parse, step }) => parse + step, lists) + of(perItem, lists) * Math.max(0, items - 1),
    write: (lists) => of(({ store }) => store, lists),
  };
}

function queueOf(lists: number, groups: number): Queue {
  let queue: Queue = EMPTY_QUEUE;
  const added = Array.from({ length: lists }, (_, index) => ({
    ...{ id: `0123456789abcdef-${index}`, rev: '0123456789abcdef', group: `group-${index % groups}` },
    ...{ count: 2, secondsPerItem: 8.7 + (index % 100) / 100 },
    ...{ queuedAt: NOW.toISOString(), next: 0, returned: [], givenUp: [] },
  }));
  queue = { ...queue, lists: added };
  const { queue: withWorkers, calls } = called(queue, { lanes: [LANES], by: 'c', now: NOW });
  if (calls.length === 0) return enqueued(withWorkers, { ...list(0), group: '' }, NOW);
  return begun(withWorkers, calls[0]!, { by: 'w', now: NOW })!;
}

const list = (index: number) => ({ id: `${index}`, rev: 'r', count: 2, secondsPerItem: 1 });

const atWork = (queue: Queue, items: number): Queue =>
  stepped(queue, 0, { by: 'w', settlements: [], known: new Set(), most: items, now: NOW }).queue;

const LEAST_MS = 300;

/** The mean of as many runs as fill a while, after it has been compiled. */
function cpuSecondsOf(work: () => unknown): number {
  for (let run = 0; run < 3; run += 1) work();
  let runs = 0;
  const before = process.cpuUsage();
  const until = performance.now() + LEAST_MS;
  do {
    work();
    runs += 1;
  } while (performance.now() < until);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / runs;
}
