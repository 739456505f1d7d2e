// Makes one still picture of a film from its source: a poster, a thumbnail, a sheet of the storyboard.

import { run } from '../adapters/ffmpeg.ts';
import { FfmpegError } from '../core/errors.ts';
import type { Still } from '../core/keys.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { Plan } from '../core/plan.ts';
import { blankStillArguments, stillArguments } from '../core/still-arguments.ts';
import type { StillsPlan } from '../core/stills.ts';
import type { EncodeTools } from './encode.ts';

// A container with an index begins at the keyframe before; one without may begin behind it, where nothing can be
// decoded up to the next keyframe. If need be, everything is read.
const prerollsSeconds = ({ keyframesOnly, intervalSeconds }: StillsPlan): number[] => [
  keyframesOnly ? intervalSeconds : 1,
  30,
  Infinity,
];
const TIMEOUT_SECONDS = 300;

/**
 * Black where nothing of a damaged source can be shown: its segments have said so, a picture has no place to.
 * @throws FfmpegError where it takes too long, or was ended by somebody else.
 */
export async function makeStill(
  plan: Plan,
  stills: StillsPlan,
  still: Still,
  sourceUrl: string,
  { binaries, limits = DEFAULT_LIMITS }: EncodeTools,
): Promise<Uint8Array> {
  for (const prerollSeconds of prerollsSeconds(stills)) {
    const bytes = await attempt(stillArguments({ plan, stills, still, sourceUrl, prerollSeconds }));
    if (isWholeJpeg(bytes)) return bytes;
  }
  return attempt(blankStillArguments({ plan, stills, still }));

  async function attempt(args: string[]): Promise<Buffer> {
    try {
      return await run(binaries.ffmpegPath, args, {
        task: still.kind === 'sheet' ? `sheet ${still.index} of the storyboard` : still.kind,
        timeoutSeconds: TIMEOUT_SECONDS,
        maxFileBytes: 0, // it only prints
        maxMemoryBytes: limits.encodeMemoryBytes,
        // Segments go first: a film without its poster plays, a poster without its film does not.
        background: true,
      });
    } catch (error) {
      if (error instanceof FfmpegError && !error.timedOut && (!error.signal || error.hasCrashed)) {
        return Buffer.alloc(0);
      }
      throw error;
    }
  }
}

/** ffmpeg can exit with 0 and nothing, or half a picture. */
const isWholeJpeg = (bytes: Buffer): boolean =>
  bytes.length > 4 && bytes.readUInt16BE(0) === 0xffd8 && bytes.readUInt16BE(bytes.length - 2) === 0xffd9;
