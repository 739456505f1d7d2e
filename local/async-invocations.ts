// Asynchronous invocations as Lambda makes them: accepted at once, run a few at a time, tried three times.

export interface AsyncInvocations<Event> {
  invoke(event: Event): void;
}

const ATTEMPTS = 3;
const FIRST_DELAY_MS = 1000;

export function asyncInvocations<Event>(
  handler: (event: Event) => Promise<void>,
  { concurrency }: { concurrency: number },
): AsyncInvocations<Event> {
  const waiting: Event[] = [];
  let running = 0;

  async function attempt(event: Event): Promise<void> {
    for (let delayMs = FIRST_DELAY_MS, left = ATTEMPTS; left > 0; left -= 1, delayMs *= 2) {
      try {
        return await handler(event);
      } catch (error) {
        console.error(error);
        if (left > 1) await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
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

  return {
    invoke(event) {
      waiting.push(event);
      next();
    },
  };
}
