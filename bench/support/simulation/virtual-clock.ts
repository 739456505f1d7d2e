// A clock that jumps from one event to the next, so that a day of an account passes in seconds. What sleeps by it is
// ordinary asynchronous code, and wakes in the order of time; at the same time, in the order in which it fell asleep.

import { setImmediate } from 'node:timers/promises';

export interface VirtualClock {
  /** Seconds since the beginning. */
  now(): number;
  sleep(seconds: number): Promise<void>;
  /** Goes on until that is so, or nobody sleeps any more. */
  run(isOver: () => boolean): Promise<void>;
}

interface Sleeper {
  wakesAt: number;
  order: number;
  wake: () => void;
}

export function virtualClock(): VirtualClock {
  let [now, order] = [0, 0];
  const sleepers: Sleeper[] = [];
  return {
    now: () => now,
    sleep: (seconds) =>
      new Promise((wake) => {
        push(sleepers, { wakesAt: now + Math.max(0, seconds), order: (order += 1), wake });
      }),
    async run(isOver) {
      // What has not fallen asleep yet does so first.
      await setImmediate();
      while (!isOver()) {
        const next = pop(sleepers);
        if (!next) return;
        now = next.wakesAt;
        next.wake();
        await setImmediate(); // all that follows from it happens at the same time
      }
    },
  };
}

const isBefore = (one: Sleeper, other: Sleeper): boolean =>
  one.wakesAt < other.wakesAt || (one.wakesAt === other.wakesAt && one.order < other.order);

/** A binary heap: each is before the two at twice its place. */
function push(heap: Sleeper[], added: Sleeper): void {
  let place = heap.length;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!isBefore(added, heap[parent]!)) break;
    heap[place] = heap[parent]!;
    place = parent;
  }
  heap[place] = added;
}

function pop(heap: Sleeper[]): Sleeper | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (!last || heap.length === 0) return first;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
    if (!isBefore(heap[child]!, last)) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = last;
  return first;
}
