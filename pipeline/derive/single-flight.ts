// Who asks for what is already being made waits for that. When nobody waits any longer, whoever makes it is told.

export type SingleFlight<T> = (
  key: string,
  /** @param abandoned fires when all who asked have left; whoever makes it may still bring it to its end */
  make: (abandoned: AbortSignal) => Promise<T>,
  /** When this caller leaves; without it, never. */
  leave?: AbortSignal,
) => Promise<T>;

interface Flight<T> {
  result: Promise<T>;
  waiting: number;
  abandoned: AbortController;
}

export function singleFlight<T>(): SingleFlight<T> {
  const flying = new Map<string, Flight<T>>();

  function begin(key: string, make: (abandoned: AbortSignal) => Promise<T>): Flight<T> {
    const abandoned = new AbortController();
    const result = make(abandoned.signal).finally(() => flying.delete(key));
    const flight: Flight<T> = { result, waiting: 0, abandoned };
    flying.set(key, flight);
    return flight;
  }

  return async (key, make, leave) => {
    for (;;) {
      leave?.throwIfAborted();
      const flight = flying.get(key) ?? begin(key, make);
      flight.waiting += 1;
      const left = () => {
        flight.waiting -= 1;
        if (flight.waiting === 0) flight.abandoned.abort(leave!.reason);
      };
      leave?.addEventListener('abort', left, { once: true });
      try {
        return await flight.result;
      } catch (error) {
        // Given up for the sake of others, before we came.
        const isGivenUp = flight.abandoned.signal.aborted && error === flight.abandoned.signal.reason;
        if (!isGivenUp || leave?.aborted) throw error;
      } finally {
        leave?.removeEventListener('abort', left);
      }
    }
  };
}
