// Bad days of the store and of the machine, in small: bench/faults.ts has more of them, of more kinds and for longer.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crowdProblems } from '../../bench/support/fault-crowd.ts';
import { runRound } from '../../bench/support/fault-rounds.ts';
import type { RoundOptions } from '../../bench/support/fault-rounds.ts';
import { NO_FAULTS, SCENARIOS } from '../../bench/support/fault-scenarios.ts';
import { faultSources } from '../../bench/support/fault-sources.ts';
import type { FaultSource } from '../../bench/support/fault-sources.ts';
import type { Served } from '../../bench/support/fault-truth.ts';
import { temporaryDirectory } from '../support/media.ts';

/** One that is cut from as it is, one that is copied first, sound, and one that is refused. */
const SOURCES = ['index-last.mp4', 'recording.ts', 'sound.m4a', 'words.mp4'];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let sources: FaultSource[];
let truths: ReadonlyMap<string, Served>;

function optionsFor(name: string): Omit<RoundOptions, 'truths'> {
  return {
    ...{ seed: 1, sources, enough: 40, viewers: 4, directory: join(directory.path, name) },
    ...{ outageSeconds: 5, slowSeconds: 0.2, hangSeconds: 5, retrySeconds: 0.25 },
    // Somewhat less than jest allows: a round that hangs then tells in what.
    ...{ deadlineSeconds: 1200, quietSeconds: 300 },
  };
}

beforeAll(async () => {
  directory = await temporaryDirectory();
  await mkdir(join(directory.path, 'sources'));
  sources = await faultSources(join(directory.path, 'sources'), (name) => SOURCES.includes(name));
  const { problems, served } = await runRound(NO_FAULTS, { ...optionsFor('none'), truths: undefined });
  expect(problems).toEqual([]);
  truths = served;
});
afterAll(() => directory.remove());

test.each([
  ['cut', 'answers that break off, and reads of the source that are shorter than asked for'],
  ['hanging', 'reads of the source that hang, the first of each among them'],
  ['outage of 503', 'a store that refuses everything for a while, just after the uploads'],
  ['writes', 'writes that fail, or of which nobody hears'],
  ['damaged', 'artifacts that are cut or replaced in the store, or come back shorter'],
  ['killed', 'encoders and servers that are killed'],
  ['overwritten', 'sources that others take the place of'],
  ['deleted', 'videos that are deleted while they are watched'],
])('%s: %s leave every video ready, right, and rightly shown', async (name) => {
  const scenario = SCENARIOS.find((own) => own.name === name)!;
  const { problems, faults } = await runRound(scenario, { ...optionsFor(name), truths });
  expect(problems).toEqual([]);
  expect(faults.size).toBeGreaterThan(0);
});

test('a hundred viewers of a film before any frame is encoded all get their segment', async () => {
  const { problems } = await crowdProblems(join(directory.path, 'crowd'), 100);
  expect(problems).toEqual([]);
});
