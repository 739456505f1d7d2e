// Sends damaged files through the pipeline and notes how each of them ends.

import { readFile, readdir } from 'node:fs/promises';
import { lived, uploadedIn } from '../../test/support/life.ts';
import type { Variant } from './variants.ts';

export interface Ending {
  variant: Variant;
  /** `ready`, the code of the failure, or `CRASH`. */
  outcome: string;
  message: string;
  rescued: number;
  seconds: number;
}

/** Never throws: what the pipeline throws is a `CRASH`. */
export async function endingOf(variant: Variant, temporaryDirectory: string): Promise<Ending> {
  const begun = performance.now();
  const video = await uploadedIn(temporaryDirectory, variant.bytes);
  const ended = await lived(video).then(
    ({ state, error }) => ({ outcome: error?.code ?? state, message: error?.message ?? '' }),
    (error: Error) => ({ outcome: 'CRASH', message: `${error.stack}` }),
  );
  const rescued = video.world.observed.filter(({ event }) => event === 'rescued').length;
  return { variant, ...ended, rescued, seconds: (performance.now() - begun) / 1000 };
}

/** What must not be left behind when all is done: files, and processes of ours (on Linux). */
export async function leftovers(temporaryDirectory: string): Promise<string[]> {
  const files = await readdir(temporaryDirectory);
  const children: string[] = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8').then(
    (pids) => pids.split(' ').filter(Boolean),
    () => [],
  );
  const names = await Promise.all(
    children.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')),
  );
  return [...files, ...names.map((name) => name.trim()).filter((name) => /^ff(mpeg|probe)/.test(name))];
}
