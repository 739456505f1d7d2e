// Does every damaged file end in `ready` or in a failure with a code, within its limits, and is nothing left behind? Does
// what is `ready` hold all that another decoder finds in the file, or say what it lacks?
//
//   npm run bench:fuzz -- [variants = 608] [seed = 1]
//
// Interrupted (Ctrl+C), it brings to its end what it has begun, and sums up.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SOURCE_ERROR_SENTENCES } from '../core/errors.ts';
import { temporaryDirectory } from '../test/support/media.ts';
import { endingOf, leftovers } from './support/fuzz.ts';
import type { Ending } from './support/fuzz.ts';
import { originalsIn, variantsOf } from './support/variants.ts';

const [count, seed] = [Number(process.argv[2] ?? 608), Number(process.argv[3] ?? 1)];
const AT_ONCE = 2;
const KNOWN = ['ready', 'ENCODING_FAILED', ...Object.keys(SOURCE_ERROR_SENTENCES)];

let isInterrupted = false;
process.once('SIGINT', () => (isInterrupted = true));

const directory = await temporaryDirectory();
try {
  const [made, encoding] = [join(directory.path, 'made'), join(directory.path, 'encoding')];
  for (const path of [made, encoding]) await mkdir(path);
  const originals = await originalsIn(made);
  const variants = variantsOf(originals, count, seed);
  const endings: Ending[] = [];
  const worker = async (): Promise<void> => {
    for (const variant of variants) {
      if (isInterrupted) return;
      const ending = await endingOf(variant, encoding, { compare: true });
      endings.push(ending);
      if (ending.unsaid)
        console.log(`${variant.name}, ${variant.damage}: nothing is said of ${ending.unsaid}`);
      if (!KNOWN.includes(ending.outcome) || ending.outcome === 'ENCODING_FAILED' || ending.seconds > 30) {
        const { name, damage } = variant;
        console.log(
          `${name}, ${damage}: ${ending.outcome} after ${ending.seconds.toFixed(1)} s ${ending.message}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const left = await leftovers(encoding);

  const counts = new Map<string, number>();
  for (const { outcome } of endings) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  console.log(`${endings.length} variants of ${originals.length} formats, seed ${seed}`);
  for (const [outcome, times] of [...counts].sort(([, a], [, b]) => b - a)) {
    console.log(`${String(times).padStart(6)}  ${outcome}`);
  }
  const rescued = endings.filter((ending) => ending.rescued > 0).length;
  console.log(`${String(rescued).padStart(6)}  of them with pictures held or black, or with silence`);
  const [noticed, unsaid] = [
    endings.filter(({ notices }) => notices.length > 0).length,
    endings.filter((ending) => ending.unsaid).length,
  ];
  console.log(`${String(noticed).padStart(6)}  say what they lack`);
  console.log(`${String(unsaid).padStart(6)}  lack something and do not say it`);
  const slowest = Math.max(...endings.map(({ seconds }) => seconds));
  console.log(`slowest: ${slowest.toFixed(1)} s; left behind: ${left.join(', ') || 'nothing'}`);
  if (left.length > 0 || unsaid > 0 || endings.some(({ outcome }) => !KNOWN.includes(outcome)))
    process.exitCode = 1;
} finally {
  await directory.remove();
}
