// Whether a plan can be one that we make of a source. It comes from where strangers' files are decoded, so nothing of it is
// believed that follows from the rest: what remains to be taken on trust is how long the source is, and what tracks it has.

import type { Size } from './ladder.ts';
import { valueOf } from '../fraction.ts';
import { PRESENT_RECIPE } from '../recipes/present.ts';
import { durationSeconds } from './grid.ts';
import { gridOf } from './plan-for.ts';
import type { PlanSettings } from './plan-for.ts';
import type { Plan, PlannedSource } from './plan.ts';
import { publishedRenditions } from './publication.ts';

/** Of pictures that somebody films; more than any source is planned at. */
const MOST_FRAMES_PER_SECOND = 1000;
/** Hundreds of tracks with their titles, and of what is said of each. */
const [MOST_CHARACTERS, MOST_NOTICE_CHARACTERS] = [512 * 1024, 64 * 1024];
const MOST_STILL_PIXELS = 4096 * 4096;

/**
 * Why a plan is none of ours; undefined where it can be.
 * @param source what it has to read; where keyframes lie in that, and why it was copied, the plan says itself
 */
export function unbelievable(
  plan: Plan,
  source: Omit<PlannedSource, 'keyframeSeconds' | 'reason'>,
  settings: PlanSettings,
): string | undefined {
  const { keyframeSeconds: _, reason: __, ...read } = plan.source;
  if (!isSame(read, source)) return 'it reads another source';
  if (!isSame(plan.recipe, PRESENT_RECIPE)) return 'it has another recipe';
  const { grid, tracks, stills } = plan;
  if (inOrder(plan).length > MOST_CHARACTERS) return 'it is too large';
  if (inOrder(plan.notices).length > MOST_NOTICE_CHARACTERS) return 'it has too much to say';
  if (valueOf(grid.frameRate) > MOST_FRAMES_PER_SECOND) return 'its frames are too many in a second';
  if (!(durationSeconds(grid) <= settings.maxDurationSeconds)) return 'it is too long';
  if (!isSame(grid, gridOf(grid))) return 'its segments are cut elsewhere';
  const published = publishedRenditions({ tracks, grid, recipe: PRESENT_RECIPE }, settings.largestRung);
  if (!isSame(plan.renditions, published)) return 'its renditions are others';
  const names = published.map(({ name }) => name);
  if (!plan.prewarm.every((name) => names.includes(name))) return 'it makes ahead of time what it has not';
  if (stills && stills.count * stills.intervalSeconds > durationSeconds(grid) + stills.intervalSeconds) {
    return 'its pictures are too many';
  }
  const isTooLarge = ({ width, height }: Size) => width * height > MOST_STILL_PIXELS;
  if (stills && [stills.poster, stills.thumb, stills.tile].some(isTooLarge))
    return 'its pictures are too large';
  return undefined;
}

/** As they are stored: what is undefined is not there, and the order of fields means nothing. */
const isSame = (one: unknown, other: unknown): boolean => inOrder(one) === inOrder(other);

const inOrder = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
