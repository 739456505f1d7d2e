// What somebody waits for goes first. On a machine of few cores a low priority is not enough for that: another encoder takes
// caches and memory, too. So whatever gives way stands still meanwhile; but never for good.

export interface GivingWay {
  stop(): void;
  goOn(): void;
}

export interface Precedence {
  /** Does `work`; whatever gives way stands still until there is room beside it. */
  first<T>(work: () => Promise<T>): Promise<T>;
  /** From now on stands still when it has to. Call what is returned when it has ended. */
  givesWay(process: GivingWay): () => void;
}

export interface PrecedenceLimits {
  /** Of what goes first, so much can run beside what gives way. */
  beside: number;
  /** After standing still for so long, what gives way goes on for `turnMs`. */
  mostStoppedMs: number;
  turnMs: number;
}

export function precedence({ beside, mostStoppedMs, turnMs }: PrecedenceLimits): Precedence {
  const givingWay = new Set<GivingWay>();
  let first = 0;
  let areStopped = false;
  let timer: NodeJS.Timeout | undefined;

  const after = (milliseconds: number, then: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(then, milliseconds).unref();
  };
  const stopAll = (): void => {
    areStopped = true;
    for (const process of givingWay) process.stop();
    after(mostStoppedMs, () => {
      goOn();
      after(turnMs, stopAll);
    });
  };
  const goOn = (): void => {
    areStopped = false;
    for (const process of givingWay) process.goOn();
  };

  return {
    async first(work) {
      first += 1;
      if (first === beside + 1) stopAll();
      try {
        return await work();
      } finally {
        first -= 1;
        if (first === beside) {
          clearTimeout(timer);
          if (areStopped) goOn();
        }
      }
    },
    givesWay(process) {
      givingWay.add(process);
      if (areStopped) process.stop();
      return () => void givingWay.delete(process);
    },
  };
}
