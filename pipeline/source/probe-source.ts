// Asks ffprobe what a source is, and tells a bad file from a bad day.

import { run } from '../../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../../machine/ffmpeg.ts';
import { decodersOf, tooManyStreams, usableStreams } from '../../core/source/decodable.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { FfmpegError, OutageError, SourceError } from '../../core/errors.ts';
import { probeArguments } from '../../core/source/source-arguments.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { SourceLimits } from '../../core/limits.ts';
import { parseProbe } from '../../core/source/probe.ts';
import type { FfprobeOutput, Probe } from '../../core/source/probe.ts';
import { isBreakdown, unlessUnreadable } from './breakdown.ts';
import { inspectContainer } from './inspect-container.ts';
import type { Inspected } from './inspect-container.ts';

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
  let probing = askFfprobe(sourceUrl, binaries, limits, inspected.signal);
  probing.catch(() => undefined); // looked at below, unless the container already says it all
  let container: Inspected;
  try {
    container = await inspectContainer(sourceUrl, timeout);
  } catch (error) {
    // ffprobe may run on for ever in what is encrypted.
    inspected.abort(error);
    throw timeout.aborted ? new OutageError('TIMED_OUT', 'inspection of the container') : error;
  }
  if (container.demuxer) {
    probing = askFfprobe(sourceUrl, binaries, limits, inspected.signal, container.demuxer);
  }
  const [output, decoders] = await Promise.all([probing, decodersIn(binaries)]).catch(
    async (error: unknown) => {
      throw error instanceof SourceError ? await inWords(error, container) : error;
    },
  );
  return parseProbe(usableStreams(output, decoders, limits));
}

/** Says more of a file that ffprobe took for nothing, where its beginning tells more. */
async function inWords(error: SourceError, { isFragmentOnly, isContainer }: Inspected): Promise<SourceError> {
  if (error.code !== 'CUT_OFF' && error.code !== 'NOT_MEDIA') return error;
  if (await isFragmentOnly()) return new SourceError('NOT_MEDIA', FRAGMENT);
  return error.code === 'NOT_MEDIA' && isContainer ? new SourceError('NOT_MEDIA', UNREAD) : error;
}

const FRAGMENT =
  'The file is one piece of a stream: what is needed to play it is in another file, its beginning.';
const UNREAD =
  'The file begins as a video or audio file does, but cannot be read: it is damaged, or made in a way that we do not know.';

async function askFfprobe(
  sourceUrl: string,
  { ffprobePath }: FfmpegBinaries,
  limits: SourceLimits,
  signal: AbortSignal,
  demuxer?: string,
): Promise<FfprobeOutput> {
  const output = await run(ffprobePath, probeArguments(sourceUrl, limits, demuxer), {
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
