// Processes that stand still. Whoever stops one has to be there to let it go on: a shell waits beside us for our end, and
// does so where we are killed. (What it wakes then finds nobody to read from or to write to, and ends.)

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

const stopped = new Set<ChildProcess>();
let waker: ChildProcess | undefined;

/** Each line that it is told takes the place of the one before. */
const WAKER = 'while read -r pids; do awake=$pids; done; [ -z "$awake" ] || kill -CONT $awake';

export function standStill(child: ChildProcess): void {
  if (stopped.has(child) || child.exitCode !== null || child.signalCode !== null) return;
  stopped.add(child);
  child.once('exit', forget);
  // First, as whoever is killed in between must not leave it behind.
  tellWaker();
  child.kill('SIGSTOP');
}

export function goOn(child: ChildProcess): void {
  if (!stopped.delete(child)) return;
  child.off('exit', forget);
  child.kill('SIGCONT');
  tellWaker();
}

function forget(this: ChildProcess): void {
  stopped.delete(this);
  tellWaker();
}

function tellWaker(): void {
  if (stopped.size > 0) waker ??= begun();
  waker?.stdin!.write(`${[...stopped].map(({ pid }) => pid).join(' ')}\n`);
}

/** Without one, where no process can be started, what stands still is only not woken if we are killed. */
function begun(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', WAKER], { env: {}, stdio: ['pipe', 'ignore', 'ignore'] });
  const end = () => {
    if (waker === child) waker = undefined;
  };
  child.once('exit', end).once('error', end);
  child.stdin.on('error', end);
  // It is no reason for us to stay.
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}
