// Bad days of the store and of the machine, in small. test/extended/faults.test.ts has others; bench/faults.ts has more of
// them, of more kinds and for longer.

import { join } from 'node:path';
import { crowdProblems } from '../../bench/support/fault-crowd.ts';
import { temporaryDirectory } from '../support/media.ts';
import { smallRounds } from '../support/small-rounds.ts';
import type { SmallRounds } from '../support/small-rounds.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let rounds: SmallRounds;

beforeAll(async () => {
  directory = await temporaryDirectory();
  rounds = await smallRounds(directory.path);
  expect(rounds.right.problems).toEqual([]);
});
afterAll(() => directory.remove());

test.each([
  ['cut', 'answers that break off, and reads of the source that are shorter than asked for'],
  ['outage of 503', 'a store that refuses everything for a while, just after the uploads'],
  ['damaged', 'artifacts that are cut or replaced in the store, or come back shorter'],
  ['killed', 'encoders and servers that are killed'],
])('%s: %s leave every video ready, right, and rightly shown', async (name) => {
  const { problems, faults } = await rounds.run(name);
  expect(problems).toEqual([]);
  expect(faults.size).toBeGreaterThan(0);
});

test('a hundred viewers of a film before any frame is encoded all get their segment', async () => {
  const { problems } = await crowdProblems(join(directory.path, 'crowd'), 100);
  expect(problems).toEqual([]);
});
