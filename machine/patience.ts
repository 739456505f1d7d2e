// How long to wait before something is tried again.

import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 100;
const LONGEST_MS = 5000;

/**
 * A pause that doubles with each failure, up to five seconds, and differs from one who waits to the next: all who met the
 * same fault would come back at once otherwise.
 * @param failures in a row, from 1
 */
export const backoffMs = (failures: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);

/** @throws the signal's reason */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { ...(signal ? { signal } : {}) }).catch(() => undefined);
  signal?.throwIfAborted();
}

/**
 * Does `work` until it goes well, with a pause before each repetition.
 * @param passes whether trying again may help
 * @throws what the last attempt threw
 */
export async function persistently<T>(
  work: () => Promise<T>,
  {
    attempts,
    passes,
    pauseMs = backoffMs,
  }: { attempts: number; passes: (error: unknown) => boolean; pauseMs?: (failures: number) => number },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (failures === attempts || !passes(error)) throw error;
      await pause(pauseMs(failures));
    }
  }
}
