// Reads a source in blocks and keeps the latest of them. A demuxer jumps: to the index at the end and back, from the
// picture to the sound and back, each time with a new request that it drops when it has enough. What it drops it will
// often want later, and two processes that look at the same source want the same. A block is whole or there is none: what
// the store cuts short, or keeps waiting, is asked for again.

import { OutageError, RequestError } from '../core/errors.ts';
import { backoffMs, pause } from './patience.ts';

export interface RangeSource {
  sizeBytes: number;
  /**
   * Where it is read again and again: what its bytes are in, and a name that no other bytes in there ever have. Its
   * latest blocks are then kept for those who read it next.
   */
  identity?: { within: object; name: string };
  /**
   * Reads bytes `first` to `last`, both included, in their order; stops early when the signal fires. Where it ends before
   * `last`, or throws, what is missing is asked for again.
   * @throws RequestError where asking again is in vain
   */
  read(first: number, last: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface BlockCache {
  /**
   * Bytes `first` to `last`, both included, block by block.
   * @throws OutageError STORE_UNAVAILABLE where the source was asked in vain for long; RequestError; the signal's reason
   */
  read(first: number, last: number, signal: AbortSignal): AsyncGenerator<Uint8Array>;
  /** Bytes taken from the source so far. */
  readBytes(): number;
  /** For how long somebody has been waiting for the source, in all. */
  waitedSeconds(): number;
  /**
   * Reads a byte of the source, whatever is kept of it.
   * @throws as `read` does
   */
  confirm(signal: AbortSignal): Promise<void>;
}

const BLOCK_BYTES = 256 * 1024;
/**
 * Blocks are fetched by the window: one at first, for an index or a seek, then more, but never more than an eighth
 * of what the run has read: what lies in a window beyond a run's end is fetched in vain.
 */
const RUN_SHARE_PER_WINDOW = 1 / 8;
const LEAST_BLOCKS_PER_WINDOW = 2;
const MOST_BLOCKS_PER_WINDOW = 16;
/** A file begins with its index or with the first of what is played. */
const BLOCKS_OF_BEGINNING = 4;
/** So much of the end is fetched at once: whoever begins to read there wants an index, or to know how the file ends. */
const BLOCKS_OF_END = 16;
/** 16 MiB: the second of picture and sound that lie furthest apart, and a large index. */
const MOST_BLOCKS_KEPT = 64;
/** 64 MiB, where many read in different places at once. */
const MOST_BLOCKS_UNREAD = 256;

/** How often in a row a source is asked that gives nothing. */
const ATTEMPTS = 7;
/** For so long the first attempt waits for the next bytes, each one after it as much longer: a store may just be slow. */
const IDLE_MS = 5000;

export function blockCache(source: RangeSource): BlockCache {
  // In the order of their use, the oldest first.
  const blocks = new Map<number, Promise<Uint8Array>>();
  /** What was fetched ahead and is still to be read: thrown away, it would be fetched again. */
  const unread = new Set<number>();
  const lastBlock = Math.ceil(source.sizeBytes / BLOCK_BYTES) - 1;
  const waiting = stopwatch();
  let readBytes = 0;

  async function* read(first: number, last: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const firstBlock = Math.floor(first / BLOCK_BYTES);
    for (let index = firstBlock; index * BLOCK_BYTES <= last; index += 1) {
      signal.throwIfAborted();
      const known = blocks.get(index);
      if (!known) {
        fetchWindow(index, windowAt(index, index - firstBlock), signal);
      }
      const block = await waiting.during(known ?? blocks.get(index)!).catch((error: unknown) => {
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

  function windowAt(index: number, blocksRead: number): number {
    if (index === 0) return BLOCKS_OF_BEGINNING;
    const left = lastBlock + 1 - index;
    return left <= BLOCKS_OF_END ? left : windowAfter(blocksRead);
  }

  function use(index: number): void {
    unread.delete(index);
    const block = blocks.get(index);
    if (!block) return;
    blocks.delete(index);
    blocks.set(index, block);
  }

  function forget(index: number): void {
    blocks.delete(index);
    unread.delete(index);
  }

  function fetchWindow(from: number, wanted: number, signal: AbortSignal): void {
    let to = from + 1;
    while (to <= lastBlock && to < from + wanted && !blocks.has(to)) to += 1;
    const promised = Array.from({ length: to - from }, () => Promise.withResolvers<Uint8Array>());
    promised.forEach(({ promise }, offset) => {
      blocks.set(from + offset, promise);
      unread.add(from + offset);
      promise.catch(() => forget(from + offset)); // thrown to whoever waits for it
    });
    for (const index of [...blocks.keys()]) {
      if (blocks.size <= MOST_BLOCKS_KEPT) break;
      if (!unread.has(index)) forget(index);
    }
    // What a reader who has hung up left unread goes in the end.
    for (const index of [...blocks.keys()]) {
      if (blocks.size <= MOST_BLOCKS_UNREAD) break;
      if (index < from || index >= to) forget(index);
    }
    fill(from, promised, signal).catch((error: unknown) => {
      // A reading that is broken off says so in many ways; whoever shares it is to know that nothing else is wrong.
      const reason: unknown = signal.aborted ? signal.reason : error;
      promised.forEach(({ reject }) => reject(reason));
    });
  }

  async function fill(
    from: number,
    promised: PromiseWithResolvers<Uint8Array>[],
    signal: AbortSignal,
  ): Promise<void> {
    const first = from * BLOCK_BYTES;
    const last = Math.min(source.sizeBytes, first + promised.length * BLOCK_BYTES) - 1;
    let filled: Uint8Array[] = [];
    let [filledBytes, index] = [0, 0];
    const sizeOf = (offset: number) => Math.min(BLOCK_BYTES, last + 1 - first - offset * BLOCK_BYTES);
    for await (const bytes of wholeRange(first, last, signal)) {
      for (let offset = 0; offset < bytes.length;) {
        const piece = bytes.subarray(offset, offset + sizeOf(index) - filledBytes);
        filled.push(piece);
        filledBytes += piece.length;
        offset += piece.length;
        if (filledBytes < sizeOf(index)) continue;
        promised[index]!.resolve(Buffer.concat(filled));
        [filled, filledBytes, index] = [[], 0, index + 1];
      }
    }
  }

  /** All of the bytes, whatever it takes; or an error. */
  async function* wholeRange(first: number, last: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let [next, failures] = [first, 0];
    while (next <= last) {
      let why: unknown = new Error(`the answer ended before byte ${last}`);
      try {
        for await (const bytes of readPatiently(next, last, IDLE_MS * (failures + 1), signal)) {
          if (bytes.length > last + 1 - next) throw new Error(`the answer went on after byte ${last}`);
          readBytes += bytes.length;
          next += bytes.length;
          if (bytes.length > 0) failures = 0;
          yield bytes;
        }
        if (next > last) return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof RequestError) throw error;
        why = error;
      }
      failures += 1;
      if (failures === ATTEMPTS) {
        const message = `Bytes ${next}–${last} of the source could not be read: ${(why as Error).message}.`;
        throw new OutageError('STORE_UNAVAILABLE', message, { cause: why });
      }
      await pause(backoffMs(failures), signal);
    }
  }

  /** One attempt, which ends when nothing comes for as long as `idleMs`. */
  async function* readPatiently(
    first: number,
    last: number,
    idleMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const attempt = new AbortController();
    const end = () => attempt.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    const idle = setTimeout(() => attempt.abort(new Error(`nothing came for ${idleMs} ms`)), idleMs);
    try {
      const answer = await orAborted(source.read(first, last, attempt.signal), attempt.signal);
      const pieces = answer[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await orAborted(pieces.next(), attempt.signal);
        if (done) return;
        idle.refresh();
        yield value;
        idle.refresh();
      }
    } finally {
      clearTimeout(idle);
      signal.removeEventListener('abort', end);
      attempt.abort(); // what still comes is not wanted
    }
  }

  return {
    ...{ read, readBytes: () => readBytes, waitedSeconds: waiting.seconds },
    async confirm(signal) {
      const read = async () => {
        for await (const _ of wholeRange(0, 0, signal));
      };
      await waiting.during(read());
    },
  };
}

/** Whoever does not stop by itself is left behind. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason as Error);
    if (signal.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

/** The time during which at least one of several waits is under way. */
function stopwatch() {
  let [underWay, since, totalMs] = [0, 0, 0];
  return {
    async during<T>(wait: Promise<T>): Promise<T> {
      if (underWay === 0) since = performance.now();
      underWay += 1;
      try {
        return await wait;
      } finally {
        underWay -= 1;
        if (underWay === 0) totalMs += performance.now() - since;
      }
    },
    seconds: () => (totalMs + (underWay > 0 ? performance.now() - since : 0)) / 1000,
  };
}

function windowAfter(blocksRead: number): number {
  if (blocksRead === 0) return 1;
  const share = Math.floor(blocksRead * RUN_SHARE_PER_WINDOW);
  return Math.min(MOST_BLOCKS_PER_WINDOW, Math.max(LEAST_BLOCKS_PER_WINDOW, share));
}

/** By its name alone: where a module has globals of its own, as in jest, Node's errors are not of its class Error. */
const isAbort = (error: unknown): boolean => (error as { name?: unknown } | null)?.name === 'AbortError';
