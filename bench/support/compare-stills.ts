// Do the still pictures of two checkouts have the same sizes, and look alike?

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decibels, finding } from './findings.ts';
import type { Finding } from './findings.ts';
import { decodedStill, peakRatio } from './likeness.ts';
import type { Still } from './likeness.ts';
import { nameOf } from './takes.ts';
import type { Take } from './takes.ts';

/** JPEGs of the same picture, made by two versions of an encoder, are nearer than that. */
const LEAST_RATIO = 30;

export async function compareStills(
  takes: readonly Take[],
  reference: Take,
  directory: string,
): Promise<Finding[]> {
  const stills = new Map<Take, Map<string, Still>>();
  for (const take of takes) stills.set(take, await decoded(take, directory));
  const expected = stills.get(reference)!;
  const wrong: string[] = [];
  let least = Infinity;
  for (const take of takes) {
    const own = stills.get(take)!;
    if ([...own.keys()].join() !== [...expected.keys()].join()) {
      wrong.push(`${nameOf(take)} has ${[...own.keys()].join(', ')}, not ${[...expected.keys()].join(', ')}`);
      continue;
    }
    for (const [name, { width, height, pixels }] of own) {
      const other = expected.get(name)!;
      if (width !== other.width || height !== other.height) {
        wrong.push(`${nameOf(take)}: ${name} is ${width}x${height}, not ${other.width}x${other.height}`);
        continue;
      }
      const ratio = peakRatio(pixels, other.pixels);
      least = Math.min(least, ratio);
      if (ratio < LEAST_RATIO) wrong.push(`${nameOf(take)}: ${name} is off by ${decibels(ratio)}`);
    }
  }
  const names = [...expected.keys()].join(', ');
  return [finding('stills', wrong, names ? `${names}; least PSNR: ${decibels(least)}` : 'none')];
}

async function decoded({ stills }: Take, directory: string): Promise<Map<string, Still>> {
  const path = join(directory, 'still.jpg');
  const all = new Map<string, Still>();
  for (const [name, bytes] of stills) {
    await writeFile(path, bytes);
    all.set(name, await decodedStill(path));
  }
  return all;
}
