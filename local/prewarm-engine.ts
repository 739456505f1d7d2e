// Runs work lists on one machine. Knows nothing of video: a list of items, a worker for one, what to do at the end.
// Viewers go first: while one of them waits for something to be made, no new item is begun.

export interface Engine {
  /** Begins a list; asking again while it runs changes nothing. */
  start(name: string, items: readonly unknown[]): void;
  /** Holds the next items back while `work` runs. */
  meanwhile<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when no list is running. */
  idle(): Promise<void>;
}

export interface EngineOptions {
  work(item: unknown): Promise<void>;
  /** Called once at the end of each list: everything was done, or something failed `attempts` times. */
  end(name: string, outcome: { failed: boolean }): Promise<void>;
  attempts: number;
}

export function prewarmEngine({ work, end, attempts }: EngineOptions): Engine {
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

  async function attempt(item: unknown): Promise<void> {
    for (let left = attempts; ; left -= 1) {
      try {
        return await inTurn(() => work(item));
      } catch (error) {
        if (left <= 1) throw error;
      }
    }
  }

  async function runList(name: string, items: readonly unknown[]): Promise<void> {
    let failed = false;
    try {
      for (const item of items) await attempt(item);
      await end(name, { failed: false });
    } catch (error) {
      failed = true;
      console.error(error);
    }
    if (failed) await end(name, { failed }).catch((error: unknown) => console.error(error));
  }

  return {
    start(name, items) {
      if (running.has(name)) return;
      running.set(
        name,
        runList(name, items).finally(() => running.delete(name)),
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
