// Tools that break down on a source: they take too long, crash, or want more memory than they may. Once, that may be a
// bad moment of the machine; when it happens again, over a source that is read as fast as anybody could wish, it is the
// source.

import type { ServedSource } from '../../machine/range-server.ts';
import { FfmpegError, OutageError, SourceError } from '../../core/errors.ts';

const ATTEMPTS = 2;

/**
 * Does what a tool may break down on, and again where it does.
 * @param isEvidence which breakdowns may be the source's doing
 * @throws SourceError UNREADABLE where it breaks down each time; the breakdown itself where the source was read slowly,
 *   or not to its end; whatever else `work` throws
 */
export async function unlessUnreadable<T>(
  served: Pick<ServedSource, 'watchSpeed' | 'failure'>,
  work: () => Promise<T>,
  isEvidence = isBreakdown,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const wasSlow = served.watchSpeed();
    try {
      return await work();
    } catch (error) {
      if (!isEvidence(error) || wasSlow() || served.failure()) throw error;
      if (attempt === ATTEMPTS) throw new SourceError('UNREADABLE');
    }
  }
}

export const isBreakdown = (error: unknown): boolean =>
  isCollapse(error) || (error instanceof OutageError && error.code === 'TIMED_OUT');

/** A crash, or memory that was not enough: what takes long because it also writes says nothing. */
export const isCollapse = (error: unknown): boolean =>
  error instanceof FfmpegError && (error.hasCrashed || ranOutOfMemory(error));

export const ranOutOfMemory = ({ stderrTail }: FfmpegError): boolean =>
  /^\S.*Cannot allocate memory/m.test(stderrTail);
