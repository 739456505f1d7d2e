// In every kind of container each segment, made by a process of its own, holds exactly its pictures, and nothing is said to be lost.

import { renditionsOf } from '../../core/plan/plan.ts';
import { join } from 'node:path';
import { KINDS } from '../support/kinds.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { numberedPictures, numbersIn } from '../support/numbered.ts';
import { encodeInPieces, joined } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const SECONDS = 10;
const RATE = '25';

test.each(KINDS.map((kind) => [kind.container, kind.video, kind.audio, kind] as const))(
  '%s with %s and %s: every picture once, in order, in its segment',
  async (_container, _video, _audio, { extension, isCopied, encoders }) => {
    const source = join(directory.path, `source-${KINDS.length}.${extension}`);
    const sound = ['-f', 'lavfi', '-i', `sine=440:r=48000:d=${SECONDS}`];
    await ffmpeg('-f', 'lavfi', '-i', numberedPictures(RATE, SECONDS), ...sound, ...encoders, source);
    const { plan, segments, damaged } = await encodeInPieces(source, directory.path);
    const numbers = await numbersIn(
      await joined(segments, renditionsOf(plan, 'video')[0]!.name, directory.path),
    );
    const planned = Array.from({ length: plan.grid.frameCount }, (_, number) => number);

    expect(plan.source.kind).toBe(isCopied ? 'mezzanine' : 'upload');
    expect(numbers).toEqual(planned);
    expect(damaged).toEqual([]);
    expect(plan.notices).toEqual([]);
    expect(plan.grid.frameCount).toBe(SECONDS * Number(RATE));
    expect(renditionsOf(plan, 'audio')).not.toEqual([]);
  },
);
