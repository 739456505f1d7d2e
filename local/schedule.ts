// Stands where the rules of EventBridge stand in the cloud: calls a function at the start, and from then on from time
// to time.

/** Returns what stops it. A call that fails is heard of, and made again in its turn; none begins before the last has ended. */
export function onSchedule(everySeconds: number, call: () => Promise<unknown>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const run = async () => {
    await call().catch((error: unknown) => console.error(error));
    if (isStopped) return;
    timer = setTimeout(() => void run(), everySeconds * 1000);
    timer.unref(); // no reason to stay alive
  };
  void run();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
