// How many chunks are encoded ahead of time at once, and who looks after them.

/** With its worker, eight of the ten executions that a new account has. */
export const DEFAULT_PREWARM_CONCURRENCY = 7;

/** A worker only waits for those who encode; so many of them it has memory for, and connections. */
const MOST_LANES_PER_WORKER = 24;

/**
 * Chunks at a time of each worker, which takes an execution of its own beside theirs.
 * @param concurrency of all together
 */
export const lanesOf = (concurrency: number): number[] =>
  Array.from({ length: Math.ceil(concurrency / MOST_LANES_PER_WORKER) }, (_, worker) =>
    Math.min(MOST_LANES_PER_WORKER, concurrency - worker * MOST_LANES_PER_WORKER),
  );
