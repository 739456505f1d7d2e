// What a recipe makes stays what it was when it was released: a revision that was begun by it goes on being made by it,
// and caches keep what they have for a year.

import { firstPlanKey, mezzanineKey, planKey } from '../../core/artifacts/keys.ts';
import { PRESENT_RECIPE } from '../../core/recipes/present.ts';
import { PLAN } from '../../core/records/plan.ts';
import { mezzanineArguments } from '../../core/source/source-arguments.ts';
import { SOURCE_URL, argumentsOf, copies, recordedNames, recordingOf } from '../support/recipe-recordings.ts';
import { COPIED, RECORDED_ID } from '../support/recipe-videos.ts';
import { otherwise } from '../support/otherwise.ts';

const CHANGED =
  'What a recorded recipe makes has changed. Videos that were planned by it must go on being made as before, so the ' +
  'change belongs into core/recipes/present.ts, under a new name: what the code adds to every recipe becomes a value of ' +
  'recipes, and plans that were stored before get what it was. Then record it by scripts/record-recipe.ts.';
const NOT_RECORDED =
  'The present recipe is not the one that is recorded under its name. If its name has been released, give the recipe in ' +
  'core/recipes/present.ts a new name and keep the former one. Then record it by scripts/record-recipe.ts.';
const COPY_CHANGED =
  'Sources would be copied otherwise than before. A copy is named after its source alone (mezzanineKey in core/artifacts/keys.ts), ' +
  'so a change of what is in it needs another key. Then record it by scripts/record-recipe.ts.';

test('the present recipe is recorded under its name', () => {
  otherwise(NOT_RECORDED, () => {
    expect(recordedNames()).toEqual(expect.arrayContaining(['1', PRESENT_RECIPE.name]));
    expect(PRESENT_RECIPE).toEqual(recordingOf(PRESENT_RECIPE.name).recipe);
  });
});

describe.each(recordedNames())('recipe %s', (name) => {
  const { recipe, videos } = recordingOf(name);

  test.each(videos)('$title: the same arguments as ever', ({ plan: stored, made }) => {
    const plan = PLAN.parse(stored, keyOf(stored));
    expect([plan.rev, plan.recipe.name]).toEqual([stored['rev'], name]);
    // Not all of it is arguments. Recipes may gain values that older ones are given when they are read.
    otherwise(CHANGED, () => expect(plan.recipe).toMatchObject(recipe));
    for (const { job, arguments: recorded } of made) {
      otherwise(CHANGED, () => expect(making(argumentsOf(plan, job))).toEqual(making(recorded)));
    }
  });
});

test('sources are copied as ever, or their copies have other keys', () => {
  const recorded = copies()[mezzanineKey(RECORDED_ID, 'e')] ?? [];
  otherwise(COPY_CHANGED, () => {
    expect(recorded.map(({ title }) => title)).toEqual(COPIED.map(({ title }) => title));
    for (const { probe, arguments: before } of recorded) {
      expect(copying(mezzanineArguments(SOURCE_URL, probe))).toEqual(copying(before));
    }
  });
});

const keyOf = ({ version, rev }: Record<string, unknown>): string =>
  version === undefined ? firstPlanKey(RECORDED_ID) : planKey(RECORDED_ID, rev as string);

/** Of the options for the input, those that decide which pictures come, and how. */
const DECISIVE = ['-skip_frame', 'nokey', '-copyts', '-noautorotate'];

/** What decides on bytes. How a source is read may change: where decoding begins, what is allowed. */
function making(args: readonly string[]): string[] {
  const first = args.findIndex((argument) => argument === '-filter_complex' || argument === 'lavfi');
  expect(first).toBeGreaterThan(0);
  const reading = args.slice(0, first);
  return [...reading.filter((argument) => DECISIVE.includes(argument)), ...sorted(args.slice(first))];
}

/** The options of one muxer in one argument: 8e3bc33 wrote them in another order. */
const sorted = (args: readonly string[]): string[] =>
  args.map((argument, index) =>
    args[index - 1] === '-segment_format_options' ? argument.split(':').sort().join(':') : argument,
  );

const GUARDS = [
  '-protocol_whitelist',
  '-format_whitelist',
  '-codec_whitelist',
  '-recv_buffer_size',
  '-tcp_mss',
];

/** Without the options, and their values, that only limit what is read, and how. */
const copying = (args: readonly string[]): string[] =>
  args.filter((argument, index) => ![argument, args[index - 1]].some((one) => GUARDS.includes(one ?? '')));
