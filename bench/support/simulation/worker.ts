// A worker of the prewarm in a simulation: what pipeline/prewarm/worker.ts does, and what calls it again
// (lib/work-state-machine.ts), with core/work/admission.ts itself in between.

import type { QueuedList, RunningItem } from '../../../core/records/queue.ts';
import { begun, stepped } from '../../../core/work/admission.ts';
import type { Call, Outcome, Settlement, Step } from '../../../core/work/admission.ts';
import { LEAST_SECONDS } from '../../../core/work/deadlines.ts';
import type { Shift } from '../../../pipeline/prewarm/worker.ts';
import { STEP_FUNCTIONS, WORKER } from './parameters.ts';
import { Throttled, secondsOf } from './account.ts';
import type { Account } from './account.ts';
import type { SimulatedQueue } from './queue.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface WorkerWorld {
  clock: VirtualClock;
  queue: SimulatedQueue;
  /** Makes an item, as far as time is left. */
  make(item: RunningItem, list: QueuedList | undefined, secondsLeft: number): Promise<Outcome>;
  /** How many seconds a call has. */
  callSeconds: number;
}

const OVER: Shift = { more: false, waitSeconds: 0 };

export async function workOff(call: Call, by: string, lanes: number, world: WorkerWorld): Promise<Shift> {
  const { clock, queue } = world;
  const endsAt = clock.now() + world.callSeconds;
  if (!(await begin(call, by, world))) return OVER;
  const atWork = new Map<number, Promise<void>>();
  let ended: Settlement[] = [];
  let [refusals, refusedUntil] = [0, 0];
  let wake: () => void = () => undefined;

  const doItem = async (item: RunningItem, list: QueuedList | undefined): Promise<void> => {
    const outcome = await world.make(item, list, endsAt - clock.now());
    if (outcome === 'busy') {
      const { first, longest } = WORKER.refusedSeconds;
      refusedUntil = clock.now() + Math.min(longest, first * 2 ** refusals);
      refusals += 1;
    } else refusals = 0;
    ended.push({ ticket: item.ticket, outcome });
    atWork.delete(item.ticket);
    wake();
  };

  const step = async (settlements: readonly Settlement[], most: number): Promise<Step> => {
    const known = new Set(atWork.keys());
    let made: Step | undefined;
    await queue.update(
      (before) => {
        const now = dateAt(clock.now());
        made = stepped(before, call.worker, { by, settlements, known, most, now });
        return made.queue === before ? undefined : made.queue;
      },
      settlements.length + Math.min(most, 24),
    );
    return made!;
  };

  for (;;) {
    const pauseSeconds = refusedUntil - clock.now();
    const takesMore = endsAt - clock.now() > LEAST_SECONDS && pauseSeconds <= 0;
    const settlements = ended;
    ended = []; // what ends during the step is for the next one
    const { queue: after, taken, afterwards } = await step(settlements, takesMore ? lanes - atWork.size : 0);
    for (const item of taken) {
      const list = after.lists.find(({ id, rev }) => id === item.id && rev === item.rev);
      atWork.set(item.ticket, doItem(item, list));
    }
    if (afterwards === 'stop') {
      await Promise.all(atWork.values());
      if (ended.length > 0) await step(ended, 0);
      return OVER;
    }
    if (atWork.size === 0 && ended.length === 0 && taken.length === 0) {
      const { longestWaitSeconds } = WORKER;
      const seconds = pauseSeconds > 0 ? longestWaitSeconds : Math.ceil(afterwards.waitMs / 1000);
      return { more: true, waitSeconds: Math.min(longestWaitSeconds, seconds) };
    }
    if (ended.length > 0) continue;
    const { free, busy } = WORKER.looksSeconds;
    const looksSeconds = takesMore && atWork.size < lanes ? free : busy;
    const ends = new Promise<void>((resolve) => (wake = resolve));
    await Promise.race([
      ends,
      clock.sleep(pauseSeconds > 0 ? Math.min(looksSeconds, pauseSeconds) : looksSeconds),
    ]);
  }
}

async function begin(call: Call, by: string, { clock, queue }: WorkerWorld): Promise<boolean> {
  let isOwn = false;
  await queue.update((before) => {
    const after = begun(before, call, { by, now: dateAt(clock.now()) });
    isOwn = after !== undefined;
    return after;
  }, 1);
  return isOwn;
}

/** An execution of the state machine: calls the worker until nothing is left, or calling fails too often. */
export async function execution(
  call: Call,
  by: string,
  lanes: number,
  world: WorkerWorld & { account: Account; random: () => number; transition: () => void },
): Promise<void> {
  const { clock, account, random, transition } = world;
  const { transitionsPerTurn, throttled, failed } = STEP_FUNCTIONS;
  let turn = 0;
  let tries = { throttled: 0, failed: 0 };
  await clock.sleep(secondsOf(STEP_FUNCTIONS.start, random));
  for (;;) {
    let pauseSeconds: number;
    try {
      const shift = await account.invoke('transcode', '', () =>
        workOff(call, `${by} ${(turn += 1)}`, lanes, world),
      );
      for (let each = 0; each < transitionsPerTurn; each += 1) transition();
      if (!shift.more) return;
      tries = { throttled: 0, failed: 0 };
      pauseSeconds = shift.waitSeconds;
    } catch (error) {
      transition();
      if (error instanceof Throttled) {
        pauseSeconds = random() * Math.min(throttled.longestSeconds, 2 ** tries.throttled);
        if ((tries.throttled += 1) > throttled.attempts) return;
      } else {
        pauseSeconds = random() * 2 * 3 ** tries.failed;
        if ((tries.failed += 1) > failed.attempts) return;
      }
    }
    await clock.sleep(pauseSeconds + secondsOf(STEP_FUNCTIONS.transition, random));
  }
}

const START = Date.parse('2026-11-29T00:00:00Z');

/** The admission rules want dates. */
export const dateAt = (seconds: number): Date => new Date(START + Math.round(seconds * 1000));
