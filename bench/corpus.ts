// What becomes of a folder of real files? Sends each through the running system, fetches all that was made, and holds it
// against what an independent decoder makes of the file, and against the folder's MANIFEST.json where it has one. Fails
// where something is missing of which the status says nothing.
//
//   npm run corpus -- <folder> [pattern of file names]

import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesAt, renditionsAt } from '../test/support/hls.ts';
import type { Rendition } from '../test/support/hls.ts';
import { temporaryDirectory } from '../test/support/media.ts';
import { deleteVideo, startSystem, untilStatus, uploadFile } from '../test/support/system.ts';
import type { Granted, System } from '../test/support/system.ts';
import type { PlannedSource } from '../core/plan/plan.ts';
import type { VideoStatus } from '../pipeline/life/video-status.ts';
import { isUpright } from './support/fidelity.ts';
import { decoded } from './support/independent-decode.ts';
import type { Decoded } from './support/independent-decode.ts';
import { onOneClock, wholeness } from './support/wholeness.ts';

/** The part of a manifest's entry that is used here. */
interface Entry {
  file: string;
  duration_s?: number | null;
  expect?: 'playable' | 'audio-only' | 'reject';
  /** Says that more than one behaviour will do. */
  expect_note?: string;
}

interface Row {
  file: string;
  plan: string;
  firstSegment: string;
  /** Of the source's pictures, those that are not seen; of its seconds of sound, those that are not heard. */
  lost: string;
  duration: string;
  offset: string;
  read: string;
  notices: string;
  verdict: string;
}

// People begin to see lips and voice part at 45 ms (ITU-R BT.1359).
const MOST_OFFSET_SECONDS = 0.045;
const MOST_READ = 1.3;
const MOST_LOST = 1 / 200;
const TIME_LIMIT_MS = 600_000;

const [folder, wanted = ''] = process.argv.slice(2);
if (!folder) throw new Error('npm run corpus -- <folder of videos> [pattern of file names]');
const directory = await temporaryDirectory();
const system = await startSystem(join(directory.path, 'data'), { POWERTOOLS_LOG_LEVEL: 'INFO' });
const rows: Row[] = [];
try {
  for (const entry of (await entriesOf(folder)).filter(({ file }) => new RegExp(wanted).test(file))) {
    const row = await judged(entry).catch((error: Error) => failedRow(entry, error.message.split('\n')[0]!));
    rows.push(row);
    console.error(`${row.file}: ${row.verdict}`);
  }
  console.log(table(rows));
  const count = (verdict: RegExp) => rows.filter((row) => verdict.test(row.verdict)).length;
  const [good, refused] = [count(/^ok/), count(/^refused/)];
  console.log(
    `\n${good} of ${rows.length} as they should be, ${refused} refused (whether rightly is for people to see).`,
  );
  if (good + refused < rows.length) process.exitCode = 1;
} finally {
  await system.stop();
  await directory.remove();
}

/** What the manifest lists; without one, all files but documents. */
async function entriesOf(path: string): Promise<Entry[]> {
  const names = await readdir(path);
  if (names.includes('MANIFEST.json')) {
    return JSON.parse(await readFile(join(path, 'MANIFEST.json'), 'utf8')) as Entry[];
  }
  const files = names.filter((name) => !/\.(md|json)$|^\./.test(name)).sort();
  const kinds = await Promise.all(files.map((file) => stat(join(path, file))));
  return files.filter((_, index) => kinds[index]!.isFile()).map((file) => ({ file }));
}

async function judged(entry: Entry): Promise<Row> {
  const path = join(folder!, entry.file);
  const video = await uploadFile(system, path);
  const uploadedAt = performance.now();
  try {
    const firstSegmentSeconds = await untilFirstSegment(video, uploadedAt).catch(() => undefined);
    const status = await settled(video);
    if (status.state !== 'ready') return refusedRow(entry, status);
    return await comparedRow(entry, video, status, firstSegmentSeconds);
  } finally {
    await deleteVideo(system, video);
  }
}

