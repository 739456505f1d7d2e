// The arithmetic of segments: which there are, which frames and audio samples belong to each, and how long it lasts.

import { scaledRound } from '../fraction.ts';
import type { Artifact } from '../artifacts/keys.ts';
import { AAC_FRAME_SAMPLES, renditionNames } from './plan.ts';
import type { AudioPlan, Grid, Plan } from './plan.ts';

/** Half-open: frames `from` up to, not including, `to`. */
export interface FrameRange {
  from: number;
  to: number;
}

export type Segment = Extract<Artifact, { kind: 'segment' }>;

export const segmentCount = (grid: Grid): number => Math.ceil(grid.frameCount / grid.segmentFrames);

/** The video frames of segment `index`. */
export function videoFrames(grid: Grid, index: number): FrameRange {
  return {
    from: index * grid.segmentFrames,
    to: Math.min(grid.frameCount, (index + 1) * grid.segmentFrames),
  };
}

/** The AAC frames of segment `index`: cut at the AAC frame nearest to the video's cut, never further than half a frame off. */
export function audioFrames(grid: Grid, audio: AudioPlan, index: number): FrameRange {
  const at = (videoFrame: number) =>
    scaledRound(
      videoFrame,
      { num: grid.frameRate.den, den: grid.frameRate.num },
      { num: audio.sampleRate, den: AAC_FRAME_SAMPLES },
    );
  const { from, to } = videoFrames(grid, index);
  // A film of one frame at 60 fps still needs one frame of sound.
  return { from: at(from), to: Math.max(at(to), at(from) + 1) };
}

export function segmentSeconds(plan: Plan, rendition: string, index: number): number {
  if (plan.audio?.name === rendition) {
    const { from, to } = audioFrames(plan.grid, plan.audio, index);
    return ((to - from) * AAC_FRAME_SAMPLES) / plan.audio.sampleRate;
  }
  const { from, to } = videoFrames(plan.grid, index);
  return ((to - from) * plan.grid.frameRate.den) / plan.grid.frameRate.num;
}

export const durationSeconds = ({ grid }: Plan): number =>
  (grid.frameCount * grid.frameRate.den) / grid.frameRate.num;

/** The segments of some renditions, rendition by rendition. */
export function segmentsOf(
  plan: Plan,
  renditions = renditionNames(plan),
  { from, to } = { from: 0, to: segmentCount(plan.grid) },
): Segment[] {
  return renditions.flatMap((rendition) =>
    Array.from({ length: to - from }, (_, offset) => ({
      kind: 'segment' as const,
      rev: plan.rev,
      rendition,
      index: from + offset,
      extension: rendition === plan.audio?.name ? ('aac' as const) : ('ts' as const),
    })),
  );
}
