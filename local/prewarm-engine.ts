// Runs work lists on one machine. Knows nothing of video: a list of items, a worker for one, what to do at the end.
// Viewers go first: while one of them waits for something to be made, no new item is begun.

export interface Engine<Subject> {
  /** Begins a list of work for `subject`; asking again while it runs changes nothing. */
  start(name: string, subject: Subject, items: readonly unknown[]): void;
  /** Holds the next items back while `work` runs. */
  meanwhile<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when no list is running. */
  idle(): Promise<void>;
}

export interface EngineOptions<Subject> {
  work(item: unknown): Promise<void>;
  /** Called once at the end of each list: everything was done, or something failed `attempts` times. */
  end(subject: Subject, outcome: { failed: boolean }): Promise<void>;
  attempts: number;
}

export function prewarmEngine<Subject>({ work, end, attempts }: EngineOptions<Subject>): Engine<Subject> {
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

  async function attempt(job: () => Promise<void>): Promise<boolean> {
    for (let left = attempts; left > 0; left -= 1) {
      try {
        await inTurn(job);
        return true;
      } catch (error) {
        console.error(error);
      }
    }
    return false;
  }

  async function runList(subject: Subject, items: readonly unknown[]): Promise<void> {
    let failed = false;
    // One that cannot be done is no reason to leave the others undone.
    for (const item of items) if (!(await attempt(() => work(item)))) failed = true;
    if (!failed) failed = !(await attempt(() => end(subject, { failed: false })));
    if (failed) await attempt(() => end(subject, { failed: true }));
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
