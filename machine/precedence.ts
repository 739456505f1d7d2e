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
  let [areStopped, isInTurn] = [false, false];
  /** How long it has stood still since its last turn, whoever came and went meanwhile, and since when it does now. */
  let [stoodMs, since] = [0, 0];
  let timer: NodeJS.Timeout | undefined;

  const stopAll = (): void => {
    areStopped = true;
    since = performance.now();
    for (const process of givingWay) process.stop();
    timer = setTimeout(takeTurn, Math.max(0, mostStoppedMs - stoodMs)).unref();
  };
  const goOn = (): void => {
    clearTimeout(timer);
    areStopped = false;
    stoodMs += performance.now() - since;
    for (const process of givingWay) process.goOn();
  };
  const takeTurn = (): void => {
    goOn();
    isInTurn = true;
    setTimeout(() => {
      [isInTurn, stoodMs] = [false, 0];
      if (first > beside) stopAll();
    }, turnMs).unref();
  };

  return {
    async first(work) {
      first += 1;
      if (first === beside + 1 && !isInTurn) stopAll();
      try {
        return await work();
      } finally {
        first -= 1;
        if (first === beside && areStopped) goOn();
      }
    },
    givesWay(process) {
      givingWay.add(process);
      if (areStopped) process.stop();
      return () => void givingWay.delete(process);
    },
  };
}
