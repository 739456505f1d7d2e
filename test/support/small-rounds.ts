// Rounds of bench/faults.ts, small enough for tests, and the tests of which each is one.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runRound } from '../../bench/support/fault-rounds.ts';
import type { RoundOptions, RoundResult } from '../../bench/support/fault-rounds.ts';
import { NO_FAULTS, SCENARIOS } from '../../bench/support/fault-scenarios.ts';
import { faultSources } from '../../bench/support/fault-sources.ts';
import { temporaryDirectory } from './media.ts';

/** One that is cut from as it is, one that is copied first, sound, and one that is refused. */
const SOURCES = ['index-last.mp4', 'recording.ts', 'sound.m4a', 'words.mp4'];

interface SmallRounds {
  /** What is right, found by a round without faults; its `problems` are its own. */
  right: RoundResult;
  run(scenario: string): Promise<RoundResult>;
}

/** A test for each scenario, by its name; `means` says what happens in it. */
export function testRounds(scenarios: readonly (readonly [name: string, means: string])[]): void {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let rounds: SmallRounds;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    rounds = await smallRounds(directory.path);
    expect(rounds.right.problems).toEqual([]);
  });
  afterAll(() => directory.remove());

  test.each(scenarios)('%s: %s leave every video ready, right, and rightly shown', async (name) => {
    const { problems, faults } = await rounds.run(name);
    expect(problems).toEqual([]);
    expect(faults.size).toBeGreaterThan(0);
  });
}

async function smallRounds(directory: string): Promise<SmallRounds> {
  await mkdir(join(directory, 'sources'));
  const sources = await faultSources(join(directory, 'sources'), (name) => SOURCES.includes(name));
  const optionsFor = (name: string): Omit<RoundOptions, 'truths'> => ({
    ...{ seed: 1, sources, enough: 40, viewers: 4, directory: join(directory, name) },
    ...{ outageSeconds: 5, slowSeconds: 0.2, hangSeconds: 5, retrySeconds: 0.25 },
    // Somewhat less than jest allows: a round that hangs then tells in what.
    ...{ deadlineSeconds: 1200, quietSeconds: 300 },
  });
  const right = await runRound(NO_FAULTS, { ...optionsFor('none'), truths: undefined });
  return {
    right,
    run(name) {
      const scenario = SCENARIOS.find((own) => own.name === name)!;
      return runRound(scenario, { ...optionsFor(name), truths: right.served });
    },
  };
}
