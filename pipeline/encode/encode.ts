// Encodes a run of segments in one ffmpeg process and returns them whole and counted. The just-in-time path calls it
// for one segment of one rendition, prewarm for a chunk of all of them. A damaged source leaves no hole in its film.

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { damagedSegments, decodedStreams } from '../../core/encoding/damage.ts';
import { encodeArguments, levellingArguments } from '../../core/encoding/segment-arguments.ts';
import { RESCUE_PREROLL_SECONDS, processesOf, sharesOf } from '../../core/encoding/job.ts';
import type { EncodeJob, Rescue } from '../../core/encoding/job.ts';
import { FfmpegError, OutageError, isTimedOut } from '../../core/errors.ts';
import type { CutSegment, ReadFile, Run } from '../../core/formats/format.ts';
import { formatOf } from '../../core/formats/formats.ts';
import { valueOf } from '../../core/fraction.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Rendition } from '../../core/plan/renditions.ts';
import { runOf } from '../../core/plan/segments.ts';
import type { LostPart } from '../../core/records/lost.ts';
import { decodingLog } from '../../core/source/decoding-log.ts';
import { run } from '../../machine/ffmpeg.ts';
import { refuseUndecodable } from '../source/undecodable.ts';
import type { EncodeTools } from '../world.ts';
import { openWorkspace, withRoom } from './workspace.ts';

export interface EncodedSegment {
  rendition: string;
  index: number;
  /** Of the rendition's format. */
  extension: string;
  bytes: Uint8Array;
  /** Set where the source is damaged there and something was put in its place. */
  rescue?: LostPart['rescue'] | undefined;
}

export interface EncodeOptions {
  /** Ahead of time: it gives way to what somebody waits for. */
  background?: boolean;
  /** When nobody wants it any more: what waits for a turn, or has hardly begun, is given up. */
  leave?: AbortSignal;
  /** What went wrong in reading the source, if anything did: what is merely out of reach is not made up for. */
  sourceFailure?: () => unknown;
  /** Until all must have been written: what is not whole by then is left out. */
  secondsLeft?: () => number;
}

// A segment that takes this many times its own length is not going to be watched; the rest is for starting up.
const SECONDS_PER_SECOND = 20;
const STARTUP_SECONDS = 70;
// Far above what the rate cap allows any segment of the ladder.
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * Encodes all in one process (text in another); then, where a damaged source gave less than planned, what is missing
 * once more with pictures held; then, where there was nothing to hold, black and silent.
 * @yields the job's segments, rendition by rendition, one in memory at a time; what has to be rescued last.
 * @throws SourceError DAMAGED where no picture of the source can be decoded; FfmpegError; Error where a segment holds
 *   another number of pictures or AAC frames than planned all the same; OutageError, of which TIMED_OUT comes after what
 *   was whole when time was up.
 */
export async function* encode(
  wanted: Omit<EncodeJob, 'directory' | 'rescue' | 'levelled'>,
  tools: EncodeTools,
  options: EncodeOptions = {},
): AsyncGenerator<EncodedSegment> {
  const workspace = await openWorkspace(tools.temporaryDirectory);
  const { directory } = workspace;
  const job = { ...wanted, directory };
  const patient = patientOnceUnderWay(options);
  try {
    for (const own of processesOf(job)) {
      const damage = damageFound();
      const damaged: EncodeJob[] = [];
      let timeUp: OutageError | undefined;
      for (const { part, ending } of await runEncoder(own, tools, patient(), damage)) {
        if (ending instanceof OutageError) timeUp = ending;
        else if (ending ?? (await shortfallOf(part))) {
          damaged.push(part);
          continue;
        }
        yield* encodedSegments(part, { isCutOff: ending !== undefined, damage });
      }
      if (timeUp) throw timeUp;
      for (const part of damaged) {
        const { rescue, timeUp: duringRescue } = await rescueDamaged(part, tools, patient());
        yield* encodedSegments(part, { isCutOff: duringRescue !== undefined, rescue });
        if (duringRescue) throw duringRescue;
      }
    }
  } finally {
    await workspace.remove();
  }
}

/** What a part of a job has come to; of one that was cut off, what is whole. */
async function* encodedSegments(
  part: EncodeJob,
  { isCutOff, damage, rescue }: { isCutOff: boolean; damage?: Damage; rescue?: EncodedSegment['rescue'] },
): AsyncGenerator<EncodedSegment> {
  for (const run of runsOf(part)) {
    const { pack, extension } = formatOf(run.rendition);
    const { name: rendition, track } = run.rendition;
    for await (const segment of isCutOff ? wholeSegmentsMade(run) : segmentsMade(run)) {
      const { index } = segment;
      const lost = rescue ?? (damage?.isIn(track, index) ? 'decoder' : undefined);
      yield { rendition, index, extension, bytes: pack(run, segment), rescue: lost };
    }
  }
}

/** What has run for this long is brought to its end, though it takes several processes. */
const UNDER_WAY_MS = 1000;

