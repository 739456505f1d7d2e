// How fast an upload goes, from samples of how much has left.

export interface Sample {
  atMs: number;
  sentBytes: number;
}

const WINDOW_MS = 4000;

/** The samples a rate is taken from: those of the last seconds, and one before them to measure from. */
export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const firstInside = samples.findIndex(({ atMs }) => atMs > sample.atMs - WINDOW_MS);
  const kept = firstInside < 0 ? samples.slice(-1) : samples.slice(Math.max(0, firstInside - 1));
  return [...kept, sample];
}

/** Bytes per second; undefined until there is half a second to tell from, 0 when nothing moves any more. */
export function rateOf(samples: readonly Sample[], nowMs: number): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return undefined;
  if (nowMs - last.atMs > WINDOW_MS) return 0;
  const seconds = (last.atMs - first.atMs) / 1000;
  if (seconds < 0.5) return undefined;
  // A part that is sent anew takes back what was counted of it.
  return Math.max(0, last.sentBytes - first.sentBytes) / seconds;
}
