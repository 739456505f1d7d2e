// What is served of a video, held against what is right: what the same file gives where nothing fails.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { unpackedAudio } from '../../core/formats/timestamp-tag.ts';
import { planKey } from '../../core/artifacts/keys.ts';
import { peakBps } from '../../core/plan/bandwidth.ts';
import { pictureFacts, soundFacts } from '../../test/support/segment-facts.ts';
import { numbersIn } from '../../test/support/numbered.ts';
import { objectAt } from '../../test/support/upgrade.ts';
import type { FaultSource } from './fault-sources.ts';
import { answerOf, playlistsIn, thumbsOf, urlOf } from './fault-viewers.ts';
import type { Answered, Watched } from './fault-viewers.ts';
import { firstDifference } from './findings.ts';
import { decodedStill, heardIn, leastPictureRatio, leastSoundRatio, looksOf, peakRatio } from './likeness.ts';

// Encoders differ a little from run to run; another picture, or a tone that is late, is far below.
const LEAST_PICTURE_RATIO = 30;
// With the few bits of the cellular variant, what a segment looks like depends on what was encoded before it: 29.8 dB were seen.
const LEAST_CELLULAR_RATIO = 24;
// One that begins between two samples is 17 dB from one that does not; other sound is less than 0.
const LEAST_SOUND_RATIO = 12;
/** WebM tells times in milliseconds: a segment that is made alone may begin that much earlier or later than in a run. */
const MOST_SHIFT_SAMPLES = 72;
const LEAST_STILL_RATIO = 25;
/** How far told bit rates may be from those of what is served: lengths in playlists are rounded. */
const BITRATE_TOLERANCE = 0.005;

/** All that a player can fetch, by the path below the video; the revision's hash is `REV`. */
export interface Served {
  /** Without the video's id and the hash that follows from it: the same for the same file. */
  plan: string;
  files: Map<string, Buffer>;
  problems: string[];
  /**
   * The same made piece by piece. Sound depends on where decoding begins: by the rounding of a container that counts
   * milliseconds, and by short gaps before it.
   */
  alone?: ReadonlyMap<string, Buffer>;
}

