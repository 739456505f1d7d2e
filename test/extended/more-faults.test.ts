// More bad days, as in test/extended/faults.test.ts, and a crowd.

import { crowdProblems } from '../../bench/support/fault-crowd.ts';
import { temporaryDirectory } from '../support/media.ts';
import { testRounds } from '../support/small-rounds.ts';

testRounds([
  ['cut', 'answers that break off, and reads of the source that are shorter than asked for'],
  ['outage of 503', 'a store that refuses everything for a while, just after the uploads'],
  ['damaged', 'artifacts that are cut or replaced in the store, or come back shorter'],
  ['killed', 'encoders and servers that are killed'],
]);

test('a hundred viewers of a film before any frame is encoded all get their segment', async () => {
  const directory = await temporaryDirectory();
  try {
    const { problems } = await crowdProblems(directory.path, 100);
    expect(problems).toEqual([]);
  } finally {
    await directory.remove();
  }
});