/** Asks as a player does: playlist, playlist, segment. */
async function untilFirstSegment({ playbackUrl }: Granted, uploadedAt: number): Promise<number> {
  const renditions = await renditionsAt(playbackUrl);
  const picture =
    [...renditions.values()].find(({ uri }) => !uri.includes('audio-')) ?? [...renditions.values()][0]!;
  await bytesAt(picture.segments[0]!.url);
  return (performance.now() - uploadedAt) / 1000;
}

function settled(video: Granted): Promise<VideoStatus> {
  const deadline = performance.now() + TIME_LIMIT_MS;
  return untilStatus(video, ({ state }) => {
    if (performance.now() > deadline) throw new Error(`still ${state} after ${TIME_LIMIT_MS / 1000} s`);
    return state === 'ready' || state === 'failed';
  });
}

async function comparedRow(
  entry: Entry,
  { id, playbackUrl }: Granted,
  status: VideoStatus,
  firstSegmentSeconds: number | undefined,
): Promise<Row> {
  const path = join(folder!, entry.file);
  const { size } = await stat(path);
  const top = status.renditions[0]!;
  const shape = top.width ? top.width / top.height! : undefined;
  const source = await decoded(path, shape);
  const made = await madeOf(id, await renditionsAt(playbackUrl), top);
  const whole = wholeness(made, source);
  const { originSeconds, pictures, sound, picturesOff, soundOff } = whole;
  const problems: string[] = [];
  if (pictures && pictures.lost > 1 + MOST_LOST * pictures.of) problems.push('pictures lost');
  if (sound && sound.lost > 0.1 + MOST_LOST * sound.of) problems.push('sound lost');
  if (pictures && made.pictures && !isSeenUpright(made, source, originSeconds)) problems.push('not upright');
  const frameSeconds = top.frameRate ? 1 / top.frameRate : 0;
  if (Math.abs((soundOff ?? 0) - (picturesOff ?? 0)) > Math.max(MOST_OFFSET_SECONDS, frameSeconds)) {
    problems.push('out of sync');
  }
  const seconds = status.durationSeconds ?? 0;
  const wantedSeconds = entry.duration_s ?? whole.sourceSeconds;
  if (Math.abs(seconds - wantedSeconds) > Math.max(0.3, 1.5 * frameSeconds)) problems.push('duration');
  const { planning, prewarm } = bytesRead(id, size);
  if (prewarm > MOST_READ) problems.push('reads too much');
  if (entry.expect === 'reject' && !entry.expect_note) problems.push('should be refused');
  const { notices } = status;
  // What is missing and said to be is as it should be.
  const isSaid = notices.length > 0 && problems.every((problem) => /lost|duration/.test(problem));
  return {
    file: entry.file,
    plan: `${top.width ? `${top.width}x${top.height} ${top.frameRate} fps` : 'sound only'}, ${status.renditions.length} rungs`,
    firstSegment: firstSegmentSeconds === undefined ? 'never' : `${firstSegmentSeconds.toFixed(2)} s`,
    lost: [
      ...(pictures ? [`${pictures.lost} of ${pictures.of}`] : []),
      ...(sound ? [`${sound.lost.toFixed(2)} of ${sound.of.toFixed(2)} s`] : []),
    ].join(', '),
    duration: `${wantedSeconds.toFixed(2)} / ${seconds.toFixed(2)} s`,
    offset: [picturesOff, soundOff]
      .map((off) => (off === undefined ? '–' : `${Math.round(off * 1000)}`))
      .join(' / '),
    read: `${planning.toFixed(2)} / ${prewarm.toFixed(2)}`,
    notices: notices.map(({ code, track }) => `${code} (${track ?? 'file'})`).join(', '),
    verdict:
      problems.length === 0 ? 'ok' : isSaid ? `ok: ${problems.join(', ')}, and said so` : problems.join(', '),
  };
}

