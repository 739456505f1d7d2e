// What the simulation of an account reckons with, each figure with where it is from. Nothing here was deployed: what is
// AWS's is by its documentation, or assumed, and says so. All spreads are assumed; how many requests something takes is counted in
// the code that it names.

import {
  DEFAULT_SANDBOX_MEMORY_MB,
  PREWARM_BROKER_MEMORY_MB,
  BROKER_MEMORY_MB,
} from '../../../core/sandboxes.ts';

/** A time that mostly takes as long, seldom longer. `spread` is the standard deviation of its logarithm. */
export interface Duration {
  medianSeconds: number;
  spread: number;
}

/** Processors of a sandbox: Lambda gives one for each 1,769 MB (AWS's documentation). */
export const SANDBOX_PROCESSORS = DEFAULT_SANDBOX_MEMORY_MB / 1769;
/** And of who looks after them. */
export const BROKER_PROCESSORS = PREWARM_BROKER_MEMORY_MB / 1769;

/** What a chunk, the stills or an end asks the store for before it begins: five requests or so (pipeline/derive/chunk.ts). */
export const REQUESTS_BEFORE_ITEM = 5;
/** What pipeline/life/finish.ts asks the store for, one after the other; and how often it lists all that is stored. */
export const REQUESTS_OF_END = 20;
export const LISTINGS_OF_END = 2;
export const KEYS_PER_PAGE = 1000;
/** Of the source, piece by piece, as core/work/cost.ts has it. */
export const READS_PER_CHUNK = 20;

/** Of machines that encode, so many take two to three times as long. Assumed: other customers are on the same processors. */
export const STRAGGLERS = { share: 0.02, least: 2, most: 3 };
/** And so many end before they are done. Assumed; Lambda promises nothing of a single machine. */
export const DEATHS_SHARE = 0.002;

export const STORE = {
  /** "Tens of milliseconds" for less than 512 KB, says AWS (Performance design patterns); the medians are remembered. */
  get: { medianSeconds: 0.02, spread: 0.4 },
  put: { medianSeconds: 0.04, spread: 0.4 },
  /** Of one connection: 85 to 90 MB in a second (the same page). */
  bytesPerSecond: 85e6,
  /** A page of a thousand keys. Remembered. */
  page: { medianSeconds: 0.1, spread: 0.4 },
};

/** One entry of the queue's record, as JSON: measured, a list with nothing returned. */
export const BYTES_PER_LIST = 185;

/**
 * Ours was measured as 0.6 s for each of two functions (docs/decisions/056, on two cores, with ffmpeg's layer), a machine of
 * AWS's own making comes on top: remembered.
 */
export const COLD_START: Duration = { medianSeconds: 1, spread: 0.35 };
/** An invocation of what is warm. Remembered. */
export const WARM_START: Duration = { medianSeconds: 0.02, spread: 0.4 };

/** AWS's documentation, "Lambda function scaling": so many executions more of each function in ten seconds. */
export const SCALING = { executions: 1000, seconds: 10 };
/** AWS's documentation, "Troubleshooting tenant isolation": of machines for tenants, busy or idle, for each execution. */
export const TENANT_MACHINES_PER_EXECUTION = 2.5;
/** So long an idle machine is kept. Assumed: AWS does not say; five to fifteen minutes have been seen. */
export const IDLE_SECONDS = 420;

export const FUNCTIONS = {
  ingest: { memoryMb: BROKER_MEMORY_MB, isOfTenants: false },
  origin: { memoryMb: BROKER_MEMORY_MB, isOfTenants: false },
  maintenance: { memoryMb: BROKER_MEMORY_MB, isOfTenants: false },
  transcode: { memoryMb: PREWARM_BROKER_MEMORY_MB, isOfTenants: false },
  sandbox: { memoryMb: DEFAULT_SANDBOX_MEMORY_MB, isOfTenants: true },
  prewarmSandbox: { memoryMb: DEFAULT_SANDBOX_MEMORY_MB, isOfTenants: true },
} as const;
export type FunctionName = keyof typeof FUNCTIONS;

/** lib/workers.ts; and what pipeline/prewarm/worker.ts waits for. */
export const WORKER = {
  callSeconds: 900,
  looksSeconds: { free: 1, busy: 30 },
  refusedSeconds: { first: 1, longest: 60 },
  longestWaitSeconds: 15,
};
/** Conditional writes that are lost in a row before a change is given up (pipeline/store.ts). */
export const MOST_LOST_WRITES = 50;

export const STEP_FUNCTIONS = {
  /** Remembered. */
  start: { medianSeconds: 0.06, spread: 0.4 },
  transition: { medianSeconds: 0.05, spread: 0.5 },
  /** Of a turn: call, choice, pause (lib/work-state-machine.ts). */
  transitionsPerTurn: 3,
  throttled: { attempts: 500, longestSeconds: 60 },
  failed: { attempts: 3 },
};

/** From the end of an upload to the call of `ingest`. AWS: "typically in seconds, but can sometimes take a minute". */
export const EVENT: Duration = { medianSeconds: 0.7, spread: 0.6 };
/** Lambda's own queue (AWS's documentation, "Asynchronous invocation"): pauses after throttles, and after errors. */
export const QUEUED_CALLS = { throttled: { first: 1, longest: 300 }, failed: [60, 120] };

/** Planning and the opening: bench/time-to-play, and twice that for a network between. */
export const OPENING: Duration = { medianSeconds: 2, spread: 0.3 };
/** The poster comes after the queue. */
export const POSTER_SECONDS = 0.5;
/** Requests of `ingest` beside: the plan, the playlists, the list of work. */
export const REQUESTS_OF_INGEST = 12;

/** Each five minutes (lib/schedules.ts). */
export const RESUME_SECONDS = 300;

/** A segment on demand of 1080p on a sandbox that is warm: bench/memory-sizes. */
export const SEGMENT: Duration = { medianSeconds: 1.11, spread: 0.3 };
/** hls.js repeats what was refused after so long. */
export const PLAYER_PAUSES_SECONDS = [1, 2, 4, 8];
/** Attempts of the SDK at a sandbox, where it is refused (lambdas/sandbox-client.ts, lambdas/transcode.ts). */
export const SANDBOX_ATTEMPTS = { viewers: 6, prewarm: 2 };
/** Before the second; twice that before the next, each by chance up to that (the SDK's standard mode). */
export const SDK_PAUSE_SECONDS = 0.5;
