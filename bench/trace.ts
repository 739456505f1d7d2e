// Where does the time go? One film is uploaded, opened and sought in as a player would, and every process and every request
// of the server is listed with its beginning and its end.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryDirectory } from '../test/support/media.ts';
import { startSystem, untilStatus, uploadFile } from '../test/support/system.ts';
import type { Granted } from '../test/support/system.ts';
import { fetchSegments, openFirst } from './support/as-a-player.ts';
import { minuteOfFilm, repeated } from './support/sources.ts';
import type { Traced } from './support/tracing.ts';

const FILM_MINUTES = 20;
const PREWARM = process.argv.includes('--prewarm') ? 'all' : 'none';
/** Of the film. */
const SEEK_TO = 0.7;
/** More than this and a command does not fit into a line. */
const MOST_CHARACTERS = 150;

const directory = await temporaryDirectory();
try {
  const film = await repeated(
    await minuteOfFilm(directory.path),
    FILM_MINUTES,
    join(directory.path, 'f.mp4'),
  );
  const traceFile = join(directory.path, 'trace');
  const tracing = pathToFileURL(join(import.meta.dirname, 'support', 'tracing.ts')).href;
  const system = await startSystem(join(directory.path, 'data'), {
    PREWARM,
    TRACE_FILE: traceFile,
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${tracing}`,
  });
  try {
    let video: Granted | undefined;
    const opening = await timed(async () => {
      video = await uploadFile(system, film);
      return openAndFetch(video);
    });
    if (PREWARM === 'none') await untilStatus(video!, ({ state }) => state === 'ready');
    else await sleep(2000);
    const stream = await openFirst(video!.playbackUrl);
    const place = Math.floor(stream.pictures.length * SEEK_TO);
    const seek = await timed(() => fetchSegments(stream, place));
    await sleep(500);
    const traced = (await readFile(traceFile, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Traced);
    report('end of upload to first segments', traced, opening.result, opening.to);
    report('far seek', traced, seek.from, seek.to);
  } finally {
    await system.stop();
  }
} finally {
  await directory.remove();
}

/** @returns when the upload ended */
async function openAndFetch(video: Granted): Promise<number> {
  const ended = clock();
  await fetchSegments(await openFirst(video.playbackUrl), 0);
  return ended;
}

async function timed<T>(work: () => Promise<T>): Promise<{ from: number; to: number; result: T }> {
  const from = clock();
  const result = await work();
  return { from, to: clock(), result };
}

function clock(): number {
  return performance.timeOrigin + performance.now();
}

function report(title: string, traced: readonly Traced[], from: number, to: number): void {
  console.log(`\n${title}: ${Math.round(to - from)} ms`);
  const within = traced.filter((each) => each.to > from && each.from < to);
  for (const each of within.sort((a, b) => a.from - b.from)) {
    const [begin, end] = [each.from - from, each.to - from].map((ms) => String(Math.round(ms)).padStart(6));
    console.log(`${begin} ${end}  ${short(each)}`);
  }
}

/** Of a command, what tells it from others. */
function short({ kind, what }: Traced): string {
  if (kind === 'request') return what.slice(0, MOST_CHARACTERS);
  const [, program = '', rest = ''] = /exec (?:nice -n 19 )?"\$0" "\$@" \S*\/(\w+) (.*)$/s.exec(what) ?? [];
  const telling = rest
    .replace(/.*?(-i |-show|-read_intervals|-select_streams)/s, '$1')
    .replaceAll(/\s+/g, ' ');
  return `${what.includes('nice -n') ? 'background ' : ''}${program || 'process'} ${telling || what}`.slice(
    0,
    MOST_CHARACTERS,
  );
}
