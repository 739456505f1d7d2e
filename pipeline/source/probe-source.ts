// Asks ffprobe what a source is, and tells a bad file from a bad day.

import { run } from '../../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../../machine/ffmpeg.ts';
import {
  decodersOf,
  seenStreamsOf,
  tooManyStreams,
  unsupported,
  usableStreams,
} from '../../core/source/decodable.ts';
import type { SeenStreams } from '../../core/source/decodable.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { FfmpegError, OutageError, SourceError } from '../../core/errors.ts';
import { probeArguments, streamArguments } from '../../core/source/source-arguments.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { SourceLimits } from '../../core/limits.ts';
import { parseProbe } from '../../core/source/probe.ts';
import type { FfprobeOutput, Probe } from '../../core/source/probe.ts';
import { isBreakdown, unlessUnreadable } from './breakdown.ts';
import { hidingOf, inspectContainer } from './inspect-container.ts';

/**
 * @throws SourceError of any code but EMPTY_FILE, TOO_LONG and DAMAGED; OutageError where the source could not be read
 *   fast enough to tell, or the tools do not work
 */
export const probeSource = (
  served: ProbedSource,
  binaries: FfmpegBinaries,
  limits: SourceLimits = DEFAULT_LIMITS,
): Promise<Probe> => unlessUnreadable(served, () => probeOnce(served, binaries, limits));

type ProbedSource = Pick<ServedSource, 'url' | 'watchSpeed' | 'failure' | 'overwrite'>;

/** @param hidden tracks that ffprobe cannot open, and what they are in */
async function probeOnce(
  served: ProbedSource,
  binaries: FfmpegBinaries,
  limits: SourceLimits,
  hidden: ReadonlyMap<number, string> = new Map(),
): Promise<Probe> {
  const { url: sourceUrl } = served;
  const inspected = new AbortController();
  const timeout = AbortSignal.timeout(limits.probeTimeoutSeconds * 1000);
  const probing = askFfprobe(sourceUrl, binaries, limits, inspected.signal);
  const seeing = askFfmpeg(sourceUrl, binaries, limits, inspected.signal);
  const asked = Promise.all([probing, seeing, decodersIn(binaries)]);
  asked.catch(() => undefined); // looked at below, unless the container already says it all
  try {
    await inspectContainer(sourceUrl, timeout);
  } catch (error) {
    // ffprobe may run on for ever in what is encrypted.
    inspected.abort(error);
    throw timeout.aborted ? new OutageError('TIMED_OUT', 'inspection of the container') : error;
  }
  const unopened = await asked.then(
    () => undefined,
    (error: unknown) => (error instanceof UnopenedTrack ? error : undefined),
  );
  if (unopened) {
    // One track that it cannot open keeps ffprobe from saying anything of the others.
    const seen = await seeing.catch(() => undefined);
    const { kind = 'audio', codec = 'unknown' } = seen?.get(unopened.index) ?? {};
    const name = unopened.codec ?? codec;
    const isHidden = hidden.has(unopened.index);
    const hiding = isHidden ? [] : await hidingOf(sourceUrl, unopened.index, timeout);
    if (hiding.length === 0) throw unsupported(kind, name);
    for (const { offset, bytes } of hiding) served.overwrite(offset, bytes);
    return probeOnce(served, binaries, limits, new Map([...hidden, [unopened.index, name]]));
  }
  const [{ streams, ...output }, seen, decoders] = await asked;
  const named = streams?.map((stream) => {
    const name = hidden.get(stream.index);
    return name === undefined ? stream : { ...stream, codec_name: 'unknown', codec_tag_string: name };
  });
  return parseProbe(usableStreams({ ...output, streams: named ?? [] }, decoders, limits, seen));
}

/** The streams that segments would be made of, as ffmpeg names them; undefined where it does not open the file. */
async function askFfmpeg(
  sourceUrl: string,
  { ffmpegPath }: FfmpegBinaries,
  limits: SourceLimits,
  signal: AbortSignal,
): Promise<SeenStreams | undefined> {
  const listing = await run(ffmpegPath, streamArguments(sourceUrl, limits), {
    task: 'list of the streams of the source',
    line: 'reading',
    timeoutSeconds: limits.probeTimeoutSeconds,
    maxFileBytes: 0,
    maxMemoryBytes: limits.probeMemoryBytes,
    signal,
  }).catch((error: unknown) => {
    // ffprobe, which knows more kinds of files, says what is wrong with it.
    if (error instanceof FfmpegError) return undefined;
    throw error;
  });
  const seen = listing && seenStreamsOf(listing.toString('latin1'));
  return seen && seen.size > 0 ? seen : undefined;
}

/** Thrown where ffprobe works, and cannot open the decoder of one track. */
class UnopenedTrack extends Error {
  override name = 'UnopenedTrack';
  readonly index: number;
  readonly codec: string | undefined;
  constructor(index: number, codec: string | undefined) {
    super(`stream ${index} cannot be opened`);
    this.index = index;
    this.codec = codec;
  }
}

async function askFfprobe(
  sourceUrl: string,
  { ffprobePath }: FfmpegBinaries,
  limits: SourceLimits,
  signal: AbortSignal,
): Promise<FfprobeOutput> {
  const output = await run(ffprobePath, probeArguments(sourceUrl, limits), {
    task: 'probe of the source',
    line: 'reading',
    timeoutSeconds: limits.probeTimeoutSeconds,
    maxFileBytes: 0,
    maxMemoryBytes: limits.probeMemoryBytes,
    signal,
  }).catch((error: unknown) => {
    throw error instanceof FfmpegError ? (unopenedIn(error) ?? refusalOf(error, limits) ?? error) : error;
  });
  return JSON.parse(output.toString('utf8')) as FfprobeOutput;
}

function unopenedIn({ stderrTail }: FfmpegError): UnopenedTrack | undefined {
  const index = /^Could not open codec for input stream (\d+)$/m.exec(stderrTail)?.[1];
  const objectType = /Audio object type (\d+) is not implemented/.exec(stderrTail)?.[1];
  if (index === undefined) return undefined;
  // ISO/IEC 14496-3 counts what AAC has become.
  const codec = objectType === '42' ? 'xHE-AAC' : objectType && `AAC object type ${objectType}`;
  return new UnopenedTrack(Number(index), codec);
}

/** What a healthy ffprobe says of what it was given whole; undefined where it broke down. */
function refusalOf(error: FfmpegError, limits: SourceLimits): SourceError | undefined {
  const { stderrTail } = error;
  // It says so by an error of memory.
  if (stderrTail.includes('exceeds max_streams')) return tooManyStreams(limits);
  if (isBreakdown(error)) return undefined;
  return new SourceError(stderrTail.includes('moov atom not found') ? 'CUT_OFF' : 'NOT_MEDIA');
}

const known = new Map<string, Promise<ReadonlySet<string>>>();

/** What an ffmpeg can decode; it is asked once. */
function decodersIn({ ffmpegPath }: FfmpegBinaries): Promise<ReadonlySet<string>> {
  const asked = known.get(ffmpegPath);
  if (asked) return asked;
  const asking = run(ffmpegPath, ['-v', 'error', '-codecs'], {
    task: 'list of codecs',
    line: 'reading',
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
