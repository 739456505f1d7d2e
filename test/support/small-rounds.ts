// Rounds of bench/faults.ts, small enough for tests.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runRound } from '../../bench/support/fault-rounds.ts';
import type { RoundOptions, RoundResult } from '../../bench/support/fault-rounds.ts';
import { NO_FAULTS, SCENARIOS } from '../../bench/support/fault-scenarios.ts';
import { faultSources } from '../../bench/support/fault-sources.ts';

/** One that is cut from as it is, one that is copied first, sound, and one that is refused. */
const SOURCES = ['index-last.mp4', 'recording.ts', 'sound.m4a', 'words.mp4'];

export interface SmallRounds {
  /** What is right, found by a round without faults; `problems` are that round's own. */
  right: RoundResult;
  run(scenario: string): Promise<RoundResult>;
}

export async function smallRounds(directory: string): Promise<SmallRounds> {
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
