// Encodes a run of segments in one ffmpeg process and returns them whole and counted. The just-in-time path calls it
// for one segment of one rendition, prewarm for a chunk of all of them.

import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../adapters/ffmpeg.ts';
import type { FfmpegBinaries } from '../adapters/ffmpeg.ts';
import { adtsFrames, packedAudio } from '../core/adts.ts';
import {
  AUDIO_CONTEXT_FRAMES,
  AUDIO_PRIMING_FRAMES,
  TIMESTAMP_OFFSET_SECONDS,
  audioRun,
  encodeArguments,
} from '../core/ffmpeg-arguments.ts';
import type { EncodeJob } from '../core/ffmpeg-arguments.ts';
import { segmentName } from '../core/keys.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { SourceLimits } from '../core/limits.ts';
import { AAC_FRAME_SAMPLES } from '../core/plan.ts';
import type { AudioPlan } from '../core/plan.ts';
import { audioFrames, segmentSeconds, videoFrames } from '../core/segments.ts';
import { countPictures } from '../core/transport-stream.ts';

export interface EncodedSegment {
  rendition: string;
  index: number;
  extension: 'ts' | 'aac';
  bytes: Uint8Array;
}

export interface EncodeTools {
  binaries: FfmpegBinaries;
  /** Where segments are written before they are read back and removed. */
  temporaryDirectory: string;
  /** @default DEFAULT_LIMITS */
  limits?: SourceLimits;
}

export interface EncodeOptions {
  background?: boolean;
  signal?: AbortSignal;
}

// A segment that takes this many times its own length is not going to be watched; the rest is for starting up.
const SECONDS_PER_SECOND = 20;
const STARTUP_SECONDS = 30;
// Far above what the rate cap allows any segment of the ladder.
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * @yields the job's segments, rendition by rendition, one in memory at a time.
 * @throws FfmpegError; Error where a segment holds another number of pictures or AAC frames than planned.
 */
export async function* encode(
  job: Omit<EncodeJob, 'directory'>,
  tools: EncodeTools,
  options: EncodeOptions = {},
): AsyncGenerator<EncodedSegment> {
  const { limits = DEFAULT_LIMITS } = tools;
  const directory = await mkdtemp(join(tools.temporaryDirectory, 'encode-'));
  try {
    const { plan, renditions, from, to } = job;
    const video = plan.video?.renditions.filter(({ name }) => renditions.includes(name)) ?? [];
    for (const { name } of video) await mkdir(join(directory, name));
    await run(tools.binaries.ffmpegPath, encodeArguments({ ...job, directory }), {
      task: `segments ${from} to ${to - 1} of ${renditions.join(', ')}`,
      timeoutSeconds: STARTUP_SECONDS + SECONDS_PER_SECOND * (to - from) * segmentSeconds(plan, '', 0),
      maxFileBytes: MAX_SEGMENT_BYTES,
      maxMemoryBytes: limits.encodeMemoryBytes,
      ...options,
    });
    for (const { name } of video) {
      for (let index = from; index < to; index += 1) {
        const bytes = await readFile(join(directory, name, segmentName(index, 'ts')));
        const planned = videoFrames(plan.grid, index);
        expectCount(`${name}/${index}`, 'pictures', countPictures(bytes), planned.to - planned.from);
        yield { rendition: name, index, extension: 'ts', bytes };
      }
    }
    if (plan.audio && renditions.includes(plan.audio.name)) {
      yield* packAudio({ ...job, directory }, plan.audio);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Cuts the run's AAC frames at the segments' borders, without priming and context. */
async function* packAudio(job: EncodeJob, audio: AudioPlan): AsyncGenerator<EncodedSegment> {
  const all = audioRun(job, audio);
  const before = AUDIO_PRIMING_FRAMES + AUDIO_CONTEXT_FRAMES;
  const encoded = adtsFrames(await readFile(join(job.directory, `${audio.name}.adts`)));
  const frames = encoded.slice(before, before + all.to - all.from);
  expectCount(`${audio.name}/${job.from}–${job.to - 1}`, 'AAC frames', frames.length, all.to - all.from);
  for (let index = job.from; index < job.to; index += 1) {
    const { from, to } = audioFrames(job.plan.grid, audio, index);
    const startSeconds = TIMESTAMP_OFFSET_SECONDS + (from * AAC_FRAME_SAMPLES) / audio.sampleRate;
    const bytes = packedAudio(frames.slice(from - all.from, to - all.from), startSeconds);
    yield { rendition: audio.name, index, extension: 'aac', bytes };
  }
}

function expectCount(segment: string, what: string, found: number | undefined, planned: number): void {
  // ffmpeg can exit with 0 and half a result.
  if (found !== planned)
    throw new Error(`segment ${segment}: ${found ?? 'no whole'} ${what}, planned ${planned}`);
}
