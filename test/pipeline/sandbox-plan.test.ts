// A plan comes from where strangers' files are decoded. One that is none of the source that was granted is not stored, and
// nothing that it names is read.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { revisionsPrefix } from '../../core/artifacts/keys.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { currentPlan } from '../../pipeline/life/planning.ts';
import type { Reply, Sandbox } from '../../pipeline/sandbox/sandbox.ts';
import { uploadedIn } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const streams = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=4', '-f', 'lavfi', '-i', 'sine=440:d=4'];
  await ffmpeg(...streams, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', at('clip.mp4'));
  await ffmpeg('-i', at('clip.mp4'), '-c', 'copy', at('clip.ts'));
});
afterAll(() => directory.remove());

const at = (name: string): string => join(directory.path, name);

/** A sandbox that changes the plans it gives. */
const tampering = (sandbox: Sandbox, change: (plan: Plan) => Plan): Sandbox => ({
  run: (task, grants, tell, options) => {
    const changed = (reply: Reply): Reply =>
      'plan' in reply ? { ...reply, plan: change(structuredClone(reply.plan)) } : reply;
    return sandbox.run(task, grants, (reply) => tell(changed(reply)), options);
  },
});

const TAMPERED: [string, (plan: Plan) => Plan][] = [
  [
    'the copy of another video',
    (plan) => ({ ...plan, source: { ...plan.source, kind: 'mezzanine', key: 'mezzanine/other/a.mkv' } }),
  ],
  ['a key of the store', (plan) => ({ ...plan, source: { ...plan.source, key: 'videos/other.json' } })],
  ['another file', (plan) => ({ ...plan, source: { ...plan.source, etag: 'other' } })],
  ['more of it than there is', (plan) => ({ ...plan, source: { ...plan.source, sizeBytes: 2 ** 40 } })],
  ['a length beyond the limit', (plan) => ({ ...plan, grid: { ...plan.grid, frameCount: 2 ** 50 } })],
  [
    'more segments than frames',
    (plan) => ({ ...plan, grid: { ...plan.grid, segmentFrames: 1, gopFrames: 1 } }),
  ],
  ['other arguments', (plan) => ({ ...plan, recipe: { ...plan.recipe, name: 'mine' } })],
  [
    'a rendition of its own',
    (plan) => ({
      ...plan,
      renditions: plan.renditions.map((each) => ({ ...each, name: `../${each.name}` })),
    }),
  ],
  ['a prewarm of what it has not', (plan) => ({ ...plan, prewarm: ['../x'] })],
  ['pictures without end', (plan) => ({ ...plan, stills: { ...plan.stills!, count: 2 ** 40 } })],
];

/** Of a copy, what it is a copy of matters most. */
const CASES = [
  ...TAMPERED.map(([what, change]) => ['clip.mp4', what, change] as const),
  ...TAMPERED.slice(0, 4).map(([what, change]) => ['clip.ts', what, change] as const),
];

test.each(CASES)('%s: a plan that names %s is not believed', async (file, _, change) => {
  const { id, world } = await uploadedIn(directory.path, await readFile(at(file)));
  world.sandbox = tampering(world.sandbox, change);
  await expect(currentPlan(id, world)).rejects.toMatchObject({ code: 'TOOL_UNAVAILABLE' });
  expect(world.media.keys().filter((key) => key.startsWith(revisionsPrefix(id)))).toEqual([]);
  expect(world.media.keys().filter((key) => key.endsWith('.mkv'))).toEqual([]);
});

test.each([
  ['clip.mp4', 'upload'],
  ['clip.ts', 'mezzanine'],
])('%s: what is not changed is', async (file, kind) => {
  const { id, world } = await uploadedIn(directory.path, await readFile(at(file)));
  world.sandbox = tampering(world.sandbox, (plan) => plan);
  expect((await currentPlan(id, world)).source.kind).toBe(kind);
});
