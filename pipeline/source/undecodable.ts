// Whether a source of which nothing could be decoded in one place can be decoded in any.

import { run } from '../../machine/ffmpeg.ts';
import { FfmpegError, SourceError } from '../../core/errors.ts';
import { firstFrameArguments } from '../../core/source/source-arguments.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { mainTrack } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { ranOutOfMemory } from './breakdown.ts';
import type { EncodeTools } from '../world.ts';

/** @throws SourceError DAMAGED where nothing of the picture, or of sound without a picture, can be decoded. */
export async function refuseUndecodable(
  plan: Plan,
  sourceUrl: string,
  { binaries, limits = DEFAULT_LIMITS }: EncodeTools,
): Promise<void> {
  const frames = await run(binaries.ffmpegPath, firstFrameArguments(sourceUrl, plan, limits), {
    task: 'search for anything that can be decoded',
    line: 'looking',
    timeoutSeconds: limits.probeTimeoutSeconds,
    maxFileBytes: 0,
    maxMemoryBytes: limits.encodeMemoryBytes,
  }).catch((error: unknown) => {
    // Whoever is still searching has not found out that there is nothing.
    if (!(error instanceof FfmpegError) || error.signal || ranOutOfMemory(error)) throw error;
    return Buffer.alloc(0);
  });
  if (/^[^#]/m.test(frames.toString('latin1'))) return;
  throw new SourceError(
    'DAMAGED',
    `The file is damaged: ${mainTrack(plan, 'video') ? 'none of its pictures' : 'none of its sound'} can be decoded.`,
  );
}
