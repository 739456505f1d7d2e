// Reads a source in blocks and keeps the latest of them. A demuxer jumps: to the index at the end and back, from the
// picture to the sound and back, each time with a new request that it drops when it has enough. What it drops it will
// often want later, and two processes that look at the same source want the same.

export interface RangeSource {
  sizeBytes: number;
  /** Reads bytes `first` to `last`, both included; stops early when the signal fires. */
  read(first: number, last: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface BlockCache {
  /** Bytes `first` to `last`, both included, block by block. Throws when the signal fires. */
  read(first: number, last: number, signal: AbortSignal): AsyncGenerator<Uint8Array>;
  /** Bytes taken from the source so far. */
  readBytes(): number;
}

const BLOCK_BYTES = 256 * 1024;
/**
 * Blocks are fetched by the window: one at first, for an index or a seek, then more, but never more than an eighth
 * of what the run has read: what lies in a window beyond a run's end is fetched in vain.
 */
const RUN_SHARE_PER_WINDOW = 1 / 8;
const LEAST_BLOCKS_PER_WINDOW = 2;
const MOST_BLOCKS_PER_WINDOW = 16;
/** 16 MiB: the second of picture and sound that lie furthest apart, and a large index. */
const MOST_BLOCKS_KEPT = 64;

export function blockCache(source: RangeSource): BlockCache {
  // In the order of their use, the oldest first.
  const blocks = new Map<number, Promise<Uint8Array>>();
  const lastBlock = Math.ceil(source.sizeBytes / BLOCK_BYTES) - 1;
  let readBytes = 0;

  async function* read(first: number, last: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const firstBlock = Math.floor(first / BLOCK_BYTES);
    for (let index = firstBlock; index * BLOCK_BYTES <= last; index += 1) {
      signal.throwIfAborted();
      const known = blocks.get(index);
      if (!known) {
        fetchWindow(index, windowAfter(index - firstBlock), signal);
      }
      const block = await (known ?? blocks.get(index)!).catch((error: unknown) => {
        // It was being fetched for another who hung up.
        if (known && !signal.aborted && isAbort(error)) return undefined;
        throw error;
      });
      if (!block) {
        index -= 1;
        continue;
      }
      use(index);
      const start = index * BLOCK_BYTES;
      yield block.subarray(Math.max(0, first - start), last + 1 - start);
    }
  }

  function use(index: number): void {
    const block = blocks.get(index);
    if (!block) return;
    blocks.delete(index);
    blocks.set(index, block);
  }

  function fetchWindow(from: number, wanted: number, signal: AbortSignal): void {
    let to = from + 1;
    while (to <= lastBlock && to < from + wanted && !blocks.has(to)) to += 1;
    const waiting = Array.from({ length: to - from }, () => Promise.withResolvers<Uint8Array>());
    waiting.forEach(({ promise }, offset) => {
      blocks.set(from + offset, promise);
      promise.catch(() => blocks.delete(from + offset)); // thrown to whoever waits for it
    });
    for (const index of blocks.keys()) {
      if (blocks.size <= MOST_BLOCKS_KEPT) break;
      if (index < from || index >= to) blocks.delete(index);
    }
    fill(from, waiting, signal).catch((error: unknown) => {
      // A reading that is broken off says so in many ways; whoever shares it is to know that nothing else is wrong.
      const reason: unknown = signal.aborted ? signal.reason : error;
      waiting.forEach(({ reject }) => reject(reason));
    });
  }

  async function fill(
    from: number,
    waiting: PromiseWithResolvers<Uint8Array>[],
    signal: AbortSignal,
  ): Promise<void> {
    const first = from * BLOCK_BYTES;
    const last = Math.min(source.sizeBytes, first + waiting.length * BLOCK_BYTES) - 1;
    let filled: Uint8Array[] = [];
    let [filledBytes, index] = [0, 0];
    const sizeOf = (offset: number) => Math.min(BLOCK_BYTES, last + 1 - first - offset * BLOCK_BYTES);
    for await (const bytes of await source.read(first, last, signal)) {
      readBytes += bytes.length;
      for (let offset = 0; offset < bytes.length;) {
        const piece = bytes.subarray(offset, offset + sizeOf(index) - filledBytes);
        filled.push(piece);
        filledBytes += piece.length;
        offset += piece.length;
        if (filledBytes < sizeOf(index)) continue;
        waiting[index]!.resolve(Buffer.concat(filled));
        [filled, filledBytes, index] = [[], 0, index + 1];
      }
    }
    if (index < waiting.length) throw new Error(`the source ended before byte ${last}`);
  }

  return { read, readBytes: () => readBytes };
}

function windowAfter(blocksRead: number): number {
  if (blocksRead === 0) return 1;
  const share = Math.floor(blocksRead * RUN_SHARE_PER_WINDOW);
  return Math.min(MOST_BLOCKS_PER_WINDOW, Math.max(LEAST_BLOCKS_PER_WINDOW, share));
}

/** By its name alone: where a module has globals of its own, as in jest, Node's errors are not of its class Error. */
const isAbort = (error: unknown): boolean => (error as { name?: unknown } | null)?.name === 'AbortError';
