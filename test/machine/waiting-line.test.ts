// Places for a few, and a line for the others.

import { waitingLine } from '../../machine/waiting-line.ts';

/** Work that ends when it is told to. */
function jobs() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const job = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name);
      ends.set(name, () => resolve(name));
    });
  const end = async (name: string) => {
    ends.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, job, end };
}

test('as many work as there are places; the others in the order in which they came', async () => {
  const line = waitingLine(2);
  const { begun, job, end } = jobs();
  const all = ['a', 'b', 'c', 'd'].map((name) => line.through(job(name)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual(['a', 'b']);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('a');
  for (const name of ['c', 'd']) await end(name);
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
});

test('whoever leaves is not waited for; what has begun is brought to its end', async () => {
  const line = waitingLine(1);
  const { begun, job, end } = jobs();
  const leaving = new AbortController();
  const working = line.through(job('a'), leaving.signal);
  const left = line.through(job('b'), leaving.signal);
  const stayed = line.through(job('c'));
  await new Promise((resolve) => setImmediate(resolve));
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  await end('a');
  await end('c');
  expect([await working, await stayed, begun]).toEqual(['a', 'c', ['a', 'c']]);
  await expect(line.through(job('d'), leaving.signal)).rejects.toThrow('gone');
});

test('a place is free again after work that fails', async () => {
  const line = waitingLine(1);
  await expect(line.through(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await line.through(() => Promise.resolve('yes'))).toBe('yes');
});
