// Runs ffmpeg and ffprobe: without our environment, within limits, a few at a time, and never longer than they are
// wanted. What says something of the source is told apart from what says something of this machine.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism, constants, setPriority, totalmem } from 'node:os';
import type { Readable } from 'node:stream';
import { FfmpegError, OutageError } from '../core/errors.ts';
import type { OutageCode } from '../core/errors.ts';
import { pausableTimer } from './pausable-timer.ts';
import type { PausableTimer } from './pausable-timer.ts';
import { precedence } from './precedence.ts';
import type { GivingWay } from './precedence.ts';
import { goOn, standStill } from './standstill.ts';
import { waitingLine } from './waiting-line.ts';
import type { WaitingLine } from './waiting-line.ts';

export interface FfmpegBinaries {
  ffmpegPath: string;
  ffprobePath: string;
}

export interface RunOptions {
  /** What is being done, for the error message: `segments 8–15 of all renditions`. */
  task: string;
  timeoutSeconds: number;
  /** No file it writes may grow larger. */
  maxFileBytes: number;
  /** Address space it may take. macOS does not hold it to that. */
  maxMemoryBytes: number;
  /** Where it waits for its turn. */
  line: Line;
  /** Ends it. */
  signal?: AbortSignal;
  /** Until it must have ended, whatever `timeoutSeconds` says; asked again and again. Where there is none, it is not begun. */
  secondsLeft?: (() => number) | undefined;
  /**
   * When nobody wants it any more: what waits for its turn or has hardly begun is given up. What has run for longer is
   * brought to its end, since whoever comes back after a timeout of his own would never get it otherwise.
   */
  leave?: AbortSignal | undefined;
  /** Takes what it prints, as it comes and however much it is; where this fails, the process is ended. */
  output?: (stdout: Readable) => Promise<void>;
  /** Listens to what it says, and to more of that than otherwise. */
  listener?: Listener;
}

export interface Listener {
  /** Takes the place of `-v` and its level, where `-nostdin` is among the arguments. */
  options: readonly string[];
  /** Takes what is said, as it comes, and returns what an error may quote. */
  push(text: string): string;
}

/**
 * Encoders at once, by cores, and by memory where that is short: one takes some hundred MB. Each line has places of its
 * own, so that a viewer does not wait for a chunk made ahead of time, nor whoever only looks at a source for any
 * encoder.
 */
const CORES = availableParallelism();
const ENCODERS = Math.max(1, Math.min(CORES, Math.floor(totalmem() / 1024 ** 3)));

/** So many encoders of chunks that are made ahead of time, and as many of pictures. */
export const ENCODERS_IN_BACKGROUND = Math.max(1, Math.floor(ENCODERS / 2));

/** `first`: somebody waits for it. `giving way`: nobody does, so it stands still where that would be in the way. */
type Urgency = 'first' | 'giving way' | 'neither';
const LINES = {
  /** What somebody watches next. */
  viewers: { places: waitingLine(Math.max(2, ENCODERS)), urgency: 'first' },
  /** Pictures. */
  stills: { places: waitingLine(ENCODERS_IN_BACKGROUND), urgency: 'giving way' },
  /** What is made ahead of time. */
  background: { places: waitingLine(ENCODERS_IN_BACKGROUND), urgency: 'giving way' },
  /** Looks at a source, and hardly works. */
  looking: { places: waitingLine(4 * ENCODERS), urgency: 'first' },
  /** Reads a whole source, and hardly works, but for long. */
  copying: { places: waitingLine(4 * ENCODERS), urgency: 'neither' },
} as const satisfies Record<string, { places: WaitingLine; urgency: Urgency }>;
export type Line = keyof typeof LINES;

/** An encoder of a low rung keeps about so many cores busy. */
const CORES_OF_ONE = 2;
const order = precedence({
  beside: Math.max(0, Math.floor(CORES / CORES_OF_ONE) - 1),
  mostStoppedMs: 10_000,
  turnMs: 1000,
});

/** How often a process is asked whether it has any time left. */
const LOOK_EVERY_MS = 500;

/** What has run for less has not cost much. */
const HARDLY_BEGUN_MS = 1000;

// No encoder outlives us.
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

const MAX_STDOUT_BYTES = 16 * 1024 * 1024;
const STDERR_TAIL_CHARACTERS = 4000;

/**
 * The static builds of 2023 crash on every MPEG-TS file: reading the service's name calls iconv, which tries to load
 * its modules into a static binary. Where it finds no modules it does without.
 */
const ENVIRONMENT = {
  GCONV_PATH: '/nonexistent',
  LC_ALL: 'C',
  // Otherwise every thread reserves 64 MB of address space for itself, and a limit on it means little.
  MALLOC_ARENA_MAX: '2',
};

/** The binaries that npm installs for this machine. */
export function installedBinaries(): FfmpegBinaries {
  const require = createRequire(import.meta.url);
  const pathOf = (name: string): string => (require(name) as { path: string }).path;
  return {
    ffmpegPath: pathOf('@ffmpeg-installer/ffmpeg'),
    ffprobePath: pathOf('@ffprobe-installer/ffprobe'),
  };
}

