// The segments of a plan: which there are, which units belong to each, and how long it lasts.

import type { InitArtifact, SegmentArtifact } from '../artifacts/artifact.ts';
import { codecOf, formatOf } from '../formats/formats.ts';
import { lengthOf } from '../formats/format.ts';
import type { Run } from '../formats/format.ts';
import type { Fraction } from '../fraction.ts';
import { segmentCount, segmentUnits } from './grid.ts';
import type { UnitRange } from './grid.ts';
import { renditionNamed } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Rendition } from './renditions.ts';

/** Of the codec's units: pictures, or frames of sound. */
export const unitsPerSecond = ({ grid }: Pick<Plan, 'grid'>, rendition: Rendition): Fraction =>
  codecOf(rendition).unitsPerSecond(rendition, grid);

export const unitsOf = (plan: Pick<Plan, 'grid'>, rendition: Rendition, index: number): UnitRange =>
  segmentUnits(plan.grid, unitsPerSecond(plan, rendition), index);

export function segmentSeconds(plan: Pick<Plan, 'grid'>, rendition: Rendition, index: number): number {
  const { num, den } = unitsPerSecond(plan, rendition);
  return (lengthOf(unitsOf(plan, rendition, index)) * den) / num;
}

/** The segments of some renditions (of all, unless told), rendition by rendition. */
export function segmentsOf(
  plan: Plan,
  renditions?: readonly string[],
  { from, to }: UnitRange = { from: 0, to: segmentCount(plan.grid) },
): SegmentArtifact[] {
  const wanted = renditions
    ? renditions.flatMap((name) => renditionNamed(plan, name) ?? [])
    : plan.renditions;
  return wanted.flatMap((rendition) =>
    Array.from({ length: to - from }, (_, offset) => ({
      kind: 'segment' as const,
      rev: plan.rev,
      rendition: rendition.name,
      index: from + offset,
      extension: formatOf(rendition).extension,
    })),
  );
}

/** The init segments of some renditions; most have none. */
export const initsOf = ({ rev, ...plan }: Plan, renditions: readonly string[]): InitArtifact[] =>
  plan.renditions.flatMap((rendition) => {
    const { init } = formatOf(rendition);
    if (!init || !renditions.includes(rendition.name)) return [];
    return [{ kind: 'init' as const, rev, rendition: rendition.name, name: init.name }];
  });

/** Segments `from` up to, not including, `to` of a rendition, in a folder of its own below `directory`. */
export const runOf = (
  plan: Plan,
  rendition: Rendition,
  { from, to, directory, isCutOff }: UnitRange & Pick<Run, 'directory' | 'isCutOff'>,
): Run => ({
  ...{ plan, rendition, from, to, directory: `${directory}/${rendition.name}`, isCutOff },
  unitsOf: (index) => unitsOf(plan, rendition, index),
});
