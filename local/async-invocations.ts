// Asynchronous invocations as Lambda makes them: accepted at once, run a few at a time, and tried again after an error.
// Lambda gives up after three attempts, or after six hours where it could not begin; as nobody here watches a queue of
// what is then left, this goes on for the six hours.

import { MAX_EVENT_AGE_SECONDS } from '../core/aws-limits.ts';
import { pause } from '../machine/patience.ts';

export interface AsyncInvocations<Event> {
  invoke(event: Event): void;
}

export interface AsyncInvocationsOptions {
  concurrency: number;
  /** Before the next attempt, after so many. */
  pauseMs?: (attempts: number) => number;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
const LONGEST_MS = MAX_EVENT_AGE_SECONDS * 1000;

export function asyncInvocations<Event>(
  handler: (event: Event) => Promise<void>,
  { concurrency, pauseMs = doubling }: AsyncInvocationsOptions,
): AsyncInvocations<Event> {
  const waiting: Invocation<Event>[] = [];
  let running = 0;

  async function attempt(invocation: Invocation<Event>): Promise<void> {
    try {
      await handler(invocation.event);
    } catch {
      // It has said itself what it failed with.
      invocation.attempts += 1;
      if (Date.now() - invocation.acceptedMs > LONGEST_MS) return;
      // Whoever waits for the next attempt takes nobody's place.
      void pause(pauseMs(invocation.attempts)).then(() => accept(invocation));
    }
  }

  function accept(invocation: Invocation<Event>): void {
    waiting.push(invocation);
    next();
  }

  function next(): void {
    while (running < concurrency && waiting.length > 0) {
      running += 1;
      void attempt(waiting.shift()!).finally(() => {
        running -= 1;
        next();
      });
    }
  }

  return { invoke: (event) => accept({ event, attempts: 0, acceptedMs: Date.now() }) };
}

interface Invocation<Event> {
  event: Event;
  attempts: number;
  acceptedMs: number;
}

const doubling = (attempts: number): number =>
  Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1));
