// Does this checkout make the same as another one? Sends six small sources, or files of yours, through both checkouts, once
// made ahead of time and once on demand. Compares everything they serve: playlists, the time of every frame, pictures, sound
// and stills. This checkout's segments must also have a clock reference every 100 ms and counters that run on. Exits with 1
// where anything is wrong.
//
//   npm run bench:compare -- <other checkout> [files]
//
// The other checkout needs modules installed in it, not linked: the build of its pages does not follow links.

import { mkdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../test/support/media.ts';
import { compareRendition } from './support/compare-renditions.ts';
import type { RenditionResult } from './support/compare-renditions.ts';
import { compareStills } from './support/compare-stills.ts';
import { compareTexts } from './support/compare-texts.ts';
import { decibels, finding, milliseconds } from './support/findings.ts';
import type { Finding } from './support/findings.ts';
import { sixSources } from './support/six-sources.ts';
import { WAYS, nameOf, startMaker, takeOf } from './support/takes.ts';
import type { Checkout, Maker, Take } from './support/takes.ts';

const [otherFolder, ...files] = process.argv.slice(2);
if (!otherFolder) throw new Error('npm run bench:compare -- <other checkout> [files]');
const CHECKOUTS: Checkout[] = [
  { name: 'other', folder: resolve(otherFolder) },
  { name: 'this', folder: fileURLToPath(new URL('..', import.meta.url)) },
];

const HEAD = [
  ...['source', 'renditions', 'segments', 'frames', 'worst time difference', 'least PSNR', 'least SNR'],
  ...['largest PCR distance prewarmed / on demand', 'verdict'],
];

const directory = await temporaryDirectory();
const makers: Maker[] = [];
try {
  for (const checkout of CHECKOUTS) {
    for (const way of WAYS) makers.push(await startMaker(checkout, way, directory.path));
  }
  const sources = files.length > 0 ? files : await sixSources(directory.path);
  const rows = [HEAD];
  let wrong = 0;
  for (const source of sources) {
    console.log(`\n${basename(source)}`);
    const { findings, row } = await compared(source).catch(failed);
    const count = findings.filter(({ outcome }) => outcome === 'WRONG').length;
    wrong += count;
    rows.push([basename(source), ...row, count === 0 ? 'the same' : `${count} WRONG`]);
  }
  console.log(`\n${table(rows)}`);
  console.log(wrong === 0 ? '\nAll as it should be.' : `\n${wrong} things are not as they should be.`);
  if (wrong > 0) process.exitCode = 1;
} finally {
  await Promise.all(makers.map(({ system }) => system.stop()));
  await directory.remove();
}

/** Findings are printed as they come. */
async function compared(source: string): Promise<{ findings: Finding[]; row: string[] }> {
  const takes: Take[] = [];
  // Both checkouts at once, as they have the same work to do.
  for (const way of WAYS) {
    const both = makers.filter((maker) => maker.way === way);
    takes.push(...(await Promise.all(both.map((maker) => takeOf(source, maker)))));
  }
  const findings: Finding[] = [];
  const tell = (found: Finding[]): void => {
    findings.push(...found);
    for (const { outcome, text } of found) console.log(`  ${outcome.padEnd(5)}  ${text}`);
  };
  const [reference] = takes as [Take];
  const refused = takes.filter(({ refusal }) => refusal);
  if (refused.length > 0) {
    const others = takes.filter(({ refusal }) => refusal !== reference.refusal);
    const differing = others.map((take) => `${nameOf(take)}: ${take.refusal || 'accepted'}`);
    tell([finding(`refused, ${reference.refusal || 'though not by the other'}`, differing)]);
    return { findings, row: Array<string>(HEAD.length - 2).fill('–') };
  }
  tell(compareTexts(takes));
  const results: RenditionResult[] = [];
  const own = join(directory.path, 'decoded');
  await rm(own, { recursive: true, force: true });
  await mkdir(own);
  for (const name of reference.renditions.keys()) {
    if (takes.some(({ renditions }) => !renditions.has(name))) continue; // compareTexts reports it
    const result = await compareRendition(name, takes, reference, own);
    tell(result.findings);
    results.push(result);
  }
  tell(await compareStills(takes, reference, own));
  return { findings, row: rowOf([...reference.renditions.keys()], results) };
}

/** A source whose artifacts cannot be fetched or read does not stop the others. */
function failed(error: Error): { findings: Finding[]; row: string[] } {
  console.log(error);
  return { findings: [finding('compared', [error.message])], row: Array<string>(HEAD.length - 2).fill('–') };
}

function rowOf(names: readonly string[], results: readonly RenditionResult[]): string[] {
  const sum = (values: number[]) => String(values.reduce((total, value) => total + value, 0));
  const ratio = (chosen: readonly RenditionResult[]) =>
    chosen.length > 0 ? decibels(Math.min(...chosen.map(({ leastRatio }) => leastRatio))) : '–';
  const clocks = results.flatMap(({ largestClockMs }) => largestClockMs ?? []);
  return [
    names.join(' '),
    sum(results.map(({ segments }) => segments)),
    sum(results.map(({ frames }) => frames)),
    milliseconds(Math.max(...results.map(({ worstTimeMs }) => worstTimeMs))),
    ratio(results.filter(({ largestClockMs }) => largestClockMs)),
    ratio(results.filter(({ largestClockMs }) => !largestClockMs)),
    clocks.length > 0
      ? WAYS.map((way) => milliseconds(Math.max(...clocks.map((clock) => clock[way])))).join(' / ')
      : '–',
  ];
}

function table(rows: readonly string[][]): string {
  const [head, ...others] = rows.map((cells) => `| ${cells.join(' | ')} |`);
  return [head, `|${rows[0]!.map(() => '---|').join('')}`, ...others].join('\n');
}
