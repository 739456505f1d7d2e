// Records the present recipe in test/fixtures/recipes, for ever: what it makes of imaginary videos, as arguments, and what
// its segments of a real one are like.
//
//     node --disable-warning=ExperimentalWarning scripts/record-recipe.ts

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mezzanineKey } from '../core/artifacts/keys.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { planFor } from '../core/plan/plan-for.ts';
import { PRESENT_RECIPE } from '../core/recipes/present.ts';
import { PLAN } from '../core/records/plan.ts';
import { mezzanineArguments } from '../core/source/source-arguments.ts';
import { binaries, ffmpeg, temporaryDirectory } from '../test/support/media.ts';
import {
  COPIES,
  RECORDINGS,
  SOURCE_URL,
  argumentsOf,
  copies,
  copiesText,
  recordingText,
  segmentFactsOf,
} from '../test/support/recipe-recordings.ts';
import type { Recording } from '../test/support/recipe-recordings.ts';
import { COPIED, IMAGINARY_VIDEOS, REAL_SOURCE, RECORDED_ID } from '../test/support/recipe-videos.ts';
import { plannedFile } from '../test/support/stream.ts';

const settings = { ...DEFAULT_LIMITS, prewarm: 'all' } as const;

const videos = IMAGINARY_VIDEOS.map(({ title, probe, source, jobs }) => {
  const plan = planFor(probe, source, settings);
  return {
    title,
    plan: PLAN.stored(plan),
    made: jobs.map((job) => ({ job, arguments: argumentsOf(plan, job) })),
  };
});

// A copy is named after its source alone, so what is in it is recorded by that name.
const copyKey = mezzanineKey(RECORDED_ID, 'e');
const recordedCopies = copies();
if (!recordedCopies[copyKey]) {
  const made = COPIED.map(({ title, probe }) => ({
    ...{ title, probe, arguments: mezzanineArguments(SOURCE_URL, probe) },
  }));
  await writeFile(COPIES, copiesText({ ...recordedCopies, [copyKey]: made }));
  console.log(COPIES);
}

const recording: Recording = {
  ...{ recipe: PRESENT_RECIPE, videos, segments: await realSegments() },
};
const path = join(RECORDINGS, `${PRESENT_RECIPE.name}.json`);
// What was released under a name stays what it is.
await writeFile(path, recordingText(recording), { flag: 'wx' });
console.log(path);

async function realSegments(): Promise<Recording['segments']> {
  const directory = await temporaryDirectory();
  try {
    const file = join(directory.path, 'source.mp4');
    await ffmpeg(...REAL_SOURCE, file);
    const { plan } = await plannedFile(file, directory.path);
    const tools = { binaries, temporaryDirectory: directory.path };
    const alone = await segmentFactsOf(file, plan, 'alone', tools);
    const inRun = await segmentFactsOf(file, plan, 'inRun', tools);
    return { source: REAL_SOURCE, plan: PLAN.stored(plan), alone, inRun };
  } finally {
    await directory.remove();
  }
}