/** The best picture and the first sound, as one file each, on a clock that begins at 0. */
async function madeOf(
  id: string,
  renditions: Map<string, Rendition>,
  top: VideoStatus['renditions'][number],
): Promise<Decoded> {
  const sound = renditions.get('audio-0');
  const pictures = top.width
    ? await decoded(await fetched(renditions.get(top.name)!, `${id}.ts`), undefined)
    : undefined;
  const heard = sound && (await decoded(await fetched(sound, `${id}.aac`), undefined));
  return onOneClock(pictures, heard);
}

/** By the picture in the middle. */
function isSeenUpright(made: Decoded, source: Decoded, originSeconds: number): boolean {
  const [own, shown] = [source.pictures!, made.pictures!];
  const middle = Math.floor(own.looks.length / 2);
  const at = shown.times.findIndex((time) => time >= own.times[middle]! - originSeconds - 0.001);
  return isUpright(shown.looks[at < 0 ? shown.looks.length - 1 : at]!, own.looks[middle]!);
}

async function fetched({ segments }: Rendition, name: string): Promise<string> {
  const path = join(directory.path, name);
  await mkdir(directory.path, { recursive: true });
  const pieces: Buffer[] = [];
  for (const { url } of segments) pieces.push(await bytesAt(url));
  await writeFile(path, Buffer.concat(pieces));
  return path;
}

/**
 * From the system's own observations: bytes read for the plan, and for all of the prewarm, as shares of what they are read
 * of: the upload, or the copy that was made of it.
 */
function bytesRead(id: string, uploadBytes: number): { planning: number; prewarm: number } {
  const lines = (system as System)
    .output()
    .split('\n')
    .filter((line) => line.includes(id) && line.includes('sourceBytesRead'))
    .map((line) => JSON.parse(line) as { message: string; sourceBytesRead: number; source?: PlannedSource });
  const planned = lines.find(({ message }) => message === 'playable')!;
  const prewarmed = lines.filter(({ message }) => message === 'prewarmed');
  return {
    planning: planned.sourceBytesRead / uploadBytes,
    prewarm: prewarmed.reduce((sum, line) => sum + line.sourceBytesRead, 0) / planned.source!.sizeBytes,
  };
}

function refusedRow(entry: Entry, { state, error }: VideoStatus): Row {
  const asWanted = entry.expect === 'reject' || entry.expect_note !== undefined;
  const refusal = `${error?.code ?? state}: ${error?.message ?? ''}`;
  const isRefused = state === 'failed' && error?.code !== 'ENCODING_FAILED';
  const verdict = asWanted && isRefused ? `ok: ${refusal}` : isRefused ? `refused: ${refusal}` : refusal;
  return failedRow(
    entry,
    entry.expect === 'playable' && isRefused && !asWanted ? `WRONG: ${verdict}` : verdict,
  );
}

function failedRow({ file }: Entry, verdict: string): Row {
  const [plan, firstSegment, lost, duration, offset, read, notices] = Array<string>(7).fill('');
  return { file, plan, firstSegment, lost, duration, offset, read, notices, verdict } as Row;
}

function table(all: Row[]): string {
  const heads: Record<keyof Row, string> = {
    file: 'file',
    plan: 'plan',
    firstSegment: 'first segment',
    lost: 'lost: pictures, sound',
    duration: 'duration: file / plan',
    offset: 'picture / sound off, ms',
    read: 'read: plan / prewarm',
    notices: 'notices',
    verdict: 'verdict',
  };
  const columns = Object.keys(heads) as (keyof Row)[];
  const line = (row: Row) => `| ${columns.map((column) => row[column]).join(' | ')} |`;
  return [line(heads), `|${columns.map(() => '---|').join('')}`, ...all.map(line)].join('\n');
}
