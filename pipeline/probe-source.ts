// Asks ffprobe what a source is, and tells a bad file from a bad day.

import { run } from '../adapters/ffmpeg.ts';
import type { FfmpegBinaries } from '../adapters/ffmpeg.ts';
import { FfmpegError, SourceError } from '../core/errors.ts';
import { probeArguments } from '../core/ffmpeg-arguments.ts';
import { parseProbe } from '../core/probe.ts';
import type { FfprobeOutput, Probe } from '../core/probe.ts';

const PROBE_TIMEOUT_SECONDS = 20;

/** @throws SourceError NOT_MEDIA, CUT_OFF, NO_STREAMS or UNREADABLE. */
export async function probeSource(sourceUrl: string, binaries: FfmpegBinaries): Promise<Probe> {
  const output = await run(binaries.ffprobePath, probeArguments(sourceUrl), {
    task: 'probe of the source',
    timeoutSeconds: PROBE_TIMEOUT_SECONDS,
    maxFileBytes: 0,
  }).catch((error: unknown) => {
    throw error instanceof FfmpegError ? refusal(error) : error;
  });
  return parseProbe(JSON.parse(output.toString('utf8')) as FfprobeOutput);
}

function refusal(error: FfmpegError): SourceError {
  if (error.timedOut) return new SourceError('UNREADABLE');
  return new SourceError(error.stderrTail.includes('moov atom not found') ? 'CUT_OFF' : 'NOT_MEDIA');
}
