// Packed audio (RFC 8216, section 3.4): a time stamp, then frames of sound as they are. ffmpeg writes one file for a run;
// it is cut at the segments' borders, without what was encoded around them.

import { AAC, AAC_FRAME_SAMPLES } from '../codecs/aac.ts';
import type { Codec } from '../codecs/codec.ts';
import { adtsFrames, samplingRateOf } from './adts.ts';
import { expectCount } from './format.ts';
import type { Format, Run } from './format.ts';
import { TIMESTAMP_TAG_BYTES, packedAudio, startTicksOf, unpackedAudio } from './timestamp-tag.ts';

/** What differs from codec to codec. */
interface Kind {
  name: string;
  extension: string;
  contentType: string;
  codec: Codec<'audio'>;
  /** ffmpeg's muxer. */
  muxer: string;
  /**
   * @param isCutOff whether they may end within a frame, which is left out
   * @throws Error where the bytes do not consist of whole frames
   */
  framesOf(bytes: Uint8Array, isCutOff?: boolean): Uint8Array[];
  /** How long so many frames like this one last, in ticks of 90 kHz. */
  ticksOf(frame: Uint8Array, count: number): number;
}

/**
 * A constant bit rate is not quite constant: at 40 kbit/s, where sound begins at once, ffmpeg's encoder takes up to 17 % more
 * over two seconds. Noise that follows upon seconds of silence is not bounded by this (docs/decisions/046).
 */
const EXCESS = 1.2;
/** Of ADTS, and not less than that of any codec that is framed otherwise. */
const FRAME_HEADER_BYTES = 7;

export function packedAudioFormat({ codec, muxer, framesOf, ticksOf, ...labels }: Kind): Format {
  return {
    ...labels,
    playlistVersion: 3,
    mostBits: ({ codecBits, units }) =>
      EXCESS * codecBits + 8 * (TIMESTAMP_TAG_BYTES + units * FRAME_HEADER_BYTES),
    codecs: [codec],
    muxer: ({ directory }) => ['-f', muxer, `${directory}/all.${muxer}`],
    async *cut(run, read) {
      const { around, priming } = codec.context?.(run.plan.recipe) ?? { around: 0, priming: 0 };
      const encoded = framesOf(await read(`all.${muxer}`), run.isCutOff);
      const [first, end] = [run.unitsOf(run.from).from, run.unitsOf(run.to - 1).to];
      const frames = encoded.slice(priming + around, priming + around + end - first);
      const name = `${run.rendition.name}/${run.from}–${run.to - 1}`;
      const what = `${codec.name.toUpperCase()} frames`;
      if (!run.isCutOff) expectCount(name, what, frames.length, end - first);
      for (let index = run.from; index < run.to; index += 1) {
        const { from, to } = run.unitsOf(index);
        const parts = frames.slice(from - first, to - first);
        expectCount(`${run.rendition.name}/${index}`, what, parts.length, to - from);
        yield { index, parts };
      }
    },
    pack: (run, { index, parts }) => packedAudio(parts, startSeconds(run, index, codec)),
    count(segment) {
      try {
        return framesOf(unpackedAudio(segment)).length;
      } catch {
        return undefined; // it ends within a frame
      }
    },
    open(segment) {
      const startTicks = startTicksOf(segment);
      return framesOf(unpackedAudio(segment)).map((bytes, index) => {
        const ticks = (startTicks + ticksOf(bytes, index)) % 2 ** 33;
        return { ptsTicks: ticks, dtsTicks: ticks, isKeyframe: true, bytes };
      });
    },
  };
}

function startSeconds({ plan, rendition, unitsOf }: Run, index: number, codec: Codec<'audio'>): number {
  if (rendition.kind !== 'audio') throw new Error(`${rendition.name} is not sound`);
  const { num, den } = codec.unitsPerSecond(rendition, plan.grid);
  return plan.recipe.timestampOffsetSeconds + (unitsOf(index).from * den) / num;
}

export const PACKED_AUDIO: Format = packedAudioFormat({
  name: 'packed-audio',
  extension: 'aac',
  contentType: 'audio/aac',
  codec: AAC,
  muxer: 'adts',
  framesOf: adtsFrames,
  ticksOf: (frame, count) => Math.round((count * AAC_FRAME_SAMPLES * 90_000) / samplingRateOf(frame)),
});
