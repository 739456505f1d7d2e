// The filters that make of a track's sound the samples of the grid.

import { codecOf } from '../formats/formats.ts';
import { greatestCommonDivisor, valueOf } from '../fraction.ts';
import { framesOfSegment, runUnits } from '../plan/grid.ts';
import type { AudioRendition } from '../plan/renditions.ts';
import type { AudioTrack } from '../plan/tracks.ts';
import { fill, fillAll } from '../recipes/recipe.ts';
import type { Recipe } from '../recipes/recipe.ts';
import type { EncodeJob, TrackGraph, TrackShare } from './job.ts';

// Sound decoded before the first sample we need, for the decoder's overlap and the resampler's filter.
const AUDIO_PREROLL_SECONDS = 0.2;

/** Whatever comes before the grid's zero has a time of its own in a file that knows none below 0. */
const LEVELLED_ORIGIN_SECONDS = 10;
/** More than the preroll and what is encoded around a run. */
const LEVELLED_MARGIN_SECONDS = 1;

/** Up to 7.1 ffmpeg knows where each channel belongs; of more it is the first two that people mix for two ears. */
const MOST_KNOWN_CHANNELS = 8;

/** @param label the name of its output, to which those of further renditions add their number */
export function audioGraph(
  job: EncodeJob,
  { track, renditions }: TrackShare<'audio'>,
  label: string,
): TrackGraph {
  const outputs = renditions.map((_, index) => `[${label}${index || ''}]`);
  const chains = renditions.map((rendition, index) => chainOf(job, track, rendition) + outputs[index]);
  return { graph: chains.join(';'), outputs };
}

function chainOf(job: EncodeJob, track: AudioTrack, rendition: AudioRendition): string {
  const { recipe, grid } = job.plan;
  const codec = codecOf(rendition);
  const perSecond = codec.unitsPerSecond(rendition, grid);
  const { from, to } = runUnits(grid, perSecond, job);
  const around = codec.context?.(recipe).around ?? 0;
  const samplesPerUnit = (rendition.sampleRate * perSecond.den) / perSecond.num;
  const [firstSample, endSample] = [(from - around) * samplesPerUnit, (to + around) * samplesPerUnit];
  const layout = layoutBeforeMix(track, rendition);
  const sourceStart = wholeSampleBefore(track, rendition, firstSample);
  const sourceEnd = Math.ceil((endSample / rendition.sampleRate + AUDIO_PREROLL_SECONDS) * track.sourceRate);
  if (job.rescue === 'blank' || sourceStart >= track.endSample || sourceEnd <= track.startSample) {
    // Nothing but silence: the source has no sound here (yet, or any more), or none that can be decoded.
    return `anullsrc=r=${rendition.sampleRate}:cl=${layoutOf(rendition)},atrim=end_sample=${endSample - firstSample}`;
  }
  const resampledStart = (sourceStart * rendition.sampleRate) / track.sourceRate;
  // aresample takes its `first_pts` in samples of the source: recipes up to the second gave it samples of the rendition,
  // so where the source's rate is lower all but a film's beginning is silent. From 0 on, both are the same.
  const isFromZero = recipe.aac.changes !== undefined;
  const [first, zero] = isFromZero ? [0, resampledStart] : [resampledStart, 0];
  const filters = [
    ...(job.levelled
      ? placed(recipe, track, LEVELLED_ORIGIN_SECONDS * track.sourceRate)
      : ownPlace(recipe, track)),
    `atrim=start_pts=${sourceStart}:end_pts=${sourceEnd}`,
    ...(isFromZero ? [`asetpts=PTS-(${sourceStart})`] : []),
    ...(job.levelled ? [] : firstChannels(track)),
    `aresample=${rendition.sampleRate}:ocl=${layout}:${recipe.aac.gaps}:first_pts=${first}`,
    `aformat=sample_fmts=fltp:channel_layouts=${layout}`,
    `atrim=start_pts=${firstSample - zero}:end_pts=${endSample - zero}`,
    // The sound may end before the picture does.
    `apad=whole_len=${endSample - firstSample}`,
    ...(layout === layoutOf(rendition) ? [] : [recipe.aac.cellularMix!]),
  ];
  return `[0:${job.levelled ? 0 : track.streamIndex}]${filters.join(',')}`;
}

/**
 * The filters that bring a track to one rate and one layout, its samples counted from `LEVELLED_ORIGIN_SECONDS` before the
 * grid's zero. Where its parameters change ffmpeg begins all filters anew: these may, as none of them remembers when it
 * began.
 */
export function levellingGraph(
  job: EncodeJob,
  { track, renditions }: TrackShare<'audio'>,
  output: string,
): string {
  const { recipe, grid } = job.plan;
  const rate = valueOf(grid.frameRate);
  const [from, to] = [framesOfSegment(grid, job.from).from, framesOfSegment(grid, job.to - 1).to];
  const around = LEVELLED_MARGIN_SECONDS;
  const origin = LEVELLED_ORIGIN_SECONDS * track.sourceRate;
  const filters = [
    ...firstChannels(track),
    ...fillAll(recipe.aac.changes!.level, {
      sourceRate: track.sourceRate,
      layout: layoutBeforeMix(track, renditions[0]!),
    }),
    `asetpts=PTS-(${track.originSample - origin})`,
    `atrim=start_pts=${Math.max(0, Math.floor((from / rate - around) * track.sourceRate) + origin)}` +
      `:end_pts=${Math.ceil((to / rate + around) * track.sourceRate) + origin}`,
  ];
  return `[0:${track.streamIndex}]${filters.join(',')}${output}`;
}

const layoutOf = ({ channels }: AudioRendition): string => (channels === 1 ? 'mono' : 'stereo');

/**
 * What is mono for cellular lines is mixed from the usual stereo, as every rendition of a track may be made of sound that was
 * brought to that.
 */
const layoutBeforeMix = ({ sourceChannels }: AudioTrack, rendition: AudioRendition): string =>
  rendition.isCellular && sourceChannels > 1 ? 'stereo' : layoutOf(rendition);

const firstChannels = ({ sourceChannels }: AudioTrack): string[] =>
  sourceChannels > MOST_KNOWN_CHANNELS ? ['pan=stereo|c0=c0|c1=c1'] : [];

const ownPlace = (recipe: Recipe, track: AudioTrack): string[] => [
  ...(recipe.aac.changes ? [fill(recipe.aac.changes.rate, { sourceRate: track.sourceRate })] : []),
  ...placed(recipe, track, track.originSample),
];

/** Counts a track's samples from the grid's zero. */
function placed({ aac }: Recipe, track: AudioTrack, origin: number): string[] {
  if (!aac.changes) return [`asetpts=PTS-(${origin})`];
  const { startSample: start, stamps, sourceRate } = track;
  const terms = fillAll(aac.changes.stamps, {
    ...{ origin, start, sourceRate },
    ...{ within: stamps?.within ?? 0, unit: stamps?.unit ?? 'NB_SAMPLES' },
  });
  return [`asetpts='${terms.join(';')}'`];
}

/**
 * The source sample to begin at: early enough, and one that falls on a whole output sample. A resampler started at
 * any other shifts the phase against its neighbour's (44.1 to 48 kHz: multiples of 147).
 */
function wholeSampleBefore(
  { sourceRate }: AudioTrack,
  { sampleRate }: AudioRendition,
  outputSample: number,
): number {
  const step = sourceRate / greatestCommonDivisor(sourceRate, sampleRate);
  const wanted = (outputSample / sampleRate - AUDIO_PREROLL_SECONDS) * sourceRate;
  return Math.floor(wanted / step) * step;
}
