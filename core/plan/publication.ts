// Which renditions are made of a source's tracks. The first picture and the first sound are published; text is not yet.

import { AAC, AAC_CODECS } from '../codecs/aac.ts';
import { H264, h264Codecs, h264Level } from '../codecs/h264.ts';
import { MPEG_TS } from '../formats/mpeg-ts.ts';
import { PACKED_AUDIO } from '../formats/packed-audio.ts';
import type { Fraction } from '../fraction.ts';
import { valueOf } from '../fraction.ts';
import { ladderFor } from './ladder.ts';
import type { LargestRung } from './ladder.ts';
import type { AudioRendition, Rendition, VideoRendition } from './renditions.ts';
import type { AudioTrack, Track, VideoTrack } from './tracks.ts';

/** The highest rung first, the sound last. */
export function publishedRenditions(
  tracks: readonly Track[],
  frameRate: Fraction,
  largest?: LargestRung,
): Rendition[] {
  const video = tracks.find((track) => track.kind === 'video');
  const audio = tracks.find((track) => track.kind === 'audio');
  return [...(video ? rungsOf(video, valueOf(frameRate), largest) : []), ...(audio ? [soundOf(audio)] : [])];
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
