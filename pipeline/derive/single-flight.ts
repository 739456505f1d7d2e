// Who asks for what is already being made waits for that. When nobody waits any longer, whoever makes it is told.

export type SingleFlight<T> = (
  key: string,
  /** @param abandoned fires when all who asked have left */
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
    const result = make(abandoned.signal).finally(() => {
      if (flying.get(key) === flight) flying.delete(key);
    });
    const flight: Flight<T> = { result, waiting: 0, abandoned };
    flying.set(key, flight);
    return flight;
  }

  return async (key, make, leave) => {
    leave?.throwIfAborted();
    const flight = flying.get(key) ?? begin(key, make);
    flight.waiting += 1;
    leave?.addEventListener(
      'abort',
      () => {
        flight.waiting -= 1;
        if (flight.waiting > 0) return;
        // Whoever asks from now on begins anew.
        if (flying.get(key) === flight) flying.delete(key);
        flight.abandoned.abort(leave.reason);
      },
      { once: true },
    );
    return flight.result;
  };
}
