// More bad days, as in test/system/faults.test.ts.

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
  ['hanging', 'reads of the source that hang, the first of each among them'],
  ['writes', 'writes that fail, or of which nobody hears'],
  ['overwritten', 'sources that others take the place of'],
  ['deleted', 'videos that are deleted while they are watched'],
])('%s: %s leave every video ready, right, and rightly shown', async (name) => {
  const { problems, faults } = await rounds.run(name);
  expect(problems).toEqual([]);
  expect(faults.size).toBeGreaterThan(0);
});
