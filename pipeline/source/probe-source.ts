// Asks ffprobe what a source is, and tells a bad file from a bad day.

import { run } from '../../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../../machine/ffmpeg.ts';
import { decodersOf, tooManyStreams, usableStreams } from '../../core/source/decodable.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { FfmpegError, OutageError, SourceError } from '../../core/errors.ts';
import {
  FAR_ANALYSIS,
  FAR_ANALYSIS_BYTES,
  fieldArguments,
  probeArguments,
} from '../../core/source/source-arguments.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { SourceLimits } from '../../core/limits.ts';
import { notice } from '../../core/notices.ts';
import { hasUnknownFields, parseProbe } from '../../core/source/probe.ts';
import type { FfprobeOutput, FfprobeStream, Probe } from '../../core/source/probe.ts';
import { isBreakdown, unlessUnreadable } from './breakdown.ts';
import { inspectContainer } from './inspect-container.ts';

/**
 * @throws SourceError of any code but EMPTY_FILE, TOO_LONG and DAMAGED; OutageError where the source could not be read
 *   fast enough to tell, or the tools do not work
 */
export const probeSource = (
  served: Pick<ServedSource, 'url' | 'watchSpeed' | 'failure'>,
  binaries: FfmpegBinaries,
  limits: SourceLimits = DEFAULT_LIMITS,
): Promise<Probe> => unlessUnreadable(served, () => probeOnce(served.url, binaries, limits));

async function probeOnce(sourceUrl: string, binaries: FfmpegBinaries, limits: SourceLimits): Promise<Probe> {
  const inspected = new AbortController();
  const timeout = AbortSignal.timeout(limits.probeTimeoutSeconds * 1000);
  const probing = probed(sourceUrl, binaries, limits, inspected.signal);
  probing.catch(() => undefined); // looked at below, unless the container already says it all
  try {
    await inspectContainer(sourceUrl, timeout);
  } catch (error) {
    // ffprobe may run on for ever in what is encrypted.
    inspected.abort(error);
    throw timeout.aborted ? new OutageError('TIMED_OUT', 'inspection of the container') : error;
  }
  const [output, decoders] = await Promise.all([probing, decodersIn(binaries)]);
  const probe = withUnseen(parseProbe(usableStreams(output, decoders, limits)), output);
  const stream = output.streams?.find(({ index }) => index === probe.video?.index);
  if (!probe.video || !stream || !hasUnknownFields(stream)) return probe;
  const isInterlaced = await hasFields(sourceUrl, stream, binaries, limits);
  return { ...probe, video: { ...probe.video, isInterlaced } };
}

/** What ffprobe finds in the first seconds; further on, where something is still to come. */
async function probed(
  sourceUrl: string,
  binaries: FfmpegBinaries,
  limits: SourceLimits,
  signal: AbortSignal,
): Promise<FfprobeOutput> {
  const first = await askFfprobe(binaries, probeArguments(sourceUrl, limits), limits, signal);
  if (!isIncomplete(first)) return first;
  return askFfprobe(binaries, probeArguments(sourceUrl, limits, FAR_ANALYSIS), limits, signal);
}

/** Containers that list no streams: what begins late is not known of before. */
const WITHOUT_LIST = ['mpeg', 'flv', 'live_flv'];

function isIncomplete({ streams = [], format }: FfprobeOutput): boolean {
  if (streams.some(isUnseen)) return true;
  const kinds = new Set(streams.map(({ codec_type }) => codec_type));
  return WITHOUT_LIST.includes(format?.format_name ?? '') && !(kinds.has('video') && kinds.has('audio'));
}

/** Announced, but nothing of it was met. */
const isUnseen = ({ codec_type, sample_rate, width }: FfprobeStream): boolean =>
  (codec_type === 'audio' && !(Number(sample_rate) > 0)) || (codec_type === 'video' && !width);

/** Of a stream that begins still later than was looked, nothing is shown; that is said. */
function withUnseen(probe: Probe, { streams = [], format }: FfprobeOutput): Probe {
  if (!streams.some(isUnseen) || !(Number(format?.size) > FAR_ANALYSIS_BYTES)) return probe;
  const megabytes = Math.round(FAR_ANALYSIS_BYTES / 1024 ** 2);
  const message = `A track of which nothing is in the first ${megabytes} MB of the file was left out.`;
  return { ...probe, notices: [...probe.notices, notice('TRACK_LEFT_OUT', null, message)] };
}

/** Whether the first pictures of a stream are interlaced. Where they cannot be decoded, nobody will see that either. */
async function hasFields(
  sourceUrl: string,
  { index }: FfprobeStream,
  binaries: FfmpegBinaries,
  limits: SourceLimits,
): Promise<boolean> {
  const output = await run(binaries.ffprobePath, fieldArguments(sourceUrl, index), {
    ...{ task: "look at the picture's fields", line: 'reading', maxFileBytes: 0 },
    timeoutSeconds: limits.probeTimeoutSeconds,
    maxMemoryBytes: limits.probeMemoryBytes,
  }).catch((error: unknown) => {
    if (error instanceof FfmpegError) return Buffer.from('{}');
    throw error;
  });
  const { frames = [] } = JSON.parse(output.toString('utf8')) as { frames?: { interlaced_frame?: number }[] };
  return frames.filter(({ interlaced_frame }) => interlaced_frame).length > frames.length / 2;
}

async function askFfprobe(
  { ffprobePath }: FfmpegBinaries,
  args: readonly string[],
  limits: SourceLimits,
  signal: AbortSignal,
): Promise<FfprobeOutput> {
  const output = await run(ffprobePath, args, {
    task: 'probe of the source',
    line: 'reading',
    timeoutSeconds: limits.probeTimeoutSeconds,
    maxFileBytes: 0,
    maxMemoryBytes: limits.probeMemoryBytes,
    signal,
  }).catch((error: unknown) => {
    throw error instanceof FfmpegError ? (refusalOf(error, limits) ?? error) : error;
  });
  return JSON.parse(output.toString('utf8')) as FfprobeOutput;
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