/**
 * Tries both binaries, so that whoever deploys a wrong one hears of it before anybody's file does.
 * @throws OutageError TOOL_UNAVAILABLE
 */
export async function checkBinaries({ ffmpegPath, ffprobePath }: FfmpegBinaries): Promise<void> {
  await Promise.all([worksOnce(ffmpegPath), worksOnce(ffprobePath)]);
}

const working = new Map<string, Promise<unknown>>();

/** A binary that has told its version works; one that has not is asked again. */
function worksOnce(path: string): Promise<unknown> {
  const known = working.get(path);
  if (known) return known;
  const options = {
    task: `try of ${path}`,
    timeoutSeconds: 60,
    maxFileBytes: 0,
    maxMemoryBytes: TRY_MEMORY_BYTES,
  };
  const asked = spawned(path, ['-version'], options).catch((error: unknown) => {
    working.delete(path);
    if (!(error instanceof FfmpegError)) throw error;
    throw new OutageError('TOOL_UNAVAILABLE', error.message, { cause: error });
  });
  working.set(path, asked);
  return asked;
}

const TRY_MEMORY_BYTES = 1024 ** 3;

/**
 * Runs a binary when it is its turn, and resolves with what it printed on stdout.
 * @throws FfmpegError where it exits with anything but 0, crashes, or prints more than 16 MiB. OutageError where that
 *   says nothing of what it was given: TOOL_UNAVAILABLE where it could not be started or was ended from outside,
 *   STORAGE_FULL, TIMED_OUT. The reason of `signal` or `leave`.
 */
export async function run(path: string, args: readonly string[], options: RunOptions): Promise<Buffer> {
  options.signal?.throwIfAborted();
  await worksOnce(path);
  const { places, urgency } = LINES[options.line];
  return places.through(() => {
    options.signal?.throwIfAborted();
    if (isTimeUp(options)) throw new OutageError('TIMED_OUT', `${options.task}: no time is left to begin it`);
    const inTurn = () =>
      unlessGivenUp(options, (signal) => spawned(path, args, { ...options, signal, urgency }));
    return urgency === 'first' ? order.first(inTurn) : inTurn();
  }, options.leave);
}

const isTimeUp = ({ secondsLeft }: Pick<RunOptions, 'secondsLeft'>): boolean =>
  secondsLeft !== undefined && secondsLeft() <= 0;

/** With a signal that fires where it is ended from outside, or nobody wants it any more while it has hardly begun. */
async function unlessGivenUp<T>(
  { signal, leave }: Pick<RunOptions, 'signal' | 'leave'>,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (!leave) return work(signal);
  const givenUp = new AbortController();
  const giveUp = () => givenUp.abort(leave.reason);
  const keep = () => leave.removeEventListener('abort', giveUp);
  leave.addEventListener('abort', giveUp, { once: true });
  const isUnderWay = setTimeout(keep, HARDLY_BEGUN_MS);
  try {
    return await work(signal ? AbortSignal.any([signal, givenUp.signal]) : givenUp.signal);
  } finally {
    clearTimeout(isUnderWay);
    keep();
  }
}

/** Its threads inherit it: none has been started yet. Not by `nice`, which not every image of a system has. */
function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or a sandbox does not allow that: then it does not give way.
  }
}

interface SpawnOptions extends Omit<RunOptions, 'line' | 'leave' | 'signal'> {
  signal?: AbortSignal | undefined;
  urgency?: Urgency;
}

