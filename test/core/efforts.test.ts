// What is made ahead of time is encoded thoroughly, what somebody waits for quickly.

import { planKey } from '../../core/artifacts/keys.ts';
import { encodeArguments } from '../../core/encoding/segment-arguments.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import type { Effort, Plan } from '../../core/plan/plan.ts';
import { FOURTH_RECIPE } from '../../core/recipes/fourth.ts';
import { PLAN } from '../../core/records/plan.ts';
import { costEstimate } from '../../core/work/cost.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

const SETTINGS = { maxDurationSeconds: 3600, prewarm: 'all' } as const;
const plan = planFor(probeOf({ video: {}, audio: {} }), SOURCE, SETTINGS);

function argumentsFor(own: Plan, rendition: string, effort?: Effort): string[] {
  const place = { sourceUrl: 'http://127.0.0.1:1/source', directory: '/segments' };
  const job = { plan: own, renditions: [rendition], from: 0, to: 1, ...place };
  return encodeArguments(effort ? { ...job, effort } : job, DEFAULT_LIMITS);
}

const valueOf = (args: readonly string[], option: string): string | undefined =>
  args[args.indexOf(option) + 1];

test('a job is quick unless it says that it is thorough', () => {
  const [usual, quick, thorough] = [undefined, 'quick', 'thorough'].map((effort) =>
    argumentsFor(plan, '360p', effort as Effort),
  ) as [string[], string[], string[]];
  expect(usual).toEqual(quick);
  expect(valueOf(quick, '-x264-params')).not.toMatch('subme');
  expect(valueOf(thorough, '-x264-params')).toMatch('subme');
  const [quickly, thoroughly] = [quick, thorough].map(withoutEffort);
  expect(thoroughly).toEqual(quickly);
});

/** All but what an effort is: the quality that is aimed at, and how. */
const withoutEffort = (args: readonly string[]): string[] =>
  args.filter((_, index) => !['-crf', '-x264-params'].includes(args[index - 1]!));

test.each([
  ['a rung of 2160p', { width: 3840, height: 2160, codedHeight: 2160 }, '2160p', 'quick'],
  ['the same source up to 1080p', { width: 3840, height: 2160, codedHeight: 2160 }, '1080p', 'thorough'],
  ['a source of 8K', { width: 7680, height: 4320, codedHeight: 4320 }, '1080p', 'quick'],
] as const)('%s: so many pictures as fit into memory are kept', (_, video, largestRung, effort) => {
  expect(planFor(probeOf({ video }), SOURCE, { ...SETTINGS, largestRung }).prewarmEffort).toBe(effort);
});

test.each(['234p', 'audio-0'])('%s is made in one way', (rendition) => {
  expect(argumentsFor(plan, rendition, 'thorough')).toEqual(argumentsFor(plan, rendition, 'quick'));
});

test('a recipe of one effort makes the same whatever a job says', () => {
  const old = { ...plan, recipe: FOURTH_RECIPE };
  expect(argumentsFor(old, '360p', 'thorough')).toEqual(argumentsFor(old, '360p', 'quick'));
  const cost = (own: Plan) => costEstimate(own, { sourceBytes: 0, artifactBytes: 0 }).computeSeconds;
  expect(cost(old)).toBe(cost({ ...plan, prewarmEffort: 'quick' }));
  expect(cost(old)).toBeLessThan(cost(plan));
});

test('the setting says what is made ahead of time, of the same revision', () => {
  const quick = planFor(probeOf({ video: {}, audio: {} }), SOURCE, { ...SETTINGS, prewarmEffort: 'quick' });
  expect([plan.prewarmEffort, quick.prewarmEffort]).toEqual(['thorough', 'quick']);
  expect(quick.rev).toBe(plan.rev);
});

test('a plan that was stored before there were efforts is made quickly', () => {
  const { prewarmEffort: _, ...stored } = PLAN.stored(plan);
  expect(PLAN.parse(stored, planKey('v1', plan.rev)).prewarmEffort).toBe('quick');
});
