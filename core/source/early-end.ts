// Whether a source holds less than it says: a file that was not copied whole still has an index of all of it.

import { notice } from '../notices.ts';
import type { Notice } from '../notices.ts';
import type { AudioStream, Probe, VideoStream } from './probe.ts';
import { MP4 } from './seekability.ts';

/**
 * Containers that say how long they are in an index or a header. Others say nothing, or ffprobe guesses it from a bit
 * rate or from the last time stamp.
 */
const BELIEVED = [MP4, 'matroska,webm', 'avi', 'wav', 'w64', 'aiff'];
/** A program that writes sound as it comes fills in the largest length there is: no file holds that many samples. */
const MOST_SAMPLES = 2 ** 29;

const LEAST_SECONDS = 1;
const LEAST_SHARE = 0.02;

/**
 * Notices of tracks that end clearly before the source says.
 * @param claimed as ffprobe tells it of the source
 * @param found with the lengths that were found, of the source or of its copy
 * @param isCopied whether those are of its copy. That does not say how long the last picture is shown, but how many
 *   there are.
 */
export function earlyEnds(claimed: Probe, found: Probe, isCopied: boolean): Notice[] {
  if (!BELIEVED.includes(claimed.format)) return [];
  const longest = Math.max(found.video?.durationSeconds ?? 0, found.audio?.durationSeconds ?? 0);
  return (['video', 'audio'] as const).flatMap((kind) => {
    const [said, there] = [claimed[kind], found[kind]];
    // Of a track that is not there at all, others tell.
    if (!said || !there || there.durationSeconds === undefined) return [];
    const saidSeconds = lengthOf(said, claimed);
    if (
      saidSeconds === undefined ||
      !isClearlyLess(said.durationSeconds === undefined ? longest : there.durationSeconds, saidSeconds)
    )
      return [];
    // A long last picture is no end that is missing.
    if (isCopied && said.frameCount && !isFewer(there.frameCount, said.frameCount)) return [];
    const [seconds, all] = [there.durationSeconds, saidSeconds].map((length) => Math.round(length));
    const name = kind === 'video' ? 'picture' : 'sound';
    const message = `The ${name} ends early: about ${seconds} of ${all} seconds are there.`;
    return [notice('ENDS_EARLY', `${kind}-0`, message)];
  });
}

const isClearlyLess = (found: number, said: number): boolean =>
  said - found > Math.max(LEAST_SECONDS, LEAST_SHARE * said);
const isFewer = (found: number | undefined, said: number): boolean => (found ?? 0) < said * (1 - LEAST_SHARE);

/** How long a source says that a track is. */
function lengthOf(stream: VideoStream | AudioStream, probe: Probe): number | undefined {
  const { durationSeconds, startSeconds, furtherVideo, furtherAudio, text } = probe;
  const ownSeconds = stream.durationSeconds;
  if ('sampleRate' in stream) {
    // An AVI counts sound of varying rate by its bytes.
    if (probe.format === 'avi') return undefined;
    if ((ownSeconds ?? 0) * stream.sampleRate * stream.channels >= MOST_SAMPLES) return undefined;
  }
  if (ownSeconds !== undefined || durationSeconds === undefined) return ownSeconds;
  // The whole is as long as the longest of its tracks: of several, nobody knows which.
  if (furtherVideo.length + furtherAudio.length + text.length > 0) return undefined;
  const start =
    'startPts' in stream
      ? (stream.startPts * stream.timeBase.num) / stream.timeBase.den
      : stream.startSeconds;
  return startSeconds + durationSeconds - start;
}
