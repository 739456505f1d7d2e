// Encodes a run of segments in one ffmpeg process and returns them whole and counted. The just-in-time path calls it
// for one segment of one rendition, prewarm for a chunk of all of them. A damaged source leaves no hole in its film.

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../../machine/ffmpeg.ts';
import { FfmpegError } from '../../core/errors.ts';
import { adtsFrames, packedAudio } from '../../core/formats/adts.ts';
import { segmentName } from '../../core/artifacts/keys.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { SourceLimits } from '../../core/limits.ts';
import { AAC_FRAME_SAMPLES } from '../../core/plan/plan.ts';
import type { AudioPlan, Plan } from '../../core/plan/plan.ts';
import { RESCUE_PREROLL_SECONDS, audioRun, encodeArguments } from '../../core/encoding/segment-arguments.ts';
import type { EncodeJob, Rescue } from '../../core/encoding/segment-arguments.ts';
import { audioFrames, segmentSeconds, videoFrames } from '../../core/plan/segments.ts';
import { accessUnitsOf } from '../../core/formats/transport-stream/access-units.ts';
import { decodingSpan } from '../../core/formats/transport-stream/decoding-span.ts';
import { packSegment } from '../../core/formats/transport-stream/packed-segment.ts';
import { countPictures } from '../../core/formats/transport-stream/pictures.ts';
import { refuseUndecodable } from '../source/undecodable.ts';
import { openWorkspace, withRoom } from './workspace.ts';

export interface EncodedSegment {
  rendition: string;
  index: number;
  extension: 'ts' | 'aac';
  bytes: Uint8Array;
  /** Set where the source is damaged and something was put in its place. */
  rescue?: Rescue | undefined;
}

export interface EncodeTools {
  binaries: FfmpegBinaries;
  /** Where segments are written before they are read back and removed. */
  temporaryDirectory: string;
  /** @default DEFAULT_LIMITS */
  limits?: SourceLimits;
}

export interface EncodeOptions {
  /** Ahead of time: it gives way to what somebody waits for. */
  background?: boolean;
  /** Whoever waits for a turn when it fires leaves; what has begun is brought to its end. */
  leave?: AbortSignal;
  /** What went wrong in reading the source, if anything did: what is merely out of reach is not made up for. */
  sourceFailure?: () => unknown;
}

// A segment that takes this many times its own length is not going to be watched; the rest is for starting up.
const SECONDS_PER_SECOND = 20;
const STARTUP_SECONDS = 30;
// Far above what the rate cap allows any segment of the ladder.
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * Encodes all in one process; then, where a damaged source gave less than planned, what is missing once more with
 * pictures held; then, where there was nothing to hold, black and silent.
 * @yields the job's segments, rendition by rendition, one in memory at a time.
 * @throws SourceError DAMAGED where no picture of the source can be decoded; FfmpegError; Error where a segment holds
 *   another number of pictures or AAC frames than planned all the same.
 */
export async function* encode(
  { plan, renditions, from, to, sourceUrl }: Omit<EncodeJob, 'directory' | 'rescue'>,
  tools: EncodeTools,
  options: EncodeOptions = {},
): AsyncGenerator<EncodedSegment> {
  const workspace = await openWorkspace(tools.temporaryDirectory);
  const { directory } = workspace;
  const job = { plan, renditions, from, to, sourceUrl, directory };
  try {
    const failure = await runEncoder(job, tools, options);
    for (const part of partsOf(job)) {
      const shortfall = failure ?? (await shortfallOf(part));
      const rescue = shortfall && (await rescueDamaged(part, tools, options));
      for (const rendition of part.renditions) {
        for await (const segment of segmentsMade(part, rendition)) yield { ...packed(plan, segment), rescue };
      }
    }
  } finally {
    await workspace.remove();
  }
}

/** The pictures and the sound of a job: what ails the one must not harm the other. */
function partsOf(job: EncodeJob): EncodeJob[] {
  const isSound = (name: string) => name === job.plan.audio?.name;
  const [pictures, sound] = [job.renditions.filter((name) => !isSound(name)), job.renditions.filter(isSound)];
  return [pictures, sound].filter(({ length }) => length > 0).map((renditions) => ({ ...job, renditions }));
}

async function emptyDirectories({ directory, renditions }: EncodeJob): Promise<void> {
  for (const name of renditions) {
    await rm(join(directory, name), { recursive: true, force: true });
    await mkdir(join(directory, name));
  }
}

/**
 * @returns undefined where ffmpeg ran to its end, and its failure where it broke down on the source.
 * @throws whatever else went wrong: a machine's failure must not become a hole in a film.
 */
