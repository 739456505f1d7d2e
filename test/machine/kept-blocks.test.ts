// The latest blocks of a source that has an identity are shared and kept.

import { sourceReplaced } from '../../core/errors.ts';
import { openBlockCache } from '../../machine/kept-blocks.ts';

async function* bytes(count: number) {
  yield new Uint8Array(count);
}

async function read(cache: ReturnType<typeof openBlockCache>, last: number): Promise<void> {
  for await (const _ of cache.read(0, last, new AbortController().signal));
}

describe('a source with an identity', () => {
  const within = {};
  let fetches = 0;
  let isThere = true;
  const BLOCK = 256 * 1024;
  const source = (name: string | undefined) => ({
    sizeBytes: 2 * BLOCK,
    read: (first: number, last: number) => {
      if (!isThere) return Promise.reject(sourceReplaced());
      if (last > 0) fetches += 1;
      return Promise.resolve(bytes(last + 1 - first));
    },
    ...(name === undefined ? {} : { identity: { within, name } }),
  });
  const readOnce = async (name: string | undefined): Promise<number> => {
    const cache = openBlockCache(source(name));
    await read(cache, 2 * BLOCK - 1);
    cache.release();
    return cache.readBytes();
  };

  beforeEach(() => {
    fetches = 0;
    isThere = true;
  });

  test('is fetched once, and counted for whom it was fetched', async () => {
    expect([await readOnce('a'), await readOnce('a')]).toEqual([2 * BLOCK, 1]);
    expect(fetches).toBe(1);
  });

  test('that is no more is not read from memory', async () => {
    await readOnce('gone');
    isThere = false;
    await expect(readOnce('gone')).rejects.toMatchObject({ code: 'SOURCE_REPLACED' });
  });

  test('is another than one of another name, or in another place', async () => {
    await readOnce('b');
    await readOnce('c');
    const elsewhere = openBlockCache({ ...source('c'), identity: { within: {}, name: 'c' } });
    await read(elsewhere, 2 * BLOCK - 1);
    elsewhere.release();
    expect(fetches).toBe(3);
  });

  test('without one, everybody fetches for himself', async () => {
    await readOnce(undefined);
    await readOnce(undefined);
    expect(fetches).toBe(2);
  });

  test('of many that nobody reads, only the latest are kept; what is being read is', async () => {
    const reading = openBlockCache(source('read'));
    await read(reading, 2 * BLOCK - 1);
    for (let index = 0; index < 10; index += 1) await readOnce(`idle-${index}`);
    fetches = 0;
    for (const name of ['read', 'idle-9', 'idle-6']) await readOnce(name);
    expect(fetches).toBe(0);
    await readOnce('idle-0');
    expect(fetches).toBe(1);
    reading.release();
  });
});
