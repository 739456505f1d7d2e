// Readers of one source share what is being fetched.

import { setTimeout as sleep } from 'node:timers/promises';
import { blockCache } from '../../machine/block-cache.ts';
import { sourceReplaced } from '../../core/errors.ts';

test('a reader goes on where another, who fetched for both, hangs up', async () => {
  let fetches = 0;
  async function* fetched(signal: AbortSignal) {
    fetches += 1;
    if (fetches === 1) await sleep(600_000, undefined, { signal });
    yield new Uint8Array(10);
  }
  const cache = blockCache({
    sizeBytes: 10,
    read: (_first, _last, signal) => Promise.resolve(fetched(signal)),
  });
  const [leaving, staying] = [new AbortController(), new AbortController()];
  const left = cache.read(0, 9, leaving.signal).next();
  const stayed = cache.read(0, 9, staying.signal).next();
  leaving.abort();
  await expect(left).rejects.toMatchObject({ name: 'AbortError' });
  expect((await stayed).value).toHaveLength(10);
  expect([fetches, cache.readBytes()]).toEqual([2, 10]);
});

/** A source of these bytes, of which each answer is as `answers` says, in turn; then whole. */
function unreliable(sizeBytes: number, answers: ((bytes: Uint8Array) => AsyncIterable<Uint8Array>)[]) {
  const bytes = Uint8Array.from({ length: sizeBytes }, (_, index) => index % 251);
  const asked: string[] = [];
  const cache = blockCache({
    sizeBytes,
    read: (first, last) => {
      asked.push(`${first}-${last}`);
      const answer = answers[asked.length - 1] ?? whole;
      return Promise.resolve(answer(bytes.subarray(first, last + 1)));
    },
  });
  return { bytes, asked, cache };
}

async function* whole(bytes: Uint8Array) {
  yield bytes;
}

async function read(cache: ReturnType<typeof blockCache>, last: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of cache.read(0, last, new AbortController().signal)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('the beginning of a file is asked for in one piece, and so is its end', async () => {
  const block = 256 * 1024;
  const { asked, cache } = unreliable(30 * block, []);
  const firstOf = (offset: number) => cache.read(offset, 30 * block - 1, new AbortController().signal).next();
  for (const place of [0, 10, 20]) await firstOf(place * block);
  expect(asked).toEqual([
    `0-${4 * block - 1}`,
    `${10 * block}-${11 * block - 1}`,
    `${20 * block}-${30 * block - 1}`,
  ]);
});

test('what an answer lacks is asked for, from where it broke off', async () => {
  const { bytes, asked, cache } = unreliable(1000, [
    (asked) => whole(asked.subarray(0, 400)),
    async function* (asked) {
      yield asked.subarray(0, 100);
      throw new Error('connection reset');
    },
  ]);
  expect((await read(cache, 999)).equals(bytes)).toBe(true);
  expect(asked).toEqual(['0-999', '400-999', '500-999']);
});

test('more than was asked for is no answer', async () => {
  const { bytes, asked, cache } = unreliable(1000, [(asked) => whole(Buffer.concat([asked, asked]))]);
  expect((await read(cache, 999)).equals(bytes)).toBe(true);
  expect(asked).toEqual(['0-999', '0-999']);
});

test('a source that gives nothing again and again is given up; one that gives a little each time is not', async () => {
  const empty = () => whole(new Uint8Array());
  const given = unreliable(
    10,
    Array.from({ length: 7 }, () => empty),
  );
  await expect(read(given.cache, 9)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(given.asked).toHaveLength(7);

  const little = unreliable(
    12,
    Array.from({ length: 11 }, () => (bytes) => whole(bytes.subarray(0, 1))),
  );
  expect((await read(little.cache, 11)).equals(little.bytes)).toBe(true);
});

test('what is known to be in vain is not asked again', async () => {
  let asked = 0;
  const cache = blockCache({
    sizeBytes: 10,
    read: () => {
      asked += 1;
      return Promise.reject(sourceReplaced());
    },
  });
  await expect(read(cache, 9)).rejects.toMatchObject({ code: 'SOURCE_REPLACED' });
  expect(asked).toBe(1);
});

test('many readers of one source do not throw away what was fetched for the others', async () => {
  const BLOCK = 256 * 1024;
  const source = {
    sizeBytes: 400 * BLOCK,
    read: async (first: number, last: number) => {
      await sleep(1);
      return whole(new Uint8Array(last + 1 - first));
    },
  };
  const cache = blockCache(source);
  // Each in a part of its own, and all of them at once.
  const readers = Array.from({ length: 8 }, async (_, reader) => {
    const [first, last] = [reader * 50 * BLOCK, (reader + 1) * 50 * BLOCK - 1];
    for await (const _ of cache.read(first, last, new AbortController().signal)) await sleep(1);
  });
  await Promise.all(readers);
  // A little is fetched beyond the end of each part.
  expect(cache.readBytes()).toBeLessThan(1.1 * source.sizeBytes);
});