function patientOnceUnderWay({ leave, ...options }: EncodeOptions): () => EncodeOptions {
  const begun = performance.now();
  return () => (leave && performance.now() - begun < UNDER_WAY_MS ? { ...options, leave } : options);
}

/**
 * The init segment of a rendition whose format has one: the same with every segment, so it is taken from the first.
 * @throws FfmpegError
 */
export async function encodeInit(
  { plan, rendition, sourceUrl }: { plan: Plan; rendition: Rendition; sourceUrl: string },
  tools: EncodeTools,
  options: EncodeOptions = {},
): Promise<Uint8Array> {
  const { init, name } = formatOf(rendition);
  if (!init) throw new Error(`${name} has no init segment`);
  const workspace = await openWorkspace(tools.temporaryDirectory);
  const { directory } = workspace;
  try {
    const job = { plan, renditions: [rendition.name], from: 0, to: 1, sourceUrl, directory };
    for (const { ending } of await runEncoder(job, tools, options)) if (ending) throw ending;
    return await init.read(...withFiles(runOf(plan, rendition, job)));
  } finally {
    await workspace.remove();
  }
}

/** Where decoders of one or more processes said that a track is damaged. */
interface Damage {
  add(found: ReadonlyMap<string, ReadonlySet<number>>): void;
  isIn(track: string, index: number): boolean;
}

function damageFound(): Damage {
  const segments = new Map<string, Set<number>>();
  return {
    add(found) {
      for (const [track, indices] of found) {
        segments.set(track, new Set([...(segments.get(track) ?? []), ...indices]));
      }
    },
    isIn: (track, index) => segments.get(track)?.has(index) ?? false,
  };
}

/** A job's tracks, each for itself: what ails the one must not harm the others. */
const partsOf = (job: EncodeJob): EncodeJob[] =>
  sharesOf(job).map(({ renditions }) => ({ ...job, renditions: renditions.map(({ name }) => name) }));

const runsOf = (job: EncodeJob): Run[] =>
  sharesOf(job).flatMap(({ renditions }) => renditions.map((rendition) => runOf(job.plan, rendition, job)));

/** What ffmpeg wrote of one rendition, counted. */
const segmentsMade = (run: Run): AsyncGenerator<CutSegment> => formatOf(run.rendition).cut(...withFiles(run));

/** The same of a run that was cut off: up to the first segment that is not there, or not whole. */
async function* wholeSegmentsMade(run: Run): AsyncGenerator<CutSegment> {
  const made = segmentsMade({ ...run, isCutOff: true });
  for (;;) {
    const next = await made.next().catch(() => undefined);
    if (!next || next.done) return;
    yield next.value;
  }
}

const withFiles = (run: Run): [Run, ReadFile] => [run, (name) => readFile(join(run.directory, name))];

async function emptyDirectories({ directory, renditions }: EncodeJob): Promise<void> {
  for (const name of renditions) {
    await rm(join(directory, name), { recursive: true, force: true });
    await mkdir(join(directory, name));
  }
}

/** undefined where ffmpeg ran to its end; its failure where it broke down on the source; TIMED_OUT where it was cut off. */
type Ending = FfmpegError | OutageError | undefined;

/**
 * Where sound changes its channels or its rate in mid-stream, each track is encoded by itself, such sound from a file in
 * which it does not.
 * @returns how it ended for each track; of those without one, time was up before.
 * @throws whatever else went wrong: a machine's failure must not become a hole in a film.
 */
async function runEncoder(
  job: EncodeJob,
  tools: EncodeTools,
  options: EncodeOptions,
  damage?: Damage,
): Promise<{ part: EncodeJob; ending: Ending }[]> {
  const parts = partsOf(job);
  const together = await runOnce(job, tools, options, { damage });
  if (!soundChanged(together)) return parts.map((part) => ({ part, ending: together }));
  const ended: { part: EncodeJob; ending: Ending }[] = [];
  for (const part of parts) {
    const own = parts.length === 1 ? together : await runOnce(part, tools, options, { damage });
    const ending = soundChanged(own) ? await runLevelled(part, tools, options, damage) : own;
    ended.push({ part, ending });
    if (ending instanceof OutageError) break;
  }
  return ended;
}

async function runLevelled(
  part: EncodeJob,
  tools: EncodeTools,
  options: EncodeOptions,
  damage: Damage | undefined,
): Promise<Ending> {
  const levelled = join(part.directory, `${part.renditions.join('-')}.nut`);
  const level = levellingArguments(part, levelled, tools.limits ?? DEFAULT_LIMITS);
  try {
    return (
      (await runOnce(part, tools, options, { damage, command: level, maxFileBytes: levelledBytes(part) })) ??
      (await runOnce({ ...part, levelled }, tools, options))
    );
  } finally {
    await rm(levelled, { force: true });
  }
}

/** Twice what stereo as 32-bit samples takes at the source's rate, with what is read around it. */
function levelledBytes(part: EncodeJob): number {
  const rates = sharesOf(part).map(({ track }) => (track.kind === 'audio' ? track.sourceRate : 0));
  return MAX_SEGMENT_BYTES + 2 * 8 * Math.max(...rates) * secondsOf(part);
}

