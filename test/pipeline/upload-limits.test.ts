import { leastFileBytes } from '../../pipeline/uploads/upload-limits.ts';

const MIB = 1024 * 1024;

const stored = (sizes: Record<number, number>) =>
  Object.entries(sizes).map(([number, sizeBytes]) => ({ number: Number(number), etag: 'x', sizeBytes }));

test.each<[string, Record<number, number>, { number: number; sizeBytes: number | undefined }, number]>([
  ['has that part', {}, { number: 1, sizeBytes: 1000 }, 1000],
  ['has a byte in a part of an unknown size', {}, { number: 1, sizeBytes: undefined }, 1],
  ['has what is stored beside it', { 1: 8 * MIB, 3: 70 }, { number: 2, sizeBytes: undefined }, 8 * MIB + 71],
  ['has not what the part takes the place of', { 1: 900 }, { number: 1, sizeBytes: 1000 }, 1000],
  ['has 5 MiB in each part before it', {}, { number: 4, sizeBytes: 7 }, 15 * MIB + 7],
  ['has 5 MiB even where less is stored', { 1: 1, 2: 1 }, { number: 3, sizeBytes: 7 }, 10 * MIB + 7],
  ['has parts of that size before it', {}, { number: 3, sizeBytes: 9 * MIB }, 27 * MIB],
  ['may have a last part that is smaller', { 1: 9 * MIB }, { number: 2, sizeBytes: 7 }, 9 * MIB + 7],
])('a file %s: stored %j, intended %j', (_, sizes, part, bytes) => {
  expect(leastFileBytes(stored(sizes), part)).toBe(bytes);
});
