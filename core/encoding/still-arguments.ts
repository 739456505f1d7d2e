// The ffmpeg command lines for still pictures, as pure lists. Each prints one JPEG on stdout.

import { valueOf } from '../fraction.ts';
import type { Fraction } from '../fraction.ts';
import type { Size } from '../plan/ladder.ts';
import { keepingFilters } from './segment-arguments.ts';
import { deinterlacing, jpegFilters, ofOneSize } from './picture-filters.ts';
import { durationSeconds } from '../plan/grid.ts';
import { mainTrack } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import { fill } from '../recipes/recipe.ts';
import { GUARDED_INPUT, decoderArguments } from '../source/source-arguments.ts';
import { sheetAt } from '../plan/stills.ts';
import type { StillsPlan } from '../plan/stills.ts';
import type { VideoTrack } from '../plan/tracks.ts';

export interface StillJob {
  plan: Plan;
  stills: StillsPlan;
  still: { kind: 'poster' } | { kind: 'thumb'; seconds: number } | { kind: 'sheet'; index: number };
  sourceUrl: string;
  /** How far before the first picture wanted reading begins: containers without an index find only roughly. */
  prerollSeconds: number;
}

export function stillArguments(job: StillJob): string[] {
  const { plan, stills, still, prerollSeconds } = job;
  const { count, rate, after, ...wanted } = selectionOf(job);
  const video = mainTrack(plan, 'video')!;
  const lastPictureSeconds = (video.sourceFrames - 1) / valueOf(plan.grid.frameRate);
  // Where the sound goes on after the picture, all moments look like the last of the grid that has one.
  const from = Math.min(wanted.from, Math.floor(lastPictureSeconds * valueOf(rate)));
  const fromSeconds = from / valueOf(rate);
  const isBeforeFirst = fromSeconds < video.leadFrames / valueOf(plan.grid.frameRate);
  const graph = [
    `setpts=PTS-(${video.originPts})`,
    ...deinterlacing(video, plan.recipe),
    // From here on one unit of pts is one still: what stood on the screen at that moment. Rounded to the nearest it
    // would show what comes half an interval later. Where reading begins too late the first picture stands for those
    // before it; where it begins with the file, there are none, unless the film itself begins late.
    `fps=${rate.num}/${rate.den}:round=up` +
      (prerollSeconds < Infinity || isBeforeFirst ? `:start_time=${fromSeconds.toFixed(6)}` : ''),
    'tpad=stop_mode=clone:stop=-1',
    `trim=start_pts=${from}:end_pts=${from + count}`,
    ...after,
  ];
  return [
    ...['-v', 'error', '-nostdin'],
    ...GUARDED_INPUT,
    // libvpx would decode all pictures even so.
    ...(stills.keyframesOnly && still.kind !== 'poster' ? ['-skip_frame', 'nokey'] : decoderArguments(video)),
    ...seekArguments(video, fromSeconds - prerollSeconds),
    ...keepingFilters(plan.recipe),
    ...['-copyts', '-noautorotate', '-i', job.sourceUrl],
    ...['-filter_complex', `[0:${video.streamIndex}]${graph.join(',')}[still]`, '-map', '[still]'],
    ...['-vsync', '0', '-frames:v', '1', ...jpegEncoder(job)],
    ...['-map_metadata', '-1', '-f', 'image2pipe', 'pipe:1'],
  ];
}

/** A black one in its place, where nothing of the source can be shown. */
export function blankStillArguments(job: Pick<StillJob, 'plan' | 'stills' | 'still'>): string[] {
  const { width, height } = sizeOf(job.stills, job.still);
  return [
    ...['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', `color=c=black:s=${width}x${height}:r=1:d=1`],
    ...['-vf', `format=${job.plan.recipe.stills.pixelFormat}`, '-frames:v', '1', ...jpegEncoder(job)],
    ...['-f', 'image2pipe', 'pipe:1'],
  ];
}

function jpegEncoder({ plan, still }: Pick<StillJob, 'plan' | 'still'>): string[] {
  const { encoder, quality } = plan.recipe.stills;
  return [...encoder, '-q:v', quality[still.kind]];
}

function sizeOf(stills: StillsPlan, still: StillJob['still']): Size {
  if (still.kind !== 'sheet') return stills[still.kind];
  const { columns, rows } = sheetAt(stills, still.index);
  return { width: columns * stills.tile.width, height: rows * stills.tile.height };
}

/** Which moments, `from` counted in units of 1/rate, and what becomes of them. */
function selectionOf({ plan, stills, still }: StillJob): {
  from: number;
  count: number;
  rate: Fraction;
  after: string[];
} {
  const rate = { num: 1, den: stills.intervalSeconds };
  const shown = (size: Size) => jpegFilters(mainTrack(plan, 'video')!, size, plan.recipe);
  switch (still.kind) {
    case 'poster': {
      const { at, atMostSeconds, candidates, candidatesRate, choice } = plan.recipe.stills.poster;
      const seconds = Math.min(durationSeconds(plan.grid) * at, atMostSeconds);
      const from = Math.floor(seconds * valueOf(candidatesRate));
      const before = ofOneSize(mainTrack(plan, 'video')!, plan.recipe);
      const after = [...before, fill(choice, { candidates }), ...shown(stills.poster)];
      return { from, count: candidates, rate: candidatesRate, after };
    }
    case 'thumb':
      return { from: still.seconds / stills.intervalSeconds, count: 1, rate, after: shown(stills.thumb) };
    case 'sheet': {
      const { from, to, columns, rows } = sheetAt(stills, still.index);
      return { from, count: to - from, rate, after: [...shown(stills.tile), `tile=${columns}x${rows}`] };
    }
  }
}

function seekArguments(video: VideoTrack, seconds: number): string[] {
  if (seconds <= 0) return [];
  const originSeconds = video.originPts * valueOf(video.timeBase);
  return ['-noaccurate_seek', '-seek_timestamp', '1', '-ss', (originSeconds + seconds).toFixed(6)];
}
