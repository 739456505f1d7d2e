// The queue's record as S3 keeps it: read, changed and written where nobody has written meanwhile, which takes the time of a
// GET, of the change and of a PUT. Who loses reads it again.

import { EMPTY_QUEUE } from '../../../core/records/queue.ts';
import type { Queue } from '../../../core/records/queue.ts';
import { AWS_PRICES } from '../../../core/work/prices.ts';
import { pauseAfterLossMs } from '../../../pipeline/store.ts';
import type { AdmissionCost } from './admission-cost.ts';
import { BROKER_PROCESSORS, BYTES_PER_LIST, MOST_LOST_WRITES, STORE } from './parameters.ts';
import { secondsOf } from './account.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface SimulatedQueue {
  /** As `updateRecord` of pipeline/store.ts. @throws Error where too many writes in a row are lost */
  update(change: (before: Queue) => Queue | undefined, items: number): Promise<void>;
  stored(): Queue;
  facts(): Readonly<QueueFacts>;
}

export interface QueueFacts {
  reads: number;
  writes: number;
  lost: number;
  mostLostInARow: number;
  givenUp: number;
  mostLists: number;
}

export interface QueueLatency {
  get(bytes: number): number;
  put(bytes: number): number;
}

/** S3's. */
export const storeLatency = (random: () => number): QueueLatency => ({
  get: (bytes) => secondsOf(STORE.get, random) + bytes / STORE.bytesPerSecond,
  put: (bytes) => secondsOf(STORE.put, random) + bytes / STORE.bytesPerSecond,
});

/** @param changed is told of each write, after it */
export function simulatedQueue({
  clock,
  latency,
  cost,
  random,
  changed,
}: {
  clock: VirtualClock;
  random: () => number;
  latency: QueueLatency;
  cost: AdmissionCost;
  changed: (queue: Queue) => void;
}): SimulatedQueue {
  let queue = EMPTY_QUEUE;
  const facts: QueueFacts = { reads: 0, writes: 0, lost: 0, mostLostInARow: 0, givenUp: 0, mostLists: 0 };

  return {
    async update(change, items) {
      for (let lost = 0; lost < MOST_LOST_WRITES; lost += 1) {
        facts.mostLostInARow = Math.max(facts.mostLostInARow, lost);
        facts.reads += 1;
        const getSeconds = latency.get(queue.lists.length * BYTES_PER_LIST);
        await clock.sleep(getSeconds / 2);
        const before = queue;
        await clock.sleep(getSeconds / 2 + cost.read(before.lists.length, items) / BROKER_PROCESSORS);
        const after = change(before);
        if (!after) return;
        const putSeconds = latency.put(after.lists.length * BYTES_PER_LIST);
        await clock.sleep(cost.write(after.lists.length) / BROKER_PROCESSORS + putSeconds / 2);
        facts.writes += 1;
        const isWon = queue === before;
        if (isWon) {
          queue = after;
          facts.mostLists = Math.max(facts.mostLists, after.lists.length);
          changed(after);
        } else facts.lost += 1;
        await clock.sleep(putSeconds / 2);
        if (isWon) return;
        await clock.sleep(pauseAfterLossMs(lost + 1, random()) / 1000);
      }
      facts.givenUp += 1;
      throw new Error(`${MOST_LOST_WRITES} conditional writes in a row found the queue changed`);
    },
    stored: () => queue,
    facts: () => facts,
  };
}

/** What S3 takes for it. */
export const dollarsOfQueue = ({ reads, writes }: QueueFacts): number =>
  reads * AWS_PRICES.s3PerGet + writes * AWS_PRICES.s3PerPut;
