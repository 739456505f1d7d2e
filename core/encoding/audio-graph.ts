// The filters that make of a track's sound the samples of the grid.

import { codecOf } from '../formats/formats.ts';
import { greatestCommonDivisor } from '../fraction.ts';
import { runUnits } from '../plan/grid.ts';
import type { AudioRendition } from '../plan/renditions.ts';
import type { AudioTrack } from '../plan/tracks.ts';
import type { EncodeJob, TrackGraph, TrackShare } from './job.ts';

// Sound decoded before the first sample we need, for the decoder's overlap and the resampler's filter.
const AUDIO_PREROLL_SECONDS = 0.2;

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
  const cut = `atrim=start_pts=${firstSample}:end_pts=${endSample}`;
  const layout = rendition.channels === 1 ? 'mono' : 'stereo';
  const sourceStart = wholeSampleBefore(track, rendition, firstSample);
  const sourceEnd = Math.ceil((endSample / rendition.sampleRate + AUDIO_PREROLL_SECONDS) * track.sourceRate);
  if (job.rescue === 'blank' || sourceStart >= track.endSample || sourceEnd <= track.startSample) {
    // Nothing but silence: the source has no sound here (yet, or any more), or none that can be decoded.
    return `anullsrc=r=${rendition.sampleRate}:cl=${layout},atrim=end_sample=${endSample - firstSample}`;
  }
  const resampledStart = (sourceStart * rendition.sampleRate) / track.sourceRate;
  const filters = [
    `asetpts=PTS-(${track.originSample})`,
    `atrim=start_pts=${sourceStart}:end_pts=${sourceEnd}`,
    ...(track.sourceChannels > MOST_KNOWN_CHANNELS ? ['pan=stereo|c0=c0|c1=c1'] : []),
    `aresample=${rendition.sampleRate}:ocl=${layout}:${recipe.aac.gaps}:first_pts=${resampledStart}`,
    `aformat=sample_fmts=fltp:channel_layouts=${layout}`,
    cut,
    // The sound may end before the picture does.
    `apad=whole_len=${endSample - firstSample}`,
  ];
  return `[0:${track.streamIndex}]${filters.join(',')}`;
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
