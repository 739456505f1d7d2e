// What a new revision must hold before the one that it takes the place of may go: everything that one held. A viewer must
// not have to wait for what was there before, and where the source is gone it could never be made again.

import { valueOf } from '../fraction.ts';
import type { Artifact, SegmentArtifact } from '../artifacts/artifact.ts';
import { segmentCount } from './grid.ts';
import { renditionNamed, renditionsOf, trackOf } from './plan.ts';
import type { Plan } from './plan.ts';
import { segmentsOf } from './segments.ts';
import { prewarmedStills } from '../work/work.ts';

/**
 * What the artifacts of a plan follow from, as JSON: of two plans for which it is equal, either makes what the other
 * does, whatever release planned them. Tracks that are not published change no artifact, and descriptions do not as long
 * as one track of a kind is published: it needs no name.
 */
export function essenceOf(plan: Plan): unknown {
  const { recipe, source, grid, renditions, stills } = plan;
  const tracks = renditions.map((rendition) => ({
    ...trackOf(plan, rendition),
    ...{ language: null, title: null, isDefault: false, isForced: false },
  }));
  return JSON.parse(JSON.stringify({ recipe, source, grid, tracks, renditions, stills }));
}

/**
 * The artifacts of `plan` that show what these of `former` show. The two may differ in their grids, in their ladders, and
 * in the moments that they have thumbnails of.
 */
export function successorsOf(artifacts: readonly Artifact[], former: Plan, plan: Plan): Artifact[] {
  const found = new Map<string, Artifact>();
  const add = (artifact: Artifact) => found.set(JSON.stringify(artifact), artifact);
  for (const artifact of artifacts) {
    switch (artifact.kind) {
      case 'segment':
        segmentsFor(artifact, former, plan).forEach(add);
        break;
      case 'poster':
      case 'sheet':
        prewarmedStills(plan).forEach(add);
        break;
      case 'thumb':
        if (plan.stills) {
          const seconds = thumbSecondsAt(artifact.seconds, plan.stills);
          add({ kind: 'thumb', rev: plan.rev, seconds });
        }
        break;
      case 'multivariant':
      case 'playlist':
      case 'init':
      case 'storyboard':
        break; // made in no time
    }
  }
  return [...found.values()];
}

/** The moment of the thumbnail that shows this one; the last where the film is over. */
export function thumbSecondsAt(
  seconds: number,
  { intervalSeconds, count }: Pick<NonNullable<Plan['stills']>, 'intervalSeconds' | 'count'>,
): number {
  return Math.min(count - 1, Math.floor(seconds / intervalSeconds)) * intervalSeconds;
}

function segmentsFor({ rendition, index }: SegmentArtifact, former: Plan, plan: Plan): SegmentArtifact[] {
  const name = renditionFor(rendition, former, plan);
  if (name === undefined) return [];
  const [secondsBefore, secondsNow] = [former, plan].map(
    ({ grid }) => grid.segmentFrames / valueOf(grid.frameRate),
  ) as [number, number];
  const count = segmentCount(plan.grid);
  // A cut of the one grid is hardly ever one of the other, but for rounding where they are the same.
  const from = Math.floor((index * secondsBefore) / secondsNow + 1e-6);
  const to = Math.ceil(((index + 1) * secondsBefore) / secondsNow - 1e-6);
  return segmentsOf(plan, [name], { from: Math.min(from, count), to: Math.min(to, count) });
}

/** The one of the same name; for one that is no more, that for cellular lines if it was so, or the best of its kind. */
function renditionFor(name: string, former: Plan, plan: Plan): string | undefined {
  const { kind = 'video', isCellular } = renditionNamed(former, name) ?? {};
  const own = renditionsOf(plan, kind);
  const sameName = own.find((rendition) => rendition.name === name);
  return (sameName ?? own.find((rendition) => isCellular && rendition.isCellular) ?? own[0])?.name;
}
