// Plans as former releases stored them, out of plans as they are now.

import { mainTrack, renditionsOf } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Rendition } from '../../core/plan/renditions.ts';
import type { Recipe } from '../../core/recipes/recipe.ts';

/** As a release would have planned it whose recipe was this one. */
export function plannedBy(plan: Plan, recipe: Recipe): Plan {
  const renditions = plan.renditions.filter(({ isCellular }) => !isCellular || recipe.h264.cellularEncoder);
  const names = renditions.map(({ name }) => name);
  return { ...plan, recipe, renditions, prewarm: plan.prewarm.filter((name) => names.includes(name)) };
}

/** As 8e3bc33 did: without a version, and without the recipe that it had in its code. */
export function planOfFirstRelease(plan: Plan): Record<string, unknown> {
  const { recipe: _, ...known } = ofOneTrackEach(plan);
  return known;
}

/** As 266c94b did. */
export const planOfVersion1 = (plan: Plan): Record<string, unknown> => ({
  version: 1,
  ...ofOneTrackEach(plan),
});

/** One picture and one sound, of which nobody knew what their source says. */
function ofOneTrackEach({ tracks, renditions, ...plan }: Plan): Record<string, unknown> {
  const made = { tracks, renditions };
  const [picture, sound] = [mainTrack(made, 'video'), mainTrack(made, 'audio')];
  const own = ({ kind: _kind, track: _track, codec: _codec, format: _format, ...known }: Rendition) => known;
  const rungs = renditionsOf(made, 'video').map(own);
  const [heard] = renditionsOf(made, 'audio').map(own);
  return {
    ...plan,
    video: picture ? { ...undescribed(picture), renditions: rungs } : null,
    audio: sound ? { ...undescribed(sound), ...heard } : null,
  };
}

/** What it knew of a track. */
function undescribed(track: Plan['tracks'][number]): Record<string, unknown> {
  const { kind: _, id: _id, language: _l, title: _t, isDefault: _d, isForced: _f, ...known } = track;
  return known;
}