function spawned(path: string, args: readonly string[], options: SpawnOptions): Promise<Buffer> {
  // The limits are the shell's: they hold for the process from its first instruction, threads included.
  const blocks = Math.ceil(options.maxFileBytes / 512);
  const kilobytes = Math.floor(options.maxMemoryBytes / 1024);
  const limits = `ulimit -f ${blocks}; ulimit -c 0; ulimit -v ${kilobytes} 2>/dev/null`;
  const givesWay = options.urgency === 'giving way';
  const script = `${limits}; exec "$0" "$@"`;
  let child: ReturnType<typeof begun>;
  try {
    child = begun(script, [path, ...talkative(args, options.listener)]);
  } catch (error) {
    return Promise.reject(notStarted(options, error as Error));
  }
  const failedToStart = new Promise<never>((_, reject) => {
    child.on('error', (error) => reject(notStarted(options, error)));
  });
  // Where descriptors have run out, there is not even something to read from.
  if (child.pid === undefined) return failedToStart;
  failedToStart.catch(() => undefined); // raced with below
  running.add(child);
  if (givesWay) lowerPriority(child.pid);
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderrTail = '';
  let reason: Ending['reason'];
  const stop = () => child.kill('SIGKILL');
  const timer = pausableTimer(options.timeoutSeconds * 1000, () => {
    reason = 'time';
    stop();
  });
  const stopInTime = () => {
    if (!isTimeUp(options)) return;
    reason ??= 'no time';
    stop();
  };
  const looking = options.secondsLeft && setInterval(stopInTime, LOOK_EVERY_MS);
  const isOver = givesWay ? order.givesWay(standingStill(child, timer)) : undefined;
  options.signal?.addEventListener('abort', stop, { once: true });
  const collect = async (output: Readable): Promise<void> => {
    for await (const bytes of output as AsyncIterable<Buffer>) {
      stdoutBytes += bytes.length;
      if (stdoutBytes > MAX_STDOUT_BYTES) {
        reason = 'output';
        stop();
        return;
      }
      stdout.push(bytes);
    }
  };
  const taken = (options.output ?? collect)(child.stdout).catch((error: unknown) => {
    stop();
    throw error;
  });
  taken.catch(() => undefined); // looked at when the process has ended
  child.stderr.on('data', (bytes: Buffer) => {
    const said = bytes.toString('utf8');
    stderrTail = (stderrTail + (options.listener?.push(said) ?? said)).slice(-STDERR_TAIL_CHARACTERS);
  });
  const ended = new Promise<Buffer>((resolve, reject) => {
    child.on('close', (code, signal) => {
      if (options.signal?.aborted) return reject(options.signal.reason as Error);
      const outage = outageOf({ code, signal, stderrTail, reason, writes: options.maxFileBytes > 0 });
      if (code === 0 && !reason && !outage) return resolve(taken.then(() => Buffer.concat(stdout)));
      const how = {
        time: `took longer than ${options.timeoutSeconds} s`,
        'no time': 'was ended, as no time is left',
        output: 'printed too much',
        none: signal ? `was ended by ${signal}` : `exited with ${code}`,
      }[reason ?? 'none'];
      const failure = new FfmpegError(`${options.task}: ${how}`, {
        command: [path, ...args].map(quoted).join(' '),
        stderrTail,
        signal: reason || !signal ? undefined : signal,
      });
      // Whoever takes the output may have failed first.
      taken.then(
        () => reject(outage ? new OutageError(outage, failure.message, { cause: failure }) : failure),
        reject,
      );
    });
  });
  return Promise.race([ended, failedToStart]).finally(() => {
    running.delete(child);
    isOver?.();
    timer.clear();
    clearInterval(looking);
    options.signal?.removeEventListener('abort', stop);
  });
}

/** The time that it stands still does not count against it. */
const standingStill = (child: ChildProcess, timer: PausableTimer): GivingWay => ({
  stop() {
    timer.pause();
    standStill(child);
  },
  goOn() {
    goOn(child);
    timer.goOn();
  },
});

const begun = (script: string, args: readonly string[]) =>
  spawn('/bin/sh', ['-c', script, ...args], {
    env: { ...ENVIRONMENT, PATH: '/usr/local/bin:/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const notStarted = ({ task }: Pick<RunOptions, 'task'>, error: Error): OutageError =>
  new OutageError('TOOL_UNAVAILABLE', `${task}: ${error.message}`, { cause: error });

/**
 * An ffmpeg that is asked to end while it opens its source says that the source is bad, and exits with 1. Only among its
 * messages of this level is what really happened. (ffprobe, which knows no `-nostdin`, is ended by the signal.)
 */
const talkative = (args: readonly string[], listener: Listener | undefined): readonly string[] =>
  args[0] === '-v' && args.includes('-nostdin')
    ? ['-hide_banner', '-nostats', ...(listener?.options ?? ['-v', 'info']), ...args.slice(2)]
    : args;

const WAS_TOLD_TO_END = /^Exiting normally, received signal \d+\.$/m;
/** What a file says of itself is printed as well, but indented. */
const NO_SPACE = /^\S.*(No space left on device|Disk quota exceeded)/m;

interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderrTail: string;
  reason: 'time' | 'no time' | 'output' | undefined;
  writes: boolean;
}

/**
 * What a shell exits with where it could not start what it was told to (not to be executed, not there); and ffmpeg, where
 * somebody asked it to end, which it does in good order, with half of what it was to make.
 */
const NOT_ITS_OWN = [126, 127, 255];
/** Signals that a process brings upon itself, by what it computes or by what it writes. */
const ITS_OWN: readonly string[] = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGXFSZ'];

/** Undefined where the ending may be the source's own doing. */
function outageOf({ code, signal, stderrTail, reason, writes }: Ending): OutageCode | undefined {
  const isFull = writes && NO_SPACE.test(stderrTail);
  // What was written before it was ended counts: not where that may have holes.
  if (reason === 'time' || reason === 'no time') return isFull ? 'STORAGE_FULL' : 'TIMED_OUT';
  if (reason === 'output') return undefined;
  if (signal ? !ITS_OWN.includes(signal) : NOT_ITS_OWN.includes(code ?? 0)) return 'TOOL_UNAVAILABLE';
  if (WAS_TOLD_TO_END.test(stderrTail)) return 'TOOL_UNAVAILABLE';
  // It may exit with 0 even so.
  return isFull ? 'STORAGE_FULL' : undefined;
}

const quoted = (argument: string): string =>
  /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
