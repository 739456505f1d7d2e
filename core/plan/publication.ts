// Which renditions are made of a source's tracks. The first picture and the first sound are published; text is not yet.

import { AAC, AAC_CODECS } from '../codecs/aac.ts';
import { H264, h264Codecs, h264Level } from '../codecs/h264.ts';
import { MPEG_TS } from '../formats/mpeg-ts.ts';
import { PACKED_AUDIO } from '../formats/packed-audio.ts';
import { valueOf } from '../fraction.ts';
import { cellularPicture, cellularSound } from './cellular.ts';
import { ladderFor } from './ladder.ts';
import type { LargestRung } from './ladder.ts';
import type { Plan } from './plan.ts';
import type { AudioRendition, Rendition, VideoRendition } from './renditions.ts';
import type { AudioTrack, VideoTrack } from './tracks.ts';

/** The highest rung first, the sound last; of each what is for cellular lines after the others. */
export function publishedRenditions(
  plan: Pick<Plan, 'tracks' | 'grid' | 'recipe'>,
  largest?: LargestRung,
): Rendition[] {
  const video = plan.tracks.find((track) => track.kind === 'video');
  const audio = plan.tracks.find((track) => track.kind === 'audio');
  const sounds = audio ? [soundOf(audio)] : [];
  // Sound alone is within the bound as it is.
  if (!video) return sounds;
  const rungs = rungsOf(video, valueOf(plan.grid.frameRate), largest);
  const lowSounds = sounds.map(cellularSound);
  const picture = cellularPicture(plan, video, rungs, { usual: sounds, cellular: lowSounds });
  return picture ? [...rungs, picture, ...sounds, ...lowSounds] : [...rungs, ...sounds];
}

const rungsOf = (track: VideoTrack, framesPerSecond: number, largest?: LargestRung): VideoRendition[] =>
  ladderFor(track, framesPerSecond, largest).map(({ name, width, height, maxBitrateBps }) => {
    const level = h264Level({ width, height }, framesPerSecond, maxBitrateBps);
    return {
      kind: 'video',
      name,
      track: track.id,
      codec: H264.name,
      format: MPEG_TS.name,
      codecs: h264Codecs(level),
      width,
      height,
      maxBitrateBps,
      level,
    };
  });

function soundOf({ id, sourceRate, sourceChannels }: AudioTrack): AudioRendition {
  const channels = Math.min(2, sourceChannels);
  return {
    kind: 'audio',
    name: id,
    track: id,
    codec: AAC.name,
    format: PACKED_AUDIO.name,
    codecs: AAC_CODECS,
    // Nothing is resampled that need not be: AAC players take both rates.
    sampleRate: sourceRate === 44_100 ? 44_100 : 48_000,
    channels,
    bitrateBps: channels === 1 ? 80_000 : 128_000,
  };
}
