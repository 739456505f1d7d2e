// Makes a fixture for tests of upgrades: the data folder that the server of some checkout leaves behind when it is
// killed with its videos half made.
//
//     node --disable-warning=ExperimentalWarning scripts/freeze-data.ts <checkout> <folder> [film] [recording]
//
// The checkout has its node_modules; the folder does not exist yet. It talks to the server by HTTP alone, so that it
// works for later commits as well. What is in the folder is printed at the end, for test/fixtures/README.md.

import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesAt, renditionsAt } from '../test/support/hls.ts';
import type { Rendition } from '../test/support/hls.ts';
import { ffmpeg, temporaryDirectory } from '../test/support/media.ts';
import { startSystem, statusOf, uploadFile } from '../test/support/system.ts';
import type { Granted } from '../test/support/system.ts';

interface Video {
  filename: string;
  /** Of ffmpeg, but for the file it writes. */
  source: string[];
  /** Whether a chunk of its prewarm is to be stored before the end. */
  isPrewarmed: boolean;
  /** Whether a viewer asks for this segment of the rendition at that place of the multivariant playlist, the sound first. */
  isWatched(segment: { rendition: number; index: number; count: number }): boolean;
}

const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '30', '-g', '25', '-pix_fmt', 'yuv420p'];

const VIDEOS: Record<string, Video> = {
  // Two rungs, and longer than the longest chunk: of the first chunk all is stored, of the second a few segments.
  film: {
    filename: 'Überblick.mp4',
    source: [
      ...['-f', 'lavfi', '-i', numbered('852:480', 224), '-f', 'lavfi', '-i', beeps(48_000, 224)],
      ...[...X264, '-c:a', 'aac', '-b:a', '32k'],
    ],
    isPrewarmed: true,
    isWatched: ({ rendition, index, count }) => index === count - 9 + 2 * rendition || index === count - 1,
  },
  // Its copy has lossless sound. Of the pictures every other segment is stored, of the sound the first half: whatever is
  // made later has one of these beside it.
  recording: {
    filename: 'Aufnahme für später.ts',
    source: [
      ...['-f', 'lavfi', '-i', numbered('324:240', 40), '-f', 'lavfi', '-i', beeps(8000, 40)],
      ...[...X264, '-c:a', 'aac', '-b:a', '16k'],
      // The tables ten times a second would be most of so small a file.
      ...['-pat_period', '2', '-sdt_period', '10'],
    ],
    isPrewarmed: false,
    isWatched: ({ rendition, index, count }) => (rendition === 0 ? index < count / 2 : index % 2 === 0),
  },
};

/** What the next start makes anew. */
const TRANSIENT = ['lock', 'lock-journal', 'encoding', 'page', 's3/incoming', 's3/reserve'];

const [checkout, folder, ...names] = process.argv.slice(2);
if (!checkout || !folder)
  throw new Error('usage: scripts/freeze-data.ts <checkout> <folder> [film] [recording]');
const target = resolve(folder);
await mkdir(target);
// Where the server is started.
process.chdir(checkout);

const directory = await temporaryDirectory();
try {
  const data = join(directory.path, 'data');
  await writeHalf(
    data,
    (names.length > 0 ? names : Object.keys(VIDEOS)).map((name) => VIDEOS[name]!),
  );
  for (const name of TRANSIENT) await rm(join(data, name), { recursive: true, force: true });
  await cp(data, target, { recursive: true });
} finally {
  // An encoder may outlive its server for a moment.
  await rm(directory.path, { recursive: true, force: true, maxRetries: 10 });
}
await closeDatabases(target);
printContents(target);

/** Runs the server until about half of each video is stored, and kills it. */
async function writeHalf(data: string, videos: Video[]): Promise<void> {
  for (const video of videos) await makeSource(video);
  const system = await startSystem(data, { PREWARM: 'all', PLAYBACK: 'public' });
  try {
    const prewarmed: Promise<void>[] = [];
    for (const video of videos) {
      const granted = await uploadFile(system, join(directory.path, video.filename));
      // No chunk is begun while a viewer waits, and one at a time over all videos. So the first video's first chunk is
      // all that the prewarm makes, as long as somebody watches the others.
      await watch(granted, video);
      if (video.isPrewarmed) prewarmed.push(chunkStored(granted));
    }
    await Promise.all(prewarmed);
  } finally {
    await system.kill();
  }
}

async function makeSource({ filename, source }: Video): Promise<void> {
  const words = ['ffmpeg', ...source, filename].map((word) => (/[^\w.:-]/.test(word) ? `"${word}"` : word));
  console.log(words.join(' '));
  await ffmpeg(...source, join(directory.path, filename));
}

/** Asks for its segments, two at a time: one is always being made. */
async function watch({ playbackUrl }: Granted, { isWatched }: Video): Promise<void> {
  const renditions: Rendition[] = [...(await renditionsAt(playbackUrl)).values()];
  const urls = renditions.flatMap(({ segments }, rendition) =>
    segments
      .filter((_, index) => isWatched({ rendition, index, count: segments.length }))
      .map(({ url }) => url),
  );
  const player = async () => {
    for (let url = urls.shift(); url; url = urls.shift()) await bytesAt(url);
  };
  await Promise.all([player(), player()]);
}

/** A chunk's segments are stored in one go, when its encoder has ended. */
async function chunkStored(video: Granted): Promise<void> {
  let [progress, sinceMs] = [0, Date.now()];
  while (progress < 0.5 || Date.now() - sinceMs < 150) {
    const now = (await statusOf(video)).progress;
    if (now !== progress) [progress, sinceMs] = [now, Date.now()];
    await sleep(20);
  }
}

/** Moves into the databases' own files what a killed process leaves beside them. */
async function closeDatabases(path: string): Promise<void> {
  for (const name of await readdir(path, { recursive: true })) {
    if (!name.endsWith('.sqlite')) continue;
    const database = new DatabaseSync(join(path, name));
    database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
  }
}

/** The one thing here that knows how the store keeps its index. */
function printContents(path: string): void {
  const database = new DatabaseSync(join(path, 's3', 'index.sqlite'));
  for (const { bucket, key, size_bytes: sizeBytes } of database
    .prepare('SELECT bucket, key, size_bytes FROM objects ORDER BY bucket, key')
    .iterate() as Iterable<Record<string, unknown>>) {
    console.log(`${String(sizeBytes).padStart(8)}  ${bucket}/${key}`);
  }
  database.close();
}

/** Five pictures a second, each with its number in twelve fields, as `numbersIn` of test/support reads it. Nothing else moves. */
function numbered(size: string, seconds: number): string {
  const level = "'if(Y,126,16+219*mod(floor(N/2^X),2))'";
  return `nullsrc=s=12x2:r=5:d=${seconds},geq=lum=${level}:cb=128:cr=128,scale=${size}:flags=neighbor,setsar=1`;
}

/** A quiet tone wherever a segment ends, and silence in between. */
function beeps(rate: number, seconds: number): string {
  return `aevalsrc='0.02*sin(2*PI*440*t)*lt(mod(t+0.2,4),0.4)':s=${rate}:d=${seconds}`;
}
