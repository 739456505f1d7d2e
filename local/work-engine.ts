// The engine of one machine: runs work lists. Knows nothing of video: a list of items, a worker for one, what to do at the end.
// Viewers go first: while one of them waits for something to be made, no new item is begun.

import { backoffMs, pause } from '../machine/patience.ts';

export interface Engine<Subject> {
  /** Begins a list of work for `subject`; asking again while it runs changes nothing. */
  start(name: string, subject: Subject, items: readonly unknown[]): void;
  /** Holds the next items back while `work` runs. */
  meanwhile<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when no list is running. */
  idle(): Promise<void>;
}

export interface EngineOptions<Subject> {
  /** Says itself what it failed with, and of which video: the function does (withFailureLogged, pipeline/observe.ts). */
  work(item: unknown): Promise<void>;
  /**
   * Called at the end of each list. Where nothing failed and it throws, the list has failed with that; where something
   * did, it is called until it does not throw: nobody else would ever hear of the list.
   * @param errors what the last attempts at items failed with
   */
  end(subject: Subject, errors: readonly unknown[]): Promise<void>;
  /** How often the items that fail are tried, with a pause before all of them are tried again. */
  attempts: number;
  /** Before the next attempt, after so many. @default machine/patience.ts, ten times as long */
  pauseMs?: (attempts: number) => number;
}

export function workEngine<Subject>({
  work,
  end,
  attempts,
  pauseMs = (failures) => 10 * backoffMs(failures),
}: EngineOptions<Subject>): Engine<Subject> {
  const running = new Map<string, Promise<void>>();
  let viewers = 0;
  let wake: (() => void)[] = [];
  let queue: Promise<unknown> = Promise.resolve();

  const viewersServed = async (): Promise<void> => {
    while (viewers > 0) await new Promise<void>((resolve) => wake.push(resolve));
  };

  /** One item at a time over all lists: an encoder uses all cores by itself. */
  const inTurn = (job: () => Promise<void>): Promise<void> => {
    const turn = queue.then(viewersServed).then(job);
    queue = turn.catch(() => undefined);
    return turn;
  };

  /** What the job failed with, if it did. */
  const failureOf = (job: () => Promise<void>): Promise<unknown> =>
    inTurn(job).then(
      () => undefined,
      (error: unknown) => error,
    );

  /** One that cannot be done is no reason to leave the others undone, nor to wait with them. */
  async function runItems(items: readonly unknown[]): Promise<unknown[]> {
    let left = items;
    for (let attempt = 1; ; attempt += 1) {
      const failed: { item: unknown; error: unknown }[] = [];
      for (const item of left) {
        const error = await failureOf(() => work(item));
        if (error !== undefined) failed.push({ item, error });
      }
      if (failed.length === 0 || attempt === attempts) return failed.map(({ error }) => error);
      left = failed.map(({ item }) => item);
      await pause(pauseMs(attempt));
    }
  }

  async function runList(subject: Subject, items: readonly unknown[]): Promise<void> {
    let errors = await runItems(items);
    for (let failures = 1; ; failures += 1) {
      const error = await failureOf(() => end(subject, errors));
      if (error === undefined) return;
      if (errors.length === 0 && failures >= attempts) errors = [error];
      await pause(pauseMs(failures));
    }
  }

  return {
    start(name, subject, items) {
      if (running.has(name)) return;
      running.set(
        name,
        runList(subject, items).finally(() => running.delete(name)),
      );
    },
    async meanwhile(job) {
      viewers += 1;
      try {
        return await job();
      } finally {
        viewers -= 1;
        const waiting = wake;
        wake = [];
        waiting.forEach((resume) => resume());
      }
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}
