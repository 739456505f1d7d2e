// Runs ffmpeg and ffprobe: without our environment, within limits, and never longer than they are wanted.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { FfmpegError } from '../core/errors.ts';

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
  /** Gives way to everything else on the machine (nice 19). */
  background?: boolean;
  signal?: AbortSignal;
  /** Takes what it prints, as it comes and however much it is; where this fails, the process is ended. */
  output?: (stdout: Readable) => Promise<void>;
}

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
 * Runs a binary and resolves with what it printed on stdout.
 * @throws FfmpegError where it exits with anything but 0, is killed, or prints more than 16 MiB.
 */
export function run(path: string, args: readonly string[], options: RunOptions): Promise<Buffer> {
  options.signal?.throwIfAborted();
  // The limits are the shell's: they hold for the process from its first instruction, threads included.
  const blocks = Math.ceil(options.maxFileBytes / 512);
  const kilobytes = Math.floor(options.maxMemoryBytes / 1024);
  const limits = `ulimit -f ${blocks}; ulimit -c 0; ulimit -v ${kilobytes} 2>/dev/null`;
  const script = `${limits}; exec ${options.background ? 'nice -n 19 ' : ''}"$0" "$@"`;
  const child = spawn('/bin/sh', ['-c', script, path, ...args], {
    env: { ...ENVIRONMENT, PATH: '/usr/local/bin:/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderrTail = '';
  let reason: 'time' | 'output' | undefined;
  const stop = () => child.kill('SIGKILL');
  const timer = setTimeout(() => {
    reason = 'time';
    stop();
  }, options.timeoutSeconds * 1000);
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
    stderrTail = (stderrTail + bytes.toString('utf8')).slice(-STDERR_TAIL_CHARACTERS);
  });
  return new Promise<Buffer>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (options.signal?.aborted) return reject(options.signal.reason as Error);
      if (code === 0 && !reason) return resolve(taken.then(() => Buffer.concat(stdout)));
      const ended = {
        time: `took longer than ${options.timeoutSeconds} s`,
        output: 'printed too much',
        none: signal ? `was ended by ${signal}` : `exited with ${code}`,
      }[reason ?? 'none'];
      const command = [path, ...args].map(quoted).join(' ');
      const failure = new FfmpegError(`${options.task}: ${ended}`, {
        command,
        stderrTail,
        timedOut: reason === 'time',
        signal: reason || !signal ? undefined : signal,
      });
      // Whoever takes the output may have failed first.
      taken.then(() => reject(failure), reject);
    });
  }).finally(() => {
    running.delete(child);
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
  });
}

const quoted = (argument: string): string =>
  /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
