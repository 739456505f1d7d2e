// What the programs that read a source say of its streams, each for itself: ffprobe of 2023, and the ffmpeg of 2018 that
// segments are made by.

import { run } from '../../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../../machine/ffmpeg.ts';
import { decodersOf, pictureTooLarge, seenStreamsOf, tooManyStreams } from '../../core/source/decodable.ts';
import type { SeenStream, SeenStreams } from '../../core/source/decodable.ts';
import { FfmpegError, OutageError, SourceError } from '../../core/errors.ts';
import { fieldArguments, probeArguments, streamArguments } from '../../core/source/source-arguments.ts';
import type { ProbeOptions } from '../../core/source/source-arguments.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { SourceLimits } from '../../core/limits.ts';
import type { FfprobeOutput, FfprobeStream } from '../../core/source/probe.ts';
import { isBreakdown } from './breakdown.ts';
import { looking } from './looking.ts';

export interface Answers {
  output: FfprobeOutput;
  seen: SeenStreams | undefined;
  /** Whether they had to read far. */
  isFar: boolean;
}

/**
 * What they find in the first seconds; further on, where something is still to come.
 * @throws UnopenedTrack; SourceError; OutageError; FfmpegError
 */
export async function askedOf(
  sourceUrl: string,
  binaries: FfmpegBinaries,
  limits: SourceLimits,
  signal: AbortSignal,
  demuxer: string | undefined,
): Promise<Answers> {
  const both = async (isFar: boolean): Promise<Answers> => {
    const options = { demuxer, isFar };
    const seeing = askFfmpeg(sourceUrl, binaries, limits, signal, options);
    seeing.catch(() => undefined); // awaited below, unless ffprobe says it all
    const output = await askFfprobe(sourceUrl, binaries, limits, signal, options).catch(
      async (error: unknown) => {
        throw error instanceof UnopenedTrack ? error.seenAs((await seeing)?.get(error.index)) : error;
      },
    );
    return { output, seen: await seeing, isFar };
  };
  const near = await both(false);
  return isIncomplete(near.output) ? both(true) : near;
}

/** Containers that list no streams: what begins late is not known of before. */
const WITHOUT_LIST = ['mpeg', 'flv', 'live_flv'];

function isIncomplete({ streams = [], format }: FfprobeOutput): boolean {
  if (streams.some(isUnseen)) return true;
  const kinds = new Set(streams.map(({ codec_type }) => codec_type));
  return WITHOUT_LIST.includes(format?.format_name ?? '') && !(kinds.has('video') && kinds.has('audio'));
}

/** Announced, but nothing of it was met. What a cover's size is, nobody asks. */
export const isUnseen = ({ codec_type, sample_rate, width, disposition }: FfprobeStream): boolean =>
  (codec_type === 'audio' && !(Number(sample_rate) > 0)) ||
  (codec_type === 'video' && !width && !disposition?.attached_pic);

/** The streams that segments would be made of, as ffmpeg names them; undefined where it does not open the file. */
async function askFfmpeg(
  sourceUrl: string,
  { ffmpegPath }: FfmpegBinaries,
  limits: SourceLimits,
  signal: AbortSignal,
  options: ProbeOptions,
): Promise<SeenStreams | undefined> {
  const listing = await run(ffmpegPath, streamArguments(sourceUrl, limits, options), {
    ...looking('list of the streams of the source', limits),
    signal,
  }).catch((error: unknown) => {
    // ffprobe, which knows more kinds of files, says what is wrong with it.
    if (error instanceof FfmpegError) return undefined;
    throw error;
  });
  const seen = listing && seenStreamsOf(listing.toString('latin1'));
  return seen && seen.size > 0 ? seen : undefined;
}

/** Thrown where ffprobe works, and cannot, or may not, open the decoder of one track: it says nothing of the others then. */
export class UnopenedTrack extends Error {
  override name = 'UnopenedTrack';
  readonly index: number;
  readonly kind: SeenStream['kind'] | undefined;
  readonly codec: string | undefined;
  constructor(index: number, { kind, codec }: Partial<SeenStream>) {
    super(`stream ${index} cannot be opened`);
    this.index = index;
    this.kind = kind;
    this.codec = codec;
  }

