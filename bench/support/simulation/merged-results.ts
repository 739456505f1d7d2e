// Several simulations of the same, by other chances, as one result.

import type { Result } from './simulation.ts';

/** Shares and dollars are means, the worst is the worst of all, and the rest is added up. */
export function merged(results: readonly Result[]): Result {
  const mean = (of: (result: Result) => number) => total(of) / results.length;
  const total = (of: (result: Result) => number) => results.reduce((sum, each) => sum + of(each), 0);
  const most = (of: (result: Result) => number) => Math.max(...results.map(of));
  return {
    videos: results.flatMap(({ videos }) => videos),
    seconds: most(({ seconds }) => seconds),
    lanes: {
      mostAtOnce: most(({ lanes }) => lanes.mostAtOnce),
      used: mean(({ lanes }) => lanes.used),
      idleThoughWork: mean(({ lanes }) => lanes.idleThoughWork),
      longestIdleSeconds: most(({ lanes }) => lanes.longestIdleSeconds),
      secondsByGroup: added(results.map(({ lanes }) => lanes.secondsByGroup)),
    },
    seekWaits: results.flatMap(({ seekWaits }) => seekWaits),
    seekSeconds: results.flatMap(({ seekSeconds }) => seekSeconds),
    ingestWaits: results.flatMap(({ ingestWaits }) => ingestWaits),
    refused: {
      executions: total(({ refused }) => refused.executions),
      machines: total(({ refused }) => refused.machines),
      growth: total(({ refused }) => refused.growth),
    },
    queue: {
      reads: total(({ queue }) => queue.reads),
      writes: total(({ queue }) => queue.writes),
      lost: total(({ queue }) => queue.lost),
      mostLostInARow: most(({ queue }) => queue.mostLostInARow),
      givenUp: total(({ queue }) => queue.givenUp),
      mostLists: most(({ queue }) => queue.mostLists),
    },
    outcomes: added(results.map(({ outcomes }) => outcomes)),
    longestItemSeconds: most(({ longestItemSeconds }) => longestItemSeconds),
    dollars: mean(({ dollars }) => dollars),
  };
}

function added(maps: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, value] of maps.flatMap((map) => [...map])) sums.set(name, (sums.get(name) ?? 0) + value);
  return sums;
}
