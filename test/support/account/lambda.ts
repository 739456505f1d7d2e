// A Lambda function: instances of its bundle, each a process that handles one invocation at a time and is frozen in
// between, as Lambda freezes it: what was left running after the answer does not go on.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Hurry, Invocation, Reply } from './lambda-runtime.ts';

export interface LambdaFunctionSettings {
  name: string;
  /** Holds the bundle, and nothing of node_modules above it. */
  directory: string;
  /** In which each instance has its own /tmp. */
  temporary: string;
  handler: string;
  environment: Record<string, string>;
  memoryMb: number;
  timeoutSeconds: number;
}

export interface Running {
  event: unknown;
  /** As when the machine below dies. */
  kill(): void;
  /** It is told that this is all the time it has left. (It is ended when its own is over.) */
  hurry(seconds: number): void;
}

export interface LambdaFunction {
  name: string;
  /** @param tenant of a function with tenant isolation: its instances serve no other */
  invoke(event: unknown, tenant?: string): Promise<Reply>;
  running(): readonly Running[];
  /** All that its instances have printed. */
  output(): string;
  /** Ends those that run nothing, as a deployment does: the next invocation is a cold start. */
  deployed(): void;
  stop(): Promise<void>;
}

export function lambdaFunction(settings: LambdaFunctionSettings): LambdaFunction {
  /** By tenant. */
  const idle = new Map<string, ChildProcess[]>();
  const idleOf = (tenant: string): ChildProcess[] => {
    const own = idle.get(tenant) ?? [];
    idle.set(tenant, own);
    return own;
  };
  const all = new Set<ChildProcess>();
  const running = new Set<Running>();
  let output = '';

  function start(): ChildProcess {
    const { name, directory, handler, memoryMb, environment } = settings;
    const temporary = mkdtempSync(join(settings.temporary, 'tmp-'));
    const options = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'lambda-runtime.ts')];
    const child = spawn(process.execPath, options, {
      cwd: directory,
      // What Lambda sets by itself, then what the template says. Nothing of ours.
      env: {
        _HANDLER: handler,
        LAMBDA_TASK_ROOT: directory,
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        AWS_LAMBDA_LOG_FORMAT: 'JSON',
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        PATH: '/usr/local/bin:/usr/bin:/bin',
        LANG: 'en_US.UTF-8',
        TZ: ':UTC',
        TMPDIR: temporary,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
    }
    all.add(child);
    child.once('exit', () => all.delete(child));
    return child;
  }

  async function invokeOn(child: ChildProcess, event: unknown, tenant: string): Promise<Reply> {
    const milliseconds = settings.timeoutSeconds * 1000;
    const requestId = randomUUID();
    let timedOut = false;
    const kill = () => void child.kill('SIGKILL');
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, milliseconds);
    const hurry = (seconds: number) =>
      void child.send({ requestId, deadlineMs: Date.now() + 1000 * seconds } satisfies Hurry);
    const invocation: Running = { event, kill, hurry };
    running.add(invocation);
    const ended = new AbortController();
    child.kill('SIGCONT');
    child.send({ event, requestId, deadlineMs: Date.now() + milliseconds } satisfies Invocation);
    try {
      const [reply] = (await Promise.race([
        once(child, 'message', { signal: ended.signal }),
        once(child, 'exit', { signal: ended.signal }).then(([code, signal]) => [
          timedOut ? TIMED_OUT : exitError(code as number | null, signal as string | null),
        ]),
      ])) as [Reply];
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGSTOP');
        idleOf(tenant).push(child);
      }
      return reply;
    } finally {
      ended.abort();
      clearTimeout(timer);
      running.delete(invocation);
    }
  }

  return {
    name: settings.name,
    invoke: (event, tenant = '') => invokeOn(idleOf(tenant).pop() ?? start(), event, tenant),
    running: () => [...running],
    output: () => output,
    deployed() {
      [...idle.values()].flat().forEach((child) => child.kill('SIGKILL'));
      idle.clear();
    },
    async stop() {
      await Promise.all(
        [...all].map((child) => {
          child.kill('SIGKILL');
          return once(child, 'exit');
        }),
      );
    },
  };
}

const failure = (errorType: string, errorMessage: string): Reply => ({
  error: { errorType, errorMessage, trace: [] },
});
const TIMED_OUT = failure('Sandbox.Timedout', 'Task timed out');
const exitError = (code: number | null, signal: string | null): Reply =>
  failure(
    'Runtime.ExitError',
    `Runtime exited with error: ${signal ? `signal: ${signal}` : `exit status ${code}`}`,
  );
