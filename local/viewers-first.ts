// Viewers go first: while one of them waits for something to be made, nothing is begun that is made ahead of time.

export interface ViewersFirst {
  /** Does what somebody waits for. */
  meanwhile<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when nobody waits. */
  served(): Promise<void>;
}

export function viewersFirst(): ViewersFirst {
  let viewers = 0;
  let waiting: (() => void)[] = [];
  return {
    async meanwhile(work) {
      viewers += 1;
      try {
        return await work();
      } finally {
        viewers -= 1;
        const resumed = waiting;
        waiting = [];
        // They look again: another viewer may have come.
        resumed.forEach((resume) => resume());
      }
    },
    async served() {
      while (viewers > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
