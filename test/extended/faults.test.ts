// Bad days of the store and of the machine, in small. bench/faults.ts has more of them, of more kinds and for longer.

import { testRounds } from '../support/small-rounds.ts';

testRounds([
  ['hanging', 'reads of the source that hang, the first of each among them'],
  ['writes', 'writes that fail, or of which nobody hears'],
  ['overwritten', 'sources that others take the place of'],
  ['deleted', 'videos that are deleted while they are watched'],
]);