  /** With what another program knows of it. */
  seenAs(stream: SeenStream | undefined): UnopenedTrack {
    return new UnopenedTrack(this.index, {
      ...stream,
      ...(this.codec === undefined ? {} : { codec: this.codec }),
    });
  }
}

async function askFfprobe(
  sourceUrl: string,
  { ffprobePath }: FfmpegBinaries,
  limits: SourceLimits,
  signal: AbortSignal,
  options: ProbeOptions,
): Promise<FfprobeOutput> {
  const output = await run(ffprobePath, probeArguments(sourceUrl, limits, options), {
    ...looking('probe of the source', limits),
    signal,
  }).catch((error: unknown) => {
    throw error instanceof FfmpegError
      ? (tooLargeIn(error, limits) ?? unopenedIn(error) ?? refusalOf(error, limits) ?? error)
      : error;
  });
  return JSON.parse(output.toString('utf8')) as FfprobeOutput;
}

/** A size that no decoder takes for one. */
function tooLargeIn({ stderrTail }: FfmpegError, limits: SourceLimits): SourceError | undefined {
  const [, across, down] = /Picture size (\d+)x(\d+) is invalid/.exec(stderrTail)?.map(Number) ?? [];
  const isTooLarge = across !== undefined && down !== undefined && across * down > limits.maxPicturePixels;
  return isTooLarge ? pictureTooLarge(across, down, limits) : undefined;
}

function unopenedIn({ stderrTail }: FfmpegError): UnopenedTrack | undefined {
  const index = /^Could not open codec for input stream (\d+)$/m.exec(stderrTail)?.[1];
  const objectType = /Audio object type (\d+) is not implemented/.exec(stderrTail)?.[1];
  if (index === undefined) return undefined;
  // ISO/IEC 14496-3 counts what AAC has become.
  const codec = objectType === '42' ? 'xHE-AAC' : objectType && `AAC object type ${objectType}`;
  return new UnopenedTrack(Number(index), codec === undefined ? {} : { codec });
}

/** What a healthy ffprobe says of what it was given whole; undefined where it broke down. */
function refusalOf(error: FfmpegError, limits: SourceLimits): SourceError | undefined {
  const { stderrTail } = error;
  // It says so by an error of memory.
  if (stderrTail.includes('exceeds max_streams')) return tooManyStreams(limits);
  if (isBreakdown(error)) return undefined;
  return new SourceError(stderrTail.includes('moov atom not found') ? 'CUT_OFF' : 'NOT_MEDIA');
}

/** Whether the first pictures of a stream are interlaced. Where they cannot be decoded, nobody will see that either. */
export async function hasFields(
  sourceUrl: string,
  { index }: FfprobeStream,
  binaries: FfmpegBinaries,
  limits: SourceLimits,
): Promise<boolean> {
  const look = looking("look at the picture's fields", limits);
  const output = await run(binaries.ffprobePath, fieldArguments(sourceUrl, index), look).catch(
    (error: unknown) => {
      if (error instanceof FfmpegError) return Buffer.from('{}');
      throw error;
    },
  );
  const { frames = [] } = JSON.parse(output.toString('utf8')) as { frames?: { interlaced_frame?: number }[] };
  return frames.filter(({ interlaced_frame }) => interlaced_frame).length > frames.length / 2;
}

const known = new Map<string, Promise<ReadonlySet<string>>>();

/** What an ffmpeg can and may decode; it is asked once. */
export function decodersIn({ ffmpegPath }: FfmpegBinaries): Promise<ReadonlySet<string>> {
  const asked = known.get(ffmpegPath);
  if (asked) return asked;
  const asking = run(ffmpegPath, ['-v', 'error', '-codecs'], {
    task: 'list of codecs',
    line: 'looking',
    timeoutSeconds: 20,
    maxFileBytes: 0,
    maxMemoryBytes: DEFAULT_LIMITS.probeMemoryBytes,
  }).then((listing) => {
    const decoders = decodersOf(listing.toString('utf8'));
    // Every source would be refused.
    if (decoders.size === 0) throw new OutageError('TOOL_UNAVAILABLE', `${ffmpegPath} knows no codecs.`);
    return decoders;
  });
  known.set(ffmpegPath, asking);
  asking.catch(() => known.delete(ffmpegPath));
  return asking;
}
