// Blocks of the sources that were read last, kept from one job to the next. The chunks of a film are made one after the
// other where there is one machine: what ffmpeg was sent beyond the end of one is the beginning of the next, and both want
// the index. A function that is called again finds them as well; that one is cannot be counted on.

import { blockCache } from './block-cache.ts';
import type { BlockCache, RangeSource } from './block-cache.ts';

/** Each keeps up to 16 MiB: two lists of work may take turns. */
const MOST_SOURCES_KEPT = 2;

/** @param name of these very bytes: another file in their place has another */
export type KeptBlocks = (name: string, source: RangeSource) => BlockCache;

export function keptBlocks(): KeptBlocks {
  // In the order of their use, the oldest first.
  const kept = new Map<string, BlockCache>();
  return (name, source) => {
    const blocks = kept.get(name) ?? blockCache(source);
    kept.delete(name);
    kept.set(name, blocks);
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_SOURCES_KEPT) break;
      kept.delete(oldest);
    }
    return blocks;
  };
}
