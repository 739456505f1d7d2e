// The queue of what is to be made ahead of time (core/work/admission.ts) as it is stored, and who is called to work at it.

import { randomUUID } from 'node:crypto';
import { QUEUE_KEY } from '../../core/artifacts/keys.ts';
import { EMPTY_QUEUE, QUEUE } from '../../core/records/queue.ts';
import type { Queue, QueuedList } from '../../core/records/queue.ts';
import { called, enqueued, isQueued, recovered, released } from '../../core/work/admission.ts';
import type { Call, NewList } from '../../core/work/admission.ts';
import type { Room } from '../../core/work/work.ts';
import { secondsSince } from '../observe.ts';
import { readRecord, updateRecord } from '../store.ts';
import type { World } from '../world.ts';

/** Calls one worker; harmless to do twice. `by` tells the calls of all times apart. */
export type CallWorker = (call: Call, by: string) => Promise<void>;

export interface Workers {
  /** How many items each of them has made at a time. */
  lanes: readonly number[];
  call: CallWorker;
}

type Media = Pick<World, 'media'>;

/**
 * Queues a list of work, and calls those who work it off. Where it is queued already nothing changes.
 * @throws OutageError, also where nobody could be called: the schedule calls another when this one has not come for minutes;
 *   RecordError
 */
export const enqueue = (list: NewList, media: Media, workers: Workers): Promise<void> =>
  change(media, workers, (queue, now) => enqueued(queue, list, now));

/** Calls as many workers as there is work for, and in the place of those that have not been heard of for too long. */
export const callWorkers = (media: Media, workers: Workers): Promise<void> =>
  change(media, workers, (queue) => queue);

async function change(
  { media }: Media,
  { lanes, call }: Workers,
  of: (queue: Queue, now: Date) => Queue,
): Promise<void> {
  const by = randomUUID();
  let calls: Call[] = [];
  await updateRecord(media, QUEUE, QUEUE_KEY, (before = EMPTY_QUEUE) => {
    const now = new Date();
    // Those of a write that succeeded though its answer was lost.
    const own = before.workers.flatMap((each, worker) => (each.by === by ? [{ worker, run: each.run }] : []));
    const wanted = of(recovered(before, now), now);
    const after = called(wanted, { lanes, by, now });
    calls = [...own, ...after.calls];
    return wanted === before && after.calls.length === 0 ? undefined : after.queue;
  });
  await Promise.all(calls.map((each) => call(each, by)));
}

/** How long the queue is, how old, and whether it moves. */
export async function observeQueue(world: Pick<World, 'media' | 'observe'>, now: Date): Promise<void> {
  const { lists, movedAt } = await storedQueue(world);
  const oldest = lists.map(({ queuedAt }) => queuedAt).sort()[0];
  if (oldest === undefined) return;
  const secondsWaited = secondsSince(new Date(oldest), now);
  // Nothing can have been done before there was something to do.
  const secondsStill = Math.min(
    secondsWaited,
    movedAt === null ? Infinity : secondsSince(new Date(movedAt), now),
  );
  world.observe({ event: 'queued', lists: lists.length, secondsWaited, secondsStill });
}

/** Whether a list waits or is worked at. */
export async function isInQueue(list: Pick<QueuedList, 'id' | 'rev'>, { media }: Media): Promise<boolean> {
  return isQueued(await storedQueue({ media }), list);
}

/** For a list that is about to be queued. */
export const roomIn = async ({ media, lanes }: Pick<World, 'media' | 'lanes'>): Promise<Room> => ({
  lanes,
  isEmpty: (await storedQueue({ media })).lists.length === 0,
});

export const storedQueue = async ({ media }: Media): Promise<Queue> =>
  (await readRecord(media, QUEUE, QUEUE_KEY)) ?? EMPTY_QUEUE;

/** For whoever knows that no worker is alive. */
export async function releaseWorkers({ media }: Media): Promise<void> {
  await updateRecord(media, QUEUE, QUEUE_KEY, (before) => {
    const after = before && released(before);
    return after === before ? undefined : after;
  });
}
