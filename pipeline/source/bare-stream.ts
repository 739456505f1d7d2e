// Reads a bare stream once, from its beginning to its end, and copies it as it comes.

import { OutageError } from '../../core/errors.ts';
import { bareCopier } from '../../core/source/bare/copier.ts';
import type { Probe } from '../../core/source/probe.ts';

/**
 * The source as a Matroska stream.
 * @throws OutageError TIMED_OUT; what fetch throws where reading breaks off, of which the range server knows why
 */
export async function* copyOfBareStream(
  sourceUrl: string,
  { format, video }: Probe,
  timeoutSeconds: number,
): AsyncGenerator<Uint8Array> {
  const copier = bareCopier(format, video?.baseFrameRate);
  const timeout = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1000));
  try {
    const { body } = await fetch(sourceUrl, { signal: timeout });
    for await (const bytes of body!) yield copier.push(bytes);
  } catch (error) {
    throw timeout.aborted ? new OutageError('TIMED_OUT', 'copy of a bare stream', { cause: error }) : error;
  }
  yield copier.end();
}
