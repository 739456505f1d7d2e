// Segments that are made by a recipe today are like those that were made by it when it was released, so that both can
// stand side by side. Compared is what does not depend on an encoder's choices.

import { join } from 'node:path';
import { planKey } from '../../core/artifacts/keys.ts';
import { PLAN } from '../../core/records/plan.ts';
import { binaries, ffmpeg, temporaryDirectory } from '../support/media.ts';
import { otherwise } from '../support/otherwise.ts';
import { recordedNames, recordingOf, segmentFactsOf } from '../support/recipe-recordings.ts';
import { RECORDED_ID } from '../support/recipe-videos.ts';

const CHANGED =
  'Segments of a recorded recipe are not like those that were made by it before. Videos that were planned by it have ' +
  'stored ones: keep the old way for it, put the new way into core/recipes/present.ts under a new name, and record that ' +
  'by scripts/record-recipe.ts.';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

describe.each(recordedNames())('recipe %s', (name) => {
  const { source, plan: stored, ...recorded } = recordingOf(name).segments;
  const plan = PLAN.parse(stored, planKey(RECORDED_ID, stored['rev'] as string));
  const file = () => join(directory.path, `${name}.mp4`);
  beforeAll(() => ffmpeg(...source, file()));

  test.each(['alone', 'inRun'] as const)('segments made %s are as they were', async (how) => {
    const tools = { binaries, temporaryDirectory: directory.path };
    const made = await segmentFactsOf(file(), plan, how, tools);
    otherwise(CHANGED, () => expect(made).toEqual(recorded[how]));
  });
});
