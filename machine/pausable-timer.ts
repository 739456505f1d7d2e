// A time limit that stands still together with what it limits.

export interface PausableTimer {
  pause(): void;
  goOn(): void;
  clear(): void;
}

export function pausableTimer(milliseconds: number, fire: () => void): PausableTimer {
  let left = milliseconds;
  let timer: NodeJS.Timeout | undefined;
  let since = 0;
  const goOn = (): void => {
    if (timer) return;
    since = performance.now();
    timer = setTimeout(fire, left);
  };
  const pause = (): void => {
    if (!timer) return;
    clearTimeout(timer);
    timer = undefined;
    left -= performance.now() - since;
  };
  goOn();
  return { pause, goOn, clear: () => clearTimeout(timer) };
}