async function runEncoder(
  job: EncodeJob,
  { binaries, temporaryDirectory, limits = DEFAULT_LIMITS }: EncodeTools,
  { background, leave, sourceFailure }: EncodeOptions,
): Promise<FfmpegError | undefined> {
  const { plan, renditions, from, to, rescue } = job;
  const seconds = (to - from) * segmentSeconds(plan, '', 0) + (rescue ? RESCUE_PREROLL_SECONDS : 0);
  try {
    await withRoom(temporaryDirectory, async () => {
      await emptyDirectories(job);
      await run(binaries.ffmpegPath, encodeArguments(job, limits), {
        task: `segments ${from} to ${to - 1} of ${renditions.join(', ')}${rescue ? ` (${rescue})` : ''}`,
        timeoutSeconds: STARTUP_SECONDS + SECONDS_PER_SECOND * seconds,
        maxFileBytes: MAX_SEGMENT_BYTES,
        maxMemoryBytes: limits.encodeMemoryBytes,
        line: background ? 'background' : 'viewers',
        leave,
      });
    });
  } catch (error) {
    if (!(error instanceof FfmpegError && brokeOnSource(error))) throw error;
    if (!sourceFailure?.()) return error;
  }
  const unread = sourceFailure?.();
  if (unread) throw unread;
  return undefined;
}

/** Decoders crash on what nobody foresaw; and where not one frame can be decoded, some formats stay unknown. */
const brokeOnSource = ({ hasCrashed, stderrTail }: FfmpegError): boolean =>
  hasCrashed || /^\S.*Cannot determine format of input stream/m.test(stderrTail);

async function rescueDamaged(part: EncodeJob, tools: EncodeTools, options: EncodeOptions): Promise<Rescue> {
  let shortfall: Error | undefined;
  for (const rescue of ['held', 'blank'] as const) {
    const { plan, renditions, sourceUrl } = part;
    // Sound may be missing altogether; a film without a single picture is none.
    if (rescue === 'blank' && !renditions.includes(plan.audio?.name ?? '')) {
      await refuseUndecodable(plan, sourceUrl, tools);
    }
    shortfall = (await runEncoder({ ...part, rescue }, tools, options)) ?? (await shortfallOf(part));
    if (!shortfall) return rescue;
  }
  throw shortfall;
}

/** ffmpeg can exit with 0 and half a result. */
async function shortfallOf(part: EncodeJob): Promise<Error | undefined> {
  try {
    for (const rendition of part.renditions) for await (const _ of segmentsMade(part, rendition));
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** @throws Error where one is missing, or holds another number of pictures or frames than planned. */
async function* segmentsMade(job: EncodeJob, rendition: string): AsyncGenerator<EncodedSegment> {
  const { plan, directory } = job;
  if (rendition === plan.audio?.name) return yield* packAudio(job, plan.audio);
  for (let index = job.from; index < job.to; index += 1) {
    const bytes = await readFile(join(directory, rendition, segmentName(index, 'ts')));
    const planned = videoFrames(plan.grid, index);
    expectCount(`${rendition}/${index}`, 'pictures', countPictures(bytes), planned.to - planned.from);
    yield { rendition, index, extension: 'ts', bytes };
  }
}

/** After it was counted: what cannot be packed is a fault of ours, and nothing is put in the place of its pictures. */
function packed(plan: Plan, segment: EncodedSegment): EncodedSegment {
  const { packing } = plan.recipe.transportStream;
  if (segment.extension !== 'ts' || packing.kind === 'as-muxed') return segment;
  const units = accessUnitsOf(segment.bytes);
  return { ...segment, bytes: packSegment(units, decodingSpan(plan, segment.index), packing) };
}

/** Cuts the run's AAC frames at the segments' borders, without priming and context. */
async function* packAudio(job: EncodeJob, audio: AudioPlan): AsyncGenerator<EncodedSegment> {
  const all = audioRun(job, audio);
  const { aac, timestampOffsetSeconds } = job.plan.recipe;
  const before = aac.primingFrames + aac.contextFrames;
  const encoded = adtsFrames(await readFile(join(job.directory, audio.name, 'all.adts')));
  const frames = encoded.slice(before, before + all.to - all.from);
  expectCount(`${audio.name}/${job.from}–${job.to - 1}`, 'AAC frames', frames.length, all.to - all.from);
  for (let index = job.from; index < job.to; index += 1) {
    const { from, to } = audioFrames(job.plan.grid, audio, index);
    const startSeconds = timestampOffsetSeconds + (from * AAC_FRAME_SAMPLES) / audio.sampleRate;
    const bytes = packedAudio(frames.slice(from - all.from, to - all.from), startSeconds);
    yield { rendition: audio.name, index, extension: 'aac', bytes };
  }
}

function expectCount(segment: string, what: string, found: number | undefined, planned: number): void {
  if (found !== planned)
    throw new Error(`segment ${segment}: ${found ?? 'no whole'} ${what}, planned ${planned}`);
}
