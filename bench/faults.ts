// Does everything come right in the end, and is nothing wrong shown before, when the store and the machine have bad
// days? Sends sources of a dozen kinds through systems whose store cuts answers off, refuses, hangs, forgets, and is
// tampered with, while others watch; then ends the faults and looks at what has become of all of it. Exits with 1 where
// anything is wrong.
//
//   npm run bench:faults -- [--seed 1] [--faults 1000] [--rounds <most>] [--scenario <name>] [--deadline 30] [--logs <folder>]
//
// A round may take `--deadline` times what the same takes without faults, and nothing of it may lie still for as long
// as that took. What servers print, and which faults there were when, is written to a folder where that is wanted.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryDirectory } from '../test/support/media.ts';
import { crowdProblems } from './support/fault-crowd.ts';
import { PROBLEM_KINDS, runRound } from './support/fault-rounds.ts';
import type { RoundOptions, RoundResult, Scenario } from './support/fault-rounds.ts';
import { AHEAD_OF_TIME, NO_FAULTS, PIECE_BY_PIECE, SCENARIOS } from './support/fault-scenarios.ts';
import { faultSources } from './support/fault-sources.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    faults: { type: 'string', default: '1000' },
    rounds: { type: 'string' },
    scenario: { type: 'string' },
    deadline: { type: 'string', default: '30' },
    logs: { type: 'string' },
  },
});
const [firstSeed, wantedFaults, deadline] = [values.seed, values.faults, values.deadline].map(Number) as [
  number,
  number,
  number,
];
const chosen = SCENARIOS.filter(({ name }) => !values.scenario || name === values.scenario);
const CROWD = 'crowd';
if (chosen.length === 0 && values.scenario !== CROWD) {
  throw new Error(`Scenarios are ${[...SCENARIOS.map(({ name }) => name), CROWD].join(', ')}.`);
}
const VIEWERS = 10;

const directory = await temporaryDirectory();
try {
  console.log('Making sources');
  await mkdir(join(directory.path, 'sources'));
  const sources = await faultSources(join(directory.path, 'sources'));
  const optionsFor = (
    name: string,
    seed: number,
  ): Omit<RoundOptions, 'truths' | 'deadlineSeconds' | 'quietSeconds'> => ({
    ...{ seed, sources, viewers: VIEWERS, directory: join(directory.path, `${seed} ${name}`) },
    // Outages, which count for nothing, and a few others have their own number.
    enough: Math.ceil(wantedFaults / 8),
    ...{ outageSeconds: 20, slowSeconds: 1, hangSeconds: 40, retrySeconds: 1 },
  });

  // What is right, made ahead of time and piece by piece, while nobody watches.
  const unwatched = (scenario: Scenario): Promise<RoundResult> =>
    runRound(scenario, {
      ...optionsFor(scenario.name, firstSeed),
      ...{ viewers: 0, truths: undefined, deadlineSeconds: 3600, quietSeconds: 60 },
    });
  const right = await unwatched(AHEAD_OF_TIME);
  await told(right, right.seconds);
  const alone = await unwatched(PIECE_BY_PIECE);
  await told(alone, right.seconds);
  for (const [name, served] of right.served) served.alone = alone.served.get(name)!.files;
  const results = [right, alone];
  const take = async (scenario: Scenario, seed: number): Promise<void> => {
    const result = await attempted(scenario, {
      ...optionsFor(scenario.name, seed),
      ...{ truths: right.served, deadlineSeconds: deadline * right.seconds, quietSeconds: right.seconds },
    });
    await told(result, right.seconds);
    results.push(result);
  };
  await take(NO_FAULTS, firstSeed);
  const faultsSoFar = (): number => results.reduce((sum, { singleFaults }) => sum + singleFaults, 0);
  const most = values.rounds ? Number(values.rounds) : values.scenario ? chosen.length : Infinity;
  // Each scenario once, and again, with other seeds, until there were faults enough.
  for (let index = 0; index < most; index += 1) {
    if (index >= chosen.length && faultsSoFar() >= wantedFaults) break;
    await take(chosen[index % chosen.length]!, firstSeed + Math.floor(index / chosen.length));
  }
  if (!values.scenario || values.scenario === CROWD) {
    const { problems, figures } = await crowdProblems(join(directory.path, CROWD), 100);
    console.log(`\n${CROWD}: ${figures}`);
    for (const text of problems) console.log(`  WRONG ${text}`);
    results.push(without(CROWD, firstSeed, problems));
  }
  summary(results, right.seconds);
  if (results.some(({ problems }) => problems.length > 0)) process.exitCode = 1;
} finally {
  await directory.remove();
}

/** A round that cannot be brought to its end does not stop the others. */
function attempted(scenario: Scenario, options: RoundOptions): Promise<RoundResult> {
  return runRound(scenario, options).catch((error: Error) =>
    without(scenario.name, options.seed, [String(error.stack)]),
  );
}

/** Of something that has no figures. */
function without(scenario: string, seed: number, problems: readonly string[]): RoundResult {
  return {
    ...{ scenario, seed, faults: new Map(), singleFaults: 0, requests: 0, answers: new Map(), seconds: 0 },
    ...{ slowestAnswerSeconds: 0, served: new Map(), output: '', injected: [] },
    problems: problems.map((text) => ({ kind: 'other', text })),
  };
}

/** Prints a round as it ends. */
async function told(result: RoundResult, rightSeconds: number): Promise<void> {
  const { scenario, seed, faults, requests, answers, slowestAnswerSeconds, seconds, problems } = result;
  const counts = (of: ReadonlyMap<string, number>) =>
    [...of].map(([name, count]) => `${count} ${name}`).join(', ') || 'none';
  console.log(
    `\n${scenario}, seed ${seed}: ${seconds.toFixed(1)} s, ${(seconds / rightSeconds).toFixed(1)} times as long`,
  );
  console.log(`  faults in ${requests} requests: ${counts(faults)}`);
  console.log(`  answers: ${counts(answers)}; slowest ${slowestAnswerSeconds.toFixed(1)} s`);
  for (const { kind, text } of problems) console.log(`  WRONG ${kind}: ${text}`);
  if (!values.logs) return;
  await mkdir(values.logs, { recursive: true });
  const path = join(values.logs, `${seed} ${scenario}`);
  await writeFile(`${path}.log`, result.output);
  await writeFile(`${path}.faults`, result.injected.join('\n'));
}

function summary(results: readonly RoundResult[], rightSeconds: number): void {
  const kinds = new Map<string, number>();
  for (const { faults } of results) {
    for (const [kind, count] of faults) kinds.set(kind, (kinds.get(kind) ?? 0) + count);
  }
  const total = [...kinds.values()].reduce((sum, count) => sum + count, 0);
  const single = results.reduce((sum, { singleFaults }) => sum + singleFaults, 0);
  console.log(
    `\n${single} faults one by one, ${total - single} in outages, of ${kinds.size} kinds; first seed ${firstSeed}`,
  );
  for (const [kind, count] of [...kinds].sort(([, a], [, b]) => b - a)) {
    console.log(`${String(count).padStart(6)}  ${kind}`);
  }
  const head = ['scenario', 'seed', 'faults', 'times as long', ...PROBLEM_KINDS];
  const rows = results.map(({ scenario, seed, faults, seconds, problems }) => [
    ...[scenario, String(seed), String([...faults.values()].reduce((sum, count) => sum + count, 0))],
    (seconds / rightSeconds).toFixed(1),
    ...PROBLEM_KINDS.map((kind) => String(problems.filter((problem) => problem.kind === kind).length)),
  ]);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  console.log(`\n${[line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')}`);
}
