// Asks what a source is, and tells a bad file from a bad day.

import type { FfmpegBinaries } from '../../machine/ffmpeg.ts';
import { betterDecoder, unsupported, usableStreams } from '../../core/source/decodable.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { OutageError, SourceError } from '../../core/errors.ts';
import { FAR_ANALYSIS_BYTES, FAR_ANALYSIS_SECONDS } from '../../core/source/source-arguments.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { SourceLimits } from '../../core/limits.ts';
import { notice } from '../../core/notices.ts';
import { hasUnknownFields, parseProbe } from '../../core/source/probe.ts';
import type { FfprobeOutput, Probe } from '../../core/source/probe.ts';
import { UnopenedTrack, askedOf, decodersIn, hasFields, isUnseen } from './stream-listing.ts';
import { unlessUnreadable } from './breakdown.ts';
import { hidingOf, inspectContainer } from './inspect-container.ts';
import type { Inspected } from './inspect-container.ts';

/**
 * @throws SourceError of any code but EMPTY_FILE, TOO_LONG and DAMAGED; OutageError where the source could not be read
 *   fast enough to tell, or the tools do not work
 */
export const probeSource = (
  served: ProbedSource,
  binaries: FfmpegBinaries,
  limits: SourceLimits = DEFAULT_LIMITS,
): Promise<Probe> => {
  // What has been hidden stays so, also from a second attempt.
  const hidden = new Map<number, string>();
  return unlessUnreadable(served, () => probeOnce(served, binaries, limits, hidden));
};

/** Each takes a look of its own at the source. */
const MOST_HIDDEN = 8;

type ProbedSource = Pick<ServedSource, 'url' | 'watchSpeed' | 'failure' | 'overwrite'>;

/** @param hidden tracks that ffprobe cannot open, and what they are in; those that it finds are added */
async function probeOnce(
  served: ProbedSource,
  binaries: FfmpegBinaries,
  limits: SourceLimits,
  hidden: Map<number, string>,
): Promise<Probe> {
  const { url: sourceUrl } = served;
  const inspected = new AbortController();
  const timeout = AbortSignal.timeout(limits.probeTimeoutSeconds * 1000);
  const ask = (demuxer?: string) => {
    const asking = Promise.all([
      askedOf(sourceUrl, binaries, limits, inspected.signal, demuxer),
      decodersIn(binaries),
    ]);
    asking.catch(() => undefined); // looked at below, unless the container already says it all
    return asking;
  };
  let asking = ask();
  let container: Inspected;
  try {
    container = await inspectContainer(sourceUrl, timeout);
  } catch (error) {
    // ffprobe may run on for ever in what is encrypted.
    inspected.abort(error);
    throw timeout.aborted ? new OutageError('TIMED_OUT', 'inspection of the container') : error;
  }
  const { demuxer } = container;
  if (demuxer) asking = ask(demuxer);
  const answers = await asking.catch(async (error: unknown) => {
    if (error instanceof UnopenedTrack) return error;
    throw error instanceof SourceError ? await inWords(error, container) : error;
  });
  if (answers instanceof UnopenedTrack) {
    const { index, kind = 'audio', codec = 'unknown' } = answers;
    if (hidden.has(index) || hidden.size >= MOST_HIDDEN) throw unsupported(kind, codec);
    const hiding = await hidingOf(sourceUrl, index, timeout).catch((error: unknown) => {
      throw timeout.aborted ? new OutageError('TIMED_OUT', `search for track ${index}`) : error;
    });
    if (hiding.length === 0) throw unsupported(kind, codec);
    for (const { offset, bytes } of hiding) served.overwrite(offset, bytes);
    hidden.set(index, codec);
    return probeOnce(served, binaries, limits, hidden);
  }
  const [{ output, seen, isFar }, decoders] = answers;
  const named = withNames(output, hidden);
  const found = parseProbe(usableStreams(named, decoders, limits, seen));
  const probe = withDecoder(withUnseen(isFar ? { ...found, beginsLate: true } : found, output), decoders);
  const stream = output.streams?.find(({ index }) => index === probe.video?.index);
  if (!probe.video || !stream || !hasUnknownFields(stream)) return probe;
  const isInterlaced = await hasFields(sourceUrl, stream, binaries, limits);
  return { ...probe, video: { ...probe.video, isInterlaced } };
}

function withDecoder(probe: Probe, decoders: ReadonlySet<string>): Probe {
  const decoder = probe.video && betterDecoder(probe.video, decoders);
  return decoder === undefined ? probe : { ...probe, video: { ...probe.video!, decoder } };
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

/** Says of hidden tracks what they are in. */
const withNames = (output: FfprobeOutput, hidden: ReadonlyMap<number, string>): FfprobeOutput => ({
  ...output,
  streams: (output.streams ?? []).map((stream) => {
    const name = hidden.get(stream.index);
    return name === undefined ? stream : { ...stream, codec_name: 'unknown', codec_tag_string: name };
  }),
});

/** Of a stream that begins still later than was looked, nothing is shown; that is said. */
function withUnseen(probe: Probe, { streams = [], format }: FfprobeOutput): Probe {
  // Of a shorter file all has been read: a track of which nothing was met then is empty.
  const isReadWhole =
    Number(format?.size) <= FAR_ANALYSIS_BYTES && !((probe.durationSeconds ?? 0) > FAR_ANALYSIS_SECONDS);
  if (!streams.some(isUnseen) || isReadWhole) return probe;
  const megabytes = Math.round(FAR_ANALYSIS_BYTES / 1024 ** 2);
  const minutes = FAR_ANALYSIS_SECONDS / 60;
  const message = `A track of which nothing is in the first ${megabytes} MB, or ${minutes} minutes, of the file was left out.`;
  return { ...probe, notices: [...probe.notices, notice('TRACK_LEFT_OUT', null, message)] };
}
