// The ffmpeg command line that encodes a run of segments, as a pure list: the plan says what, its recipe how. Written for
// ffmpeg 4.1 (the static npm binary of 2018).

import { codecOf, formatOf } from '../formats/formats.ts';
import { valueOf } from '../fraction.ts';
import { framesOfSegment } from '../plan/grid.ts';
import { originSeconds } from '../plan/plan.ts';
import { runOf } from '../plan/segments.ts';
import type { TrackKind } from '../plan/tracks.ts';
import { decoderArguments, decodingInput } from '../source/source-arguments.ts';
import type { DecodingLimits } from '../source/source-arguments.ts';
import type { Recipe } from '../recipes/recipe.ts';
import { audioGraph, levellingGraph } from './audio-graph.ts';
import { RESCUE_PREROLL_SECONDS, prerollSeconds, sharesOf } from './job.ts';
import type { EncodeJob, TrackGraph, TrackShare } from './job.ts';
import { videoGraph } from './video-graph.ts';

/** One filter graph for each track: what happens to one of them is nothing to the others. */
export function encodeArguments(job: EncodeJob, limits: DecodingLimits): string[] {
  const counts = new Map<TrackKind, number>();
  const parts = sharesOf(job).map((share) => {
    const count = counts.get(share.track.kind) ?? 0;
    counts.set(share.track.kind, count + 1);
    return { share, ...graphOf(job, share, `${share.track.kind[0]}${'_'.repeat(count)}`) };
  });
  return [
    // What cannot be decoded is counted and made up for; it is no reason to fail.
    ...['-v', 'error', '-nostdin', '-y', '-max_error_rate', '1'],
    ...(job.rescue === 'blank' ? [] : inputArguments(job, limits)),
    ...parts.flatMap(({ graph }) => (graph ? ['-filter_complex', graph] : [])),
    ...parts.flatMap(({ share, outputs }) =>
      share.renditions.flatMap((rendition, index) => outputArguments(job, share, rendition, outputs[index]!)),
    ),
  ];
}

function graphOf(job: EncodeJob, share: TrackShare, label: string): TrackGraph {
  switch (share.track.kind) {
    case 'video':
      return videoGraph(job, share as TrackShare<'video'>, label);
    case 'audio':
      return audioGraph(job, share as TrackShare<'audio'>, label);
    case 'text': // goes to its encoder as it is
      return { graph: '', outputs: share.renditions.map(() => `0:${share.track.streamIndex}`) };
  }
}

function inputArguments(job: EncodeJob, limits: DecodingLimits): string[] {
  const { plan, levelled } = job;
  // Keep the source's time stamps: the filters map them onto the grid.
  if (levelled) return ['-f', 'nut', '-copyts', '-i', levelled];
  return [
    ...sourceArguments(job, limits),
    ...keepingFilters(plan.recipe),
    ...['-copyts', '-noautorotate', '-i', job.sourceUrl],
  ];
}

/** What is read of the source, and from where on. */
function sourceArguments(job: EncodeJob, limits: DecodingLimits): string[] {
  const startSeconds = seekSeconds(job);
  const pictures = sharesOf(job).flatMap(({ track }) => (track.kind === 'video' ? [track] : []));
  return [
    ...decodingInput(limits),
    ...pictures.flatMap(decoderArguments),
    // Accurate seeking would drop the frame that spans the start; we cut by frame number instead.
    ...(startSeconds > 0
      ? [
          '-noaccurate_seek',
          '-seek_timestamp',
          '1',
          '-ss',
          (originSeconds(job.plan) + startSeconds).toFixed(6),
        ]
      : []),
  ];
}

/**
 * Where pictures or sound change their size, format or layout, ffmpeg would begin all filters anew: those that count would
 * begin to count again. Kept, the filters of pictures take what comes, and those of sound refuse it, which ends ffmpeg.
 */
export const keepingFilters = ({ picture }: Recipe): string[] =>
  picture.changes ? ['-reinit_filter', '0'] : [];

/** Writes the sound of a job of one track at one rate and in one layout, for another process to encode. */
export function levellingArguments(job: EncodeJob, path: string, limits: DecodingLimits): string[] {
  const [share] = sharesOf(job) as TrackShare<'audio'>[];
  return [
    ...['-v', 'error', '-nostdin', '-y', '-max_error_rate', '1', ...sourceArguments(job, limits)],
    ...['-copyts', '-i', job.sourceUrl, '-filter_complex', levellingGraph(job, share!, '[levelled]')],
    ...['-map', '[levelled]', '-c:a', 'pcm_f32le', '-f', 'nut', path],
  ];
}

/** Where to begin decoding, in seconds from the grid's zero. */
function seekSeconds(job: EncodeJob): number {
  const { plan, from, rescue } = job;
  const rate = valueOf(plan.grid.frameRate);
  const start = framesOfSegment(plan.grid, from).from / rate;
  const tracks = sharesOf(job).map(({ track }) => track);
  const pictures = tracks.filter((track) => track.kind === 'video');
  // Beyond its last picture a source holds it, so decoding begins where that one can be found.
  const lasts =
    pictures.length > 0
      ? pictures.map(({ sourceFrames }) => (sourceFrames - 1) / rate)
      : tracks.map((track) => (track.kind === 'audio' ? track.endSample / track.sourceRate : Infinity));
  return Math.min(start, ...lasts) - (rescue ? RESCUE_PREROLL_SECONDS : prerollSeconds(job));
}

function outputArguments(
  job: EncodeJob,
  { track }: TrackShare,
  rendition: TrackShare['renditions'][number],
  output: string,
): string[] {
  const { plan, effort = 'quick' } = job;
  return [
    ...['-map', output, ...codecOf(rendition).encoder(rendition, track, plan, effort)],
    ...['-map_metadata', '-1', '-map_chapters', '-1'],
    ...formatOf(rendition).muxer(runOf(plan, rendition, job)),
  ];
}
