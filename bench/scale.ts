// Does the queue of what is made ahead of time hold what is wanted of it, with a hundred films, ten thousand clips, ten
// executions and a thousand? A simulation in virtual time, of the project's own admission rules and work lists.
//
//   npm run bench:scale [-- --calibrate] [-- --write]
//
// --calibrate: predicts a real prewarm of three films on this machine, and makes it; and measures what a chunk more takes.
// --write: puts the table into docs/cost.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { costBy, measuredCost } from './support/simulation/admission-cost.ts';
import { merged } from './support/simulation/merged-results.ts';
import { calibrated } from './support/simulation/calibration.ts';
import { chunkOverhead } from './support/simulation/chunk-overhead.ts';
import { SCENARIOS } from './support/simulation/scenarios.ts';
import { AT_SCALE, factsOf, tableOf } from './support/simulation/table.ts';
import type { Row } from './support/simulation/table.ts';
import { simulated } from './support/simulation/simulation.ts';
import type { Result } from './support/simulation/simulation.ts';

const PAGE = join(import.meta.dirname, '..', 'docs', 'cost.md');

const options = new Set(process.argv.slice(2));
if (options.has('--calibrate')) {
  if (!(await calibrated(console.log))) process.exitCode = 1;
  await chunkOverhead(console.log);
} else {
  const measured = [1, 100, 1000, 10_000].map((lists) => measuredCost(lists));
  console.log('CPU milliseconds of the queue, by lists in it: parse, step of one item, of 24, store');
  for (const { lists, bytes, parse, step, stepOfAll, store } of measured) {
    const shown = [parse, step, stepOfAll, store].map((value) => (value * 1000).toFixed(1).padStart(8));
    console.log(`${String(lists).padStart(6)} (${(bytes / 1024).toFixed(0)} KiB)  ${shown.join('')}`);
  }
  const rows: Row[] = [];
  for (const scenario of SCENARIOS) {
    const begun = performance.now();
    const results: Result[] = [];
    for (let run = 0; run < (scenario.runs ?? 1); run += 1) {
      const one = scenario.of(costBy(measured));
      results.push(await simulated({ ...one, seed: `${one.seed} ${run}` }));
    }
    const result = merged(results);
    const row = { scenario, result, verdicts: scenario.verdicts(result) };
    rows.push(row);
    const took = ((performance.now() - begun) / 1000).toFixed(0);
    console.log(`\n${scenario.name} (simulated in ${took} s)\n${factsOf(row)}`);
  }
  const table = tableOf(rows);
  console.log(`\n${table}`);
  if (options.has('--write')) {
    const page = readFileSync(PAGE, 'utf8');
    writeFileSync(
      PAGE,
      page.replace(AT_SCALE, (_, start, end) => `${start}\n${table}\n\n${end}`),
    );
  }
}
