// MPEG-TS segments of H.264. ffmpeg's segment muxer writes them; after the plan's recipe they are packed anew, so that
// each continues whatever was played before.

import { H264 } from '../codecs/h264.ts';
import { framesOfSegment } from '../plan/grid.ts';
import { fill } from '../recipes/recipe.ts';
import { expectCount, lengthOf } from './format.ts';
import type { Format, Run } from './format.ts';
import { segmentName } from './segment-name.ts';
import { accessUnitsOf } from './transport-stream/access-units.ts';
import { mostPackedBits, packSegment } from './transport-stream/packed-segment.ts';
import { countPictures } from './transport-stream/pictures.ts';
import { segmentPlace } from './transport-stream/segment-place.ts';

/** A 188-byte packet carries 184 of payload, and a picture's last one is padded. Recipe 1 has no rung so low that more counts. */
const AS_MUXED = 1.08;

export const MPEG_TS: Format = {
  name: 'mpeg-ts',
  extension: 'ts',
  contentType: 'video/mp2t',
  playlistVersion: 3,
  mostBits: (content, { transportStream: { packing } }) =>
    packing.kind === 'as-muxed' ? AS_MUXED * content.codecBits : mostPackedBits(content, packing),
  codecs: [H264],
  muxer,
  async *cut({ plan, rendition, from, to, unitsOf, isCutOff }, read) {
    for (let index = from; index < to; index += 1) {
      // The segment muxer closes a file before it opens the next. Until then the last picture of one may be half a picture,
      // which counts as one, in whole packets.
      if (isCutOff) await read(segmentName(index + 1, 'ts'));
      const bytes = await read(segmentName(index, 'ts'));
      // Where a source is damaged at its beginning a run begins with later pictures, and lacks some at its end. One that was
      // cut off has no end that would show it.
      if (isCutOff) expectInPlace(`${rendition.name}/${index}`, bytes, segmentPlace(plan, index).fromTicks);
      expectCount(`${rendition.name}/${index}`, 'pictures', countPictures(bytes), lengthOf(unitsOf(index)));
      yield { index, parts: [bytes] };
    }
  },
  pack({ plan }, { index, parts: [bytes] }) {
    const { packing } = plan.recipe.transportStream;
    if (packing.kind === 'as-muxed') return bytes!;
    return packSegment(accessUnitsOf(bytes!), segmentPlace(plan, index), packing);
  },
  count: countPictures,
  open: accessUnitsOf,
};

function expectInPlace(name: string, bytes: Uint8Array, ticks: number): void {
  const [first] = accessUnitsOf(bytes);
  if (!first || Math.abs(first.dtsTicks - ticks) > 1) {
    throw new Error(`segment ${name} begins at ${first?.dtsTicks} ticks, and is to begin at ${ticks}`);
  }
}

/** One segment by the MPEG-TS muxer; several by the segment muxer, which cuts where it is told and uses the other. */
function muxer({ plan, from, to, directory }: Run): string[] {
  const { transportStream, timestampOffsetSeconds: offsetSeconds } = plan.recipe;
  const { timing } = transportStream;
  const options = Object.entries(transportStream.options).map(
    ([name, value]) => [name, fill(value, { offsetSeconds })] as const,
  );
  if (to === from + 1) {
    const file = `${directory}/${segmentName(from, 'ts')}`;
    return [...timing, ...options.flatMap(([name, value]) => [`-${name}`, value]), '-f', 'mpegts', file];
  }
  const firstFrame = framesOfSegment(plan.grid, from).from;
  const cuts = Array.from(
    { length: to - from - 1 },
    (_, index) => framesOfSegment(plan.grid, from + 1 + index).from - firstFrame,
  );
  return [
    ...timing,
    ...['-f', 'segment', '-segment_format', 'mpegts'],
    ...['-segment_format_options', options.map(([name, value]) => `${name}=${value}`).join(':')],
    ...['-segment_frames', cuts.join(','), '-segment_start_number', String(from)],
    `${directory}/%05d.ts`,
  ];
}
