// Stands where the rule of EventBridge stands in the cloud: calls a function at the start, and from then on every hour.

const EVERY_MS = 3600 * 1000;

/** Returns what stops it. A call that fails is heard of, and made again an hour later. */
export function onSchedule(call: () => Promise<unknown>): () => void {
  const run = () => void call().catch((error: unknown) => console.error(error));
  run();
  const timer = setInterval(run, EVERY_MS);
  timer.unref(); // no reason to stay alive
  return () => clearInterval(timer);
}
