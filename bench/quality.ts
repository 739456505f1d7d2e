// How many bits does each setting of the encoder need for the quality of what a viewer waits for, and how much CPU time?
//
//   npm run bench:quality -- <folder or files> [--settings] [--seconds 8] [--rungs 360p,720p] [--crf 22,24,26]
//                            [--try name:preset:options] [--only] [--real]
//
// Takes some seconds of each film and what is generated to be hard, and makes each rung as the pipeline does, by plan and
// recipe, with other encoder options. Each rung is compared with the very pictures that its encoder was given, so scaling
// costs no quality. CPU seconds are the encoder's: it reads those pictures from a file. A film without usable pictures is
// skipped. SSIM alone, as the shipped ffmpeg has no VMAF that runs.
//
// `--settings` tries all presets and CRF 20 to 28, `--try` another setting, any number of times. `--only` leaves the presets
// out, `--real` what is generated.

import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { H264 } from '../core/codecs/h264.ts';
import { mainTrack } from '../core/plan/plan.ts';
import type { VideoRendition } from '../core/plan/renditions.ts';
import { ffmpeg, temporaryDirectory } from '../test/support/media.ts';
import { QUICK, QUICK_CRF, atCrf, settingFrom, settingsToTry } from './support/encoder-settings.ts';
import type { EncoderSetting } from './support/encoder-settings.ts';
import { atQuality, decibelsOf, geometricMean } from './support/equal-quality.ts';
import type { Point } from './support/equal-quality.ts';
import { cpuSeconds } from './support/processes.ts';
import { filesOf, hardSources, openFilm } from './support/quality-films.ts';
import type { Film } from './support/quality-films.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    settings: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '8' },
    rungs: { type: 'string' },
    crf: { type: 'string' },
    try: { type: 'string', multiple: true, default: [] },
    real: { type: 'boolean', default: false },
    only: { type: 'boolean', default: false },
  },
});
const seconds = Math.min(12, Number(values.seconds));
const crfs = (values.crf ?? (values.settings ? '20,22,23,24,26,28' : '23,25,27')).split(',').map(Number);
const settings = [
  ...settingsToTry(values.only ? 'none' : values.settings ? 'all' : 'usual'),
  ...values.try.map(settingFrom),
];
const rungs = values.rungs?.split(',');

interface Compared {
  film: string;
  rung: string;
  quick: Point;
  /** By setting; absent where its curve does not reach the quality of what is quick. */
  others: Map<string, Point>;
}

const directory = await temporaryDirectory();
try {
  const compared: Compared[] = [];
  const sources = values.real ? new Map<string, string>() : await hardSources(directory.path);
  for (const path of positionals) for (const [name, file] of await filesOf(path)) sources.set(name, file);
  for (const [name, path] of sources) {
    const own = join(directory.path, 'film');
    await mkdir(own);
    try {
      const film = await openFilm({ name, path }, { seconds, rungs, directory: own });
      console.log(`${name}: ${film.frames} pictures, ${film.seconds.toFixed(1)} s`);
      for (const rung of film.rungs) {
        const row = await comparedRung(film, rung);
        compared.push(row);
        console.log(`  ${lineOf(row)}`);
      }
    } catch (error) {
      console.log(
        `${name}: skipped: ${String((error as Error).message)
          .split('\n')[0]!
          .slice(0, 160)}`,
      );
    } finally {
      await rm(own, { recursive: true });
    }
  }
  console.log(`\n${summary(compared)}`);
} finally {
  await directory.remove();
}

async function comparedRung(film: Film, rung: Film['rungs'][number]): Promise<Compared> {
  const quick = await measured(film, rung, QUICK, QUICK_CRF);
  const others = new Map<string, Point>();
  for (const setting of settings) {
    const curve: Point[] = [];
    for (const crf of crfs) curve.push(await measured(film, rung, setting, crf));
    const at = atQuality(curve, quick.ssim);
    if (at) others.set(setting.name, at);
  }
  return { film: film.name, rung: rung.rendition.name, quick, others };
}

async function measured(
  { plan, frames }: Film,
  { rendition, path }: { rendition: VideoRendition; path: string },
  setting: EncoderSetting,
  crf: number,
): Promise<Point> {
  const recipe = { ...plan.recipe, h264: { ...plan.recipe.h264, encoder: atCrf(setting, crf) } };
  const options = H264.encoder(rendition, mainTrack(plan, 'video')!, { ...plan, recipe }, 'quick');
  const encoded = `${path}.h264`;
  const before = await cpuSeconds('self');
  await ffmpeg('-i', path, ...options, '-f', 'h264', encoded);
  const taken = (await cpuSeconds('self')) - before;
  const stats = `${path}.ssim`;
  const graph = `[0:v]settb=1/25,setpts=N[made];[1:v]settb=1/25,setpts=N[given];[made][given]ssim=stats_file=${stats}`;
  await ffmpeg('-f', 'h264', '-i', encoded, '-i', path, '-lavfi', graph, '-f', 'null', '-');
  const all = [...(await readFile(stats, 'utf8')).matchAll(/All:([\d.]+)/g)].map(([, value]) =>
    Number(value),
  );
  if (all.length !== frames)
    throw new Error(`${rendition.name}: ${all.length} of ${frames} pictures were compared`);
  const ssim = all.reduce((sum, value) => sum + value, 0) / all.length;
  return { bits: (await stat(encoded)).size * 8, ssim, cpuSeconds: taken };
}

function lineOf({ rung, quick, others }: Compared): string {
  const shares = [...others].map(([name, { bits, cpuSeconds }]) => {
    const cpu = quick.cpuSeconds > 0 ? (cpuSeconds / quick.cpuSeconds).toFixed(2) : '–';
    return `${name} ${(bits / quick.bits).toFixed(3)} (${cpu})`;
  });
  const quality = `SSIM ${quick.ssim.toFixed(4)} (${decibelsOf(quick.ssim).toFixed(2)} dB)`;
  return `${rung.padEnd(6)} ${(quick.bits / 8000).toFixed(0)} kB, ${quality}: ${shares.join('; ')}`;
}

/** The mean of logarithms gives each film and rung the same weight, the sum of bits those that are large. */
function summary(compared: readonly Compared[]): string {
  const head = ['at the same quality', 'bits, mean', 'bits, sum', 'worst', 'CPU', 'films × rungs'];
  const rows = settings.map(({ name }) => {
    const pairs = compared.flatMap(({ quick, others }) => {
      const other = others.get(name);
      return other ? [{ quick, other }] : [];
    });
    const ratios = pairs.map(({ quick, other }) => other.bits / quick.bits);
    const sum = (key: 'bits' | 'cpuSeconds'): number =>
      pairs.reduce((total, { other }) => total + other[key], 0) /
      pairs.reduce((total, { quick }) => total + quick[key], 0);
    if (pairs.length === 0) return [name, ...Array<string>(4).fill('–'), '0'];
    return [
      ...[name, geometricMean(ratios).toFixed(3), sum('bits').toFixed(3), Math.max(...ratios).toFixed(3)],
      ...[sum('cpuSeconds').toFixed(2), `${pairs.length} of ${compared.length}`],
    ];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  return [head, ...rows]
    .map((row) => row.map((text, column) => text.padEnd(widths[column]!)).join('  '))
    .join('\n');
}