/** Fetches everything once. */
export async function servedOf(video: Watched, client: S3Client): Promise<Served> {
  const served: Served = { plan: '', files: new Map(), problems: [] };
  const take = async (path: string): Promise<string> => {
    const { bytes, label, detail } = await answerOf(urlOf(video, path));
    if (bytes) served.files.set(withoutRev(path), bytes);
    else served.problems.push(`${path}: ${label} ${detail}`);
    return bytes?.toString() ?? '';
  };
  const master = await take('master.m3u8');
  const rev = /\b([0-9a-f]{10})\//.exec(master)?.[1];
  if (rev) served.plan = await planText(video.id, rev, client);
  for (const path of playlistsIn(master)) {
    const playlist = await take(path);
    const segments = playlist.split('\n').filter((line) => line && !line.startsWith('#'));
    for (const segment of segments) await take(path.replace(/[^/]*$/, segment));
  }
  // What was damaged, and measured so, has been made again meanwhile.
  await take('master.m3u8');
  if (!/RESOLUTION=/.test(master)) return served;
  await take('poster.jpg');
  const track = await take('storyboard.vtt');
  const tiles = [...track.matchAll(/^(\S+)#xywh=/gm)].map(([, sheet]) => sheet!);
  for (const sheet of new Set(tiles)) await take(sheet);
  for (const path of thumbsOf(tiles.length)) await take(path);
  return served;
}

async function planText(id: string, rev: string, client: S3Client): Promise<string> {
  const plan = JSON.parse((await objectAt(client, planKey(id, rev))).toString()) as object;
  return JSON.stringify(plan, null, 1).replaceAll(id, 'ID').replaceAll(rev, 'REV');
}

export const withoutRev = (path: string): string => path.replace(/^[0-9a-f]{10}\//, 'REV/');

/** What is wrong with a complete video beside the one that is right. */
export async function differences(own: Served, right: Served, directory: string): Promise<string[]> {
  const problems = [...own.problems];
  const planned = firstDifference(own.plan, right.plan);
  if (planned) problems.push(`planned otherwise: ${planned}`);
  for (const path of right.files.keys()) {
    if (!own.files.has(path)) problems.push(`${path} is missing`);
  }
  const master = own.files.get('master.m3u8')?.toString();
  if (master !== undefined) problems.push(...bitrateProblems(master, own.files));
  const renditions = new Set<string>();
  for (const [path, bytes] of own.files) {
    const expected = right.files.get(path);
    if (!expected) problems.push(`${path} should not be there`);
    else if (SEGMENT.test(path)) renditions.add(path.split('/')[1]!);
    else if (!(await isRight(path, bytes, [right], directory))) problems.push(`${path} is wrong`);
  }
  for (const rendition of renditions) {
    problems.push(...(await renditionProblems(rendition, own, right, directory)));
  }
  return problems;
}

const SEGMENT = /\.(ts|aac)$/;

/** Where the number of pictures is known beforehand, each of them plays once, in order. */
export async function pictureProblems(
  { name, pictures }: FaultSource,
  served: Served,
  directory: string,
): Promise<string[]> {
  if (pictures === undefined) return [];
  const problems: string[] = [];
  for (const rendition of renditionsOf(served).filter((own) => !own.startsWith('audio-'))) {
    const path = join(directory, 'rendition.ts');
    await writeFile(path, Buffer.concat(segmentsOf(rendition, served.files)));
    const wrong = firstWrong(await numbersIn(path), [...Array(pictures).keys()]);
    if (wrong) problems.push(`${name} ${rendition}: ${wrong}`);
  }
  return problems;
}

/** Whether an answer is what a right video has at this path: byte by byte, or as far as an encoder may choose. */
export async function isRight(
  path: string,
  bytes: Buffer,
  rights: readonly Served[],
  directory: string,
): Promise<boolean> {
  const expected = rights.flatMap((right) => waysToBeRight(right, withoutRev(path)));
  if (expected.some((right) => right.equals(bytes))) return true;
  for (const right of expected) {
    if (await isAlike(path, bytes, right, directory).catch(() => false)) return true;
  }
  return false;
}

const waysToBeRight = ({ files, alone }: Served, path: string): Buffer[] =>
  [files, alone].flatMap((made) => made?.get(path) ?? []);

/** What viewers were answered with 200 or 206, and that is not right. */
export async function wrongAnswers(
  seen: ReadonlyMap<string, Answered>,
  rights: readonly Served[],
  directory: string,
): Promise<string[]> {
  const problems: string[] = [];
  const good = new Map<string, Buffer[]>();
  for (const [path, answered] of seen) {
    if (path.includes(' ')) continue;
    for (const { bytes, times } of answered.values()) {
      if (await isRight(path, bytes, rights, directory)) {
        good.set(path, [...(good.get(path) ?? []), bytes]);
      } else {
        const sizes = rights.flatMap(({ files }) => files.get(withoutRev(path))?.length ?? []);
        problems.push(
          `${path}: ${times} times ${bytes.length} bytes that are wrong (right: ${sizes.join()})`,
        );
      }
    }
  }
  for (const [path, answered] of seen) {
    const [whole, range] = path.split(' ') as [string, string | undefined];
    if (range === undefined) continue;
    const [first, last] = range.split('-').map(Number) as [number, number];
    const wholes = [
      ...(good.get(whole) ?? []),
      ...rights.flatMap((right) => waysToBeRight(right, withoutRev(whole))),
    ];
    for (const { bytes, times } of answered.values()) {
      if (wholes.some((right) => right.subarray(first, last + 1).equals(bytes) || right.equals(bytes)))
        continue;
      problems.push(`${path}: ${times} times a range of something else`);
    }
  }
  return problems;
}

async function isAlike(path: string, own: Buffer, right: Buffer, directory: string): Promise<boolean> {
  if (path.endsWith('.m3u8')) return unmeasured(own) === unmeasured(right);
  if (path.endsWith('.vtt')) return withoutRevs(own) === withoutRevs(right);
  if (path.endsWith('.jpg')) {
    const [a, b] = [await stillOf(own, directory), await stillOf(right, directory)];
    return a.width === b.width && a.height === b.height && peakRatio(a.pixels, b.pixels) >= LEAST_STILL_RATIO;
  }
  return (await segmentsProblems(path.split('/')[1]!, [own], [right], directory)).length === 0;
}

const withoutRevs = (text: Buffer): string => text.toString().replaceAll(/\b[0-9a-f]{10}\//g, 'REV/');
const BITRATES = /(AVERAGE-)?BANDWIDTH=(\d+),?/g;
const unmeasured = (playlist: Buffer): string => withoutRevs(playlist).replaceAll(BITRATES, '');

/** A ready video's playlist tells the bit rates of what is served, whichever way that was made. */
function bitrateProblems(master: string, files: ReadonlyMap<string, Buffer>): string[] {
  const lines = withoutRevs(Buffer.from(master)).split('\n');
  const groups = lines
    .filter((line) => line.startsWith('#EXT-X-MEDIA:TYPE=AUDIO'))
    .map((line) => ({ id: attributeOf(line, 'GROUP-ID'), bps: bpsOf(attributeOf(line, 'URI')!, files) }));
  return lines.flatMap((line, index) => {
    if (!line.startsWith('#EXT-X-STREAM-INF:')) return [];
    const uri = lines[index + 1]!;
    const own = bpsOf(uri, files);
    const sounds = groups.filter(({ id }) => id === attributeOf(line, 'AUDIO')).map(({ bps }) => bps);
    // The group's costliest, unless the variant is that sound.
    const [sound] = isSoundAlone(uri) ? [] : sounds.sort((a, b) => b.peak - a.peak);
    return [
      ['BANDWIDTH', own.peak + (sound?.peak ?? 0)] as const,
      ['AVERAGE-BANDWIDTH', own.average + (sound?.average ?? 0)] as const,
    ].flatMap(([name, served]) => {
      const told = Number(attributeOf(line, name));
      if (Math.abs(told - served) <= BITRATE_TOLERANCE * served) return [];
      return [`master.m3u8 tells ${name}=${told} of ${uri}, not ${Math.round(served)}`];
    });
  });
}

const isSoundAlone = (uri: string): boolean => uri.includes('/audio-');

const attributeOf = (line: string, name: string): string | undefined =>
  new RegExp(`[:,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line)?.slice(1).find(Boolean);

function bpsOf(uri: string, files: ReadonlyMap<string, Buffer>): { peak: number; average: number } {
  const playlist = files.get(uri)?.toString() ?? '';
  const segments = [...playlist.matchAll(/#EXTINF:([\d.]+),\n(.+)\n/g)].map(([, seconds, name]) => ({
    seconds: Number(seconds),
    bits: (files.get(uri.replace(/[^/]*$/, name!))?.length ?? NaN) * 8,
  }));
  const [bits, seconds] = (['bits', 'seconds'] as const).map((key) =>
    segments.reduce((sum, segment) => sum + segment[key], 0),
  ) as [number, number];
  return { peak: peakBps(segments), average: bits / seconds };
}

async function stillOf(bytes: Buffer, directory: string) {
  const path = join(directory, 'still.jpg');
  await writeFile(path, bytes);
  return decodedStill(path);
}

const renditionsOf = ({ files }: Served): string[] => [
  ...new Set([...files.keys()].filter((path) => SEGMENT.test(path)).map((path) => path.split('/')[1]!)),
];

const segmentsOf = (rendition: string, files: ReadonlyMap<string, Buffer>): Buffer[] =>
  [...files]
    .filter(([path]) => path.split('/')[1] === rendition && SEGMENT.test(path))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, bytes]) => bytes);

async function renditionProblems(
  rendition: string,
  own: Served,
  right: Served,
  directory: string,
): Promise<string[]> {
  const [ours, theirs] = [segmentsOf(rendition, own.files), segmentsOf(rendition, right.files)];
  if (ours.length !== theirs.length) return [`${rendition}: ${ours.length} of ${theirs.length} segments`];
  if (ours.every((bytes, index) => bytes.equals(theirs[index]!))) return [];
  const alone = right.alone && segmentsOf(rendition, right.alone);
  return segmentsProblems(rendition, ours, theirs, directory, alone).catch((error: Error) => [
    `${rendition}: ${error.message.split('\n')[0]}`,
  ]);
}

async function segmentsProblems(
  rendition: string,
  own: readonly Buffer[],
  right: readonly Buffer[],
  directory: string,
  alone?: readonly Buffer[],
): Promise<string[]> {
  const isSound = rendition.startsWith('audio-');
  for (const [index, bytes] of own.entries()) {
    const facts = (segment: Buffer) => JSON.stringify(isSound ? soundFacts(segment) : timesOf(segment));
    let found: string;
    try {
      found = facts(bytes);
    } catch (error) {
      return [`${rendition}, segment ${index} of ${bytes.length} bytes: ${(error as Error).message}`];
    }
    const expected = facts(right[index]!);
    if (found !== expected) return [`${rendition}, segment ${index}: ${found}, not ${expected}`];
  }
  if (isSound) {
    for (const [index, bytes] of own.entries()) {
      let ratio = await soundRatio(bytes, right[index]!, directory);
      if (ratio < LEAST_SOUND_RATIO && alone) ratio = await soundRatio(bytes, alone[index]!, directory);
      if (ratio < LEAST_SOUND_RATIO) {
        return [`${rendition}, segment ${index}: sound ${ratio.toFixed(1)} dB from what is right`];
      }
    }
    return [];
  }
  const [path, rightPath] = ['own.ts', 'right.ts'].map((name) => join(directory, name)) as [string, string];
  await writeFile(path, Buffer.concat(own));
  await writeFile(rightPath, Buffer.concat(right));
  const wrong = firstWrong(await numbersIn(path), await numbersIn(rightPath));
  if (wrong) return [`${rendition}: ${wrong}`];
  const ratio = leastPictureRatio(await looksOf(path), await looksOf(rightPath));
  return ratio < (rendition.endsWith('-low') ? LEAST_CELLULAR_RATIO : LEAST_PICTURE_RATIO)
    ? [`${rendition}: pictures ${ratio.toFixed(1)} dB from what is right`]
    : [];
}

/** Of two segments, where they are most alike. */
async function soundRatio(own: Buffer, right: Buffer, directory: string): Promise<number> {
  const heard = async (segment: Buffer): Promise<Float32Array> => {
    const path = join(directory, 'segment.aac');
    await writeFile(path, unpackedAudio(segment));
    return (await heardIn(path)).samples;
  };
  const [a, b] = [await heard(own), await heard(right)];
  const channels = a.length / 1024 / soundFacts(own).frames;
  const from = Math.floor(a.length / channels / 2) * channels;
  const to = Math.min(a.length - MOST_SHIFT_SAMPLES * channels, from + 8192);
  let [best, mostAlike] = [0, -Infinity];
  for (let shift = -MOST_SHIFT_SAMPLES; shift <= MOST_SHIFT_SAMPLES; shift += 1) {
    let alike = 0;
    for (let at = from; at < to; at += 1) alike += a[at]! * b[at + shift * channels]!;
    if (alike > mostAlike) [best, mostAlike] = [shift * channels, alike];
  }
  const samples = (of: Float32Array, late: number) => ({
    samples: of.subarray(Math.max(0, late)),
    complaints: '',
  });
  return leastSoundRatio(samples(a, -best), samples(b, best));
}

const timesOf = (segment: Buffer) => {
  const { frames, pts } = pictureFacts(segment);
  return { frames, pts };
};

function firstWrong(numbers: readonly number[], expected: readonly number[]): string | undefined {
  const at = expected.findIndex((number, index) => numbers[index] !== number);
  if (at >= 0)
    return `picture ${at} shows number ${numbers[at]}, not ${expected[at]} (${numbers.length} pictures)`;
  return numbers.length === expected.length
    ? undefined
    : `${numbers.length} pictures, not ${expected.length}`;
}
