// Processors of one machine, in a simulation: who works shares them evenly with the others.

import type { VirtualClock } from './virtual-clock.ts';

export interface SharedProcessors {
  /** Ends when so much has been done for it. */
  work(cpuSeconds: number): Promise<void>;
}

/** @param most processors that one of them can use */
export function sharedProcessors(
  processors: number,
  most: number,
  { now, sleep }: Pick<VirtualClock, 'now' | 'sleep'>,
): SharedProcessors {
  const works = new Set<{ left: number; end: () => void }>();
  let [lookedAt, looks] = [0, 0];

  const speed = () => Math.min(most, processors / works.size);

  /** Whenever somebody comes or goes, all go on at another speed. */
  function look(): void {
    const done = (now() - lookedAt) * speed();
    lookedAt = now();
    for (const work of works) {
      work.left -= done;
      if (work.left > 1e-9) continue;
      works.delete(work);
      work.end();
    }
  }

  function waitForNext(): void {
    looks += 1;
    const own = looks;
    if (works.size === 0) return;
    const least = Math.min(...[...works].map(({ left }) => left));
    void sleep(least / speed()).then(() => {
      if (own !== looks) return;
      look();
      waitForNext();
    });
  }

  return {
    work: (cpuSeconds) =>
      new Promise((end) => {
        if (works.size > 0) look();
        else lookedAt = now();
        works.add({ left: cpuSeconds, end });
        waitForNext();
      }),
  };
}
