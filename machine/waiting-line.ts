// A line of those who wait for one of a few places, first come first served.

export interface WaitingLine {
  /**
   * Does `work` as soon as there is a place.
   * @param leave whoever still waits when it fires leaves the line; what has begun is brought to its end
   * @throws the signal's reason for who left; what `work` throws
   */
  through<T>(work: () => Promise<T>, leave?: AbortSignal): Promise<T>;
}

export function waitingLine(places: number): WaitingLine {
  const waiting = new Set<() => void>();
  let taken = 0;

  const place = (leave: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const enter = () => {
        waiting.delete(enter);
        leave?.removeEventListener('abort', left);
        taken += 1;
        resolve();
      };
      const left = () => {
        waiting.delete(enter);
        reject(leave!.reason as Error);
      };
      if (taken < places) return enter();
      waiting.add(enter);
      leave?.addEventListener('abort', left, { once: true });
    });

  return {
    async through(work, leave) {
      leave?.throwIfAborted();
      await place(leave);
      try {
        return await work();
      } finally {
        taken -= 1;
        const [next] = waiting;
        next?.();
      }
    },
  };
}
