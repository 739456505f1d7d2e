// Readers of one source share what is being fetched.

import { setTimeout as sleep } from 'node:timers/promises';
import { blockCache } from '../../adapters/block-cache.ts';

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
