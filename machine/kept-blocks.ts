// The latest blocks of the sources that are read again and again, shared by all who read one at the same time and kept for
// those who come soon after: the index, what ffmpeg was sent beyond the end of one segment, the next one's beginning.

import { blockCache } from './block-cache.ts';
import type { BlockCache, RangeSource } from './block-cache.ts';

/** For so long blocks of a source that nobody reads are kept: somebody who watches it asks again within seconds. */
const KEPT_MS = 30_000;
/** Each takes up to 16 MiB. */
const MOST_KEPT_IDLE = 4;

interface Kept {
  cache: BlockCache;
  readers: number;
  forget?: NodeJS.Timeout;
}

const kept = new WeakMap<object, Map<string, Kept>>();

/**
 * The blocks of a source, shared by all who read it at the same time or soon after another, where it has an identity.
 * @returns with `release`, to be called when it is read no more
 */
export function openBlockCache(source: RangeSource): BlockCache & { release(): void } {
  if (!source.identity) return { ...blockCache(source), release: () => undefined };
  const { within, name } = source.identity;
  const all = kept.get(within) ?? new Map<string, Kept>();
  kept.set(within, all);
  const known = all.get(name);
  const own = known ?? { cache: blockCache(source), readers: 0 };
  // The latest is the last.
  all.delete(name);
  all.set(name, own);
  clearTimeout(own.forget);
  own.readers += 1;
  // Where the source is no more, or another, whoever begins to read it is to hear of that from the store.
  let isConfirmed = !known;
  const before = own.cache.readBytes();
  return {
    ...own.cache,
    async *read(first, last, signal) {
      if (!isConfirmed) await own.cache.confirm(signal);
      isConfirmed = true;
      yield* own.cache.read(first, last, signal);
    },
    readBytes: () => own.cache.readBytes() - before,
    release() {
      own.readers -= 1;
      if (own.readers > 0) return;
      own.forget = setTimeout(() => all.delete(name), KEPT_MS).unref();
      const idle = [...all].filter(([, { readers }]) => readers === 0);
      for (const [other, { forget }] of idle.slice(0, -MOST_KEPT_IDLE)) {
        clearTimeout(forget);
        all.delete(other);
      }
    },
  };
}
