// How well lanes are used: how many of them were at work, and for how long some were free though there was an item to take.

import type { Queue } from '../../../core/records/queue.ts';

export interface LaneFacts {
  mostAtOnce: number;
  /** Share of the lanes' time, from the first item to the last. */
  used: number;
  /** Of the lanes' time in which there was something for them, the share in which they did nothing. */
  idleThoughWork: number;
  /** The longest time for which some lane was free and some item could be taken. */
  longestIdleSeconds: number;
  secondsByGroup: ReadonlyMap<string, number>;
}

export interface OccupiedLanes {
  takes(group: string): void;
  leaves(group: string): void;
  changed(queue: Queue): void;
  facts(): LaneFacts;
}

/** @param lanes of all workers together */
export function occupiedLanes(lanes: number, now: () => number): OccupiedLanes {
  let [atWork, takeable, lookedAt, mostAtOnce] = [0, 0, 0, 0];
  let [firstAt, lastAt] = [Infinity, 0];
  let [usedSeconds, idleSeconds, wantedSeconds] = [0, 0, 0];
  let [idleSince, longestIdleSeconds] = [Infinity, 0];
  const secondsByGroup = new Map<string, number>();
  const atWorkOf = new Map<string, number>();

  /** Adds up what has been since somebody last looked. */
  function look(): void {
    const at = now();
    const seconds = at - lookedAt;
    const idle = Math.min(takeable, lanes - atWork);
    usedSeconds += seconds * atWork;
    idleSeconds += seconds * idle;
    wantedSeconds += seconds * (atWork + idle);
    for (const [group, count] of atWorkOf) {
      secondsByGroup.set(group, (secondsByGroup.get(group) ?? 0) + seconds * count);
    }
    lookedAt = at;
  }

  function noteIdle(): void {
    const isIdle = Math.min(takeable, lanes - atWork) > 0;
    if (isIdle && idleSince === Infinity) idleSince = now();
    if (!isIdle && idleSince !== Infinity) {
      longestIdleSeconds = Math.max(longestIdleSeconds, now() - idleSince);
      idleSince = Infinity;
    }
  }

  const move = (group: string, by: number): void => {
    look();
    atWork += by;
    atWorkOf.set(group, (atWorkOf.get(group) ?? 0) + by);
    mostAtOnce = Math.max(mostAtOnce, atWork);
    if (by > 0) firstAt = Math.min(firstAt, now());
    lastAt = now();
    noteIdle();
  };

  return {
    takes: (group) => move(group, 1),
    leaves: (group) => move(group, -1),
    changed(queue) {
      look();
      takeable = queue.lists.reduce((sum, list) => sum + takeableOf(list), 0);
      noteIdle();
    },
    facts: () => ({
      mostAtOnce,
      used: usedSeconds / (lanes * (lastAt - firstAt)),
      idleThoughWork: wantedSeconds === 0 ? 0 : idleSeconds / wantedSeconds,
      longestIdleSeconds,
      secondsByGroup,
    }),
  };
}

/** Beside the list's end, and what waits for a pause to be over. */
const takeableOf = ({ count, next, returned }: Queue['lists'][number]): number =>
  Math.max(0, count - next) + returned.filter(({ notBefore }) => notBefore === null).length;
