// Makes one still picture of a film from its source: a poster, a thumbnail, a sheet of the storyboard.

import { run } from '../../machine/ffmpeg.ts';
import type { RunOptions } from '../../machine/ffmpeg.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { FfmpegError } from '../../core/errors.ts';
import { isWholeJpeg } from '../../core/formats/jpeg.ts';
import type { Still } from '../../core/artifacts/artifact.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { blankStillArguments, stillArguments } from '../../core/encoding/still-arguments.ts';
import type { StillsPlan } from '../../core/plan/stills.ts';
import { ranOutOfMemory } from '../source/breakdown.ts';
import type { EncodeTools } from '../world.ts';

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
 * @throws OutageError; FfmpegError where not even that can be made
 */
export async function makeStill(
  plan: Plan,
  stills: StillsPlan,
  still: Still,
  { url: sourceUrl, failure }: Pick<ServedSource, 'url' | 'failure'>,
  { binaries, limits = DEFAULT_LIMITS }: EncodeTools,
  { leave, secondsLeft }: Pick<RunOptions, 'leave' | 'secondsLeft'> = {},
): Promise<Uint8Array> {
  for (const prerollSeconds of prerollsSeconds(stills)) {
    const bytes = await attempt(stillArguments({ plan, stills, still, sourceUrl, prerollSeconds })).catch(
      ifFound,
    );
    // What could not be read is no reason to look further back, nor to show black.
    const unread = failure();
    if (unread) throw unread;
    if (isWholeJpeg(bytes)) return bytes;
  }
  const blank = await attempt(blankStillArguments({ plan, stills, still }));
  if (isWholeJpeg(blank)) return blank;
  throw new Error(`${still.kind}: ${blank.length} bytes are no picture`);

  function attempt(args: string[]): Promise<Buffer> {
    return run(binaries.ffmpegPath, args, {
      task: still.kind === 'sheet' ? `sheet ${still.index} of the storyboard` : still.kind,
      timeoutSeconds: TIMEOUT_SECONDS,
      maxFileBytes: 0, // it only prints
      maxMemoryBytes: limits.encodeMemoryBytes,
      // Segments go first: a film without its poster plays, a poster without its film does not.
      line: 'stills',
      leave,
      secondsLeft,
    });
  }
}

function ifFound(error: unknown): Buffer {
  // A machine of little memory shows nothing of any film.
  if (error instanceof FfmpegError && !ranOutOfMemory(error)) return Buffer.alloc(0);
  throw error;
}