const secondsOf = ({ plan: { grid }, from, to }: EncodeJob): number =>
  ((to - from) * grid.segmentFrames) / valueOf(grid.frameRate);

async function runOnce(
  job: EncodeJob,
  { binaries, temporaryDirectory, limits = DEFAULT_LIMITS }: EncodeTools,
  { background, leave, sourceFailure, secondsLeft }: EncodeOptions,
  {
    damage,
    command = encodeArguments(job, limits),
    maxFileBytes = MAX_SEGMENT_BYTES,
  }: { damage?: Damage | undefined; command?: string[]; maxFileBytes?: number } = {},
): Promise<Ending> {
  const { renditions, from, to, rescue } = job;
  const seconds = secondsOf(job) + (rescue ? RESCUE_PREROLL_SECONDS : 0);
  const log = damage && decodingLog(decodedStreams(job));
  let timeUp: OutageError | undefined;
  try {
    await withRoom(temporaryDirectory, async () => {
      await emptyDirectories(job);
      await run(binaries.ffmpegPath, command, {
        task: `segments ${from} to ${to - 1} of ${renditions.join(', ')}${rescue ? ` (${rescue})` : ''}`,
        timeoutSeconds: STARTUP_SECONDS + SECONDS_PER_SECOND * seconds,
        maxFileBytes,
        maxMemoryBytes: limits.encodeMemoryBytes,
        line: background ? 'background' : 'viewers',
        leave,
        secondsLeft,
        ...(log && { listener: log }),
      });
    });
  } catch (error) {
    if (isTimedOut(error)) timeUp = error;
    else if (!(error instanceof FfmpegError && brokeOnSource(error))) throw error;
    else if (!sourceFailure?.()) return error;
  }
  const unread = sourceFailure?.();
  if (unread) throw unread;
  if (log) damage.add(damagedSegments(job, log.faults()));
  return timeUp;
}

/** In the words of 4.1 and of later ones. Of pictures it is said that not all filters support it: ours do. */
const soundChanged = (ending: Ending): boolean =>
  ending instanceof FfmpegError &&
  /Changing (audio )?frame properties on the fly is not supported\.$/m.test(ending.stderrTail);

/** Decoders crash on what nobody foresaw; and where not one frame can be decoded, some formats stay unknown. */
const brokeOnSource = (error: FfmpegError): boolean =>
  error.hasCrashed || soundChanged(error) || isUnknownFormat(error);

/**
 * Of several outputs of one track that nothing is known of, the second is given what its encoder cannot take; and no filter
 * takes a pixel of negative width, which a damaged header can give it.
 */
const isUnknownFormat = ({ stderrTail }: FfmpegError): boolean =>
  /Error setting option pixel_aspect to value -/m.test(stderrTail) ||
  // 4.1 says where, 5.1 does not.
  /more samples than frame size(?: \(avcodec_encode_audio2\))?$/m.test(stderrTail) ||
  /Cannot determine format of input stream \d+:\d+ after EOF$/m.test(stderrTail) ||
  /Error while opening decoder for input stream #0:\d+ : Invalid data found when processing input$/m.test(
    stderrTail,
  );

interface Rescued {
  rescue: Rescue | 'decoder';
  /** Where it was cut off: what was whole by then is rescued. */
  timeUp?: OutageError;
}

async function rescueDamaged(part: EncodeJob, tools: EncodeTools, options: EncodeOptions): Promise<Rescued> {
  const tried = async (own: EncodeJob): Promise<Ending | Error> => {
    const [ended] = await runEncoder(own, tools, options);
    return ended!.ending ?? shortfallOf(part);
  };
  let shortfall: Error | undefined;
  // What the better decoder gives up, the other may show in part.
  if (sharesOf(part).some(({ track }) => track.kind === 'video' && track.decoder !== undefined)) {
    shortfall = await tried(withUsualDecoder(part));
    if (!shortfall) return { rescue: 'decoder' };
    if (isTimedOut(shortfall)) return { rescue: 'decoder', timeUp: shortfall };
  }
  for (const rescue of ['held', 'blank'] as const) {
    const { plan, sourceUrl } = part;
    // Sound may be missing altogether; a film without a single picture is none.
    if (rescue === 'blank' && sharesOf(part).some(({ track }) => track.kind === 'video')) {
      await refuseUndecodable(plan, sourceUrl, tools);
    }
    shortfall = await tried({ ...part, rescue });
    if (!shortfall) return { rescue };
    if (isTimedOut(shortfall)) return { rescue, timeUp: shortfall };
  }
  throw shortfall;
}

function withUsualDecoder(part: EncodeJob): EncodeJob {
  const tracks = part.plan.tracks.map((track) => ({ ...track, decoder: undefined }));
  return { ...part, plan: { ...part.plan, tracks } };
}

/** ffmpeg can exit with 0 and half a result. */
async function shortfallOf(part: EncodeJob): Promise<Error | undefined> {
  try {
    for (const run of runsOf(part)) for await (const _ of segmentsMade(run));
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
