// A source that has to be copied, and cannot be in the time there is: it is refused at once where that is certain, and else
// waits for another try, visibly. No function is ended in the middle of a copy.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mezzaninePrefix } from '../../core/artifacts/keys.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import { videoStatus } from '../../pipeline/life/video-status.ts';
import type { World } from '../../pipeline/world.ts';
import { uploadedIn } from '../support/life.ts';
import { binaries, ffmpeg, temporaryDirectory } from '../support/media.ts';
import { withTools } from '../support/world.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const streams = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=2', '-f', 'lavfi', '-i', 'sine=440:d=2'];
  await ffmpeg(...streams, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', at('clip.mp4'));
  await ffmpeg('-i', at('clip.mp4'), '-c', 'copy', at('clip.ts'));
});
afterAll(() => directory.remove());

const at = (name: string): string => join(directory.path, name);

/** A video, and a count of the copies that were begun of it and of those that are still open. */
async function uploaded(file: string) {
  const { id, world } = await uploadedIn(directory.path, await readFile(at(file)));
  const copies = { begun: 0, open: 0 };
  const { upload } = world.media;
  world.media.upload = async (...of) => {
    const begun = await upload(...of);
    copies.begun += 1;
    copies.open += 1;
    const ends =
      <Of extends unknown[]>(end: (...args: Of) => Promise<void>) =>
      async (...args: Of) => {
        copies.open -= 1;
        return end(...args);
      };
    return { ...begun, complete: ends(begun.complete), abort: ends(begun.abort) };
  };
  const ingested = async (own: Partial<World> = {}) => {
    await ingest(id, { ...world, ...own }, async () => undefined);
    return videoStatus(id, world, () => 'https://cdn.example/');
  };
  return { id, world, copies, ingested };
}

describe('a source that is larger than can be copied', () => {
  test('is refused at once where it has no index, by a sentence that says what to do', async () => {
    const { world, copies, ingested } = await uploaded('clip.ts');
    world.settings.maxCopiedBytes = 1000;
    expect(await ingested()).toMatchObject({
      state: 'failed',
      error: { code: 'TOO_LARGE_TO_COPY', message: expect.stringMatching(/Save it as an MP4/) as string },
    });
    expect(copies.begun).toBe(0);
  });

  test('plays where it has one', async () => {
    const { world, copies, ingested } = await uploaded('clip.mp4');
    world.settings.maxCopiedBytes = 1000;
    expect(await ingested()).toMatchObject({ state: 'processing', playable: true });
    expect(copies.begun).toBe(0);
  });

  test('keeps the copy that it has from before the limit', async () => {
    const { world, copies, ingested } = await uploaded('clip.ts');
    await ingested();
    await world.media.delete(
      world.media.keys().filter((key) => key.startsWith('plans/') || key.startsWith('v/')),
    );
    world.settings.maxCopiedBytes = 1000;
    expect(await ingested()).toMatchObject({ state: 'processing', playable: true });
    expect(copies.begun).toBe(1);
  });
});

test('a copy that takes longer than its function lives is given up before that, and the video says what it waits for', async () => {
  const { id, world, copies, ingested } = await uploaded('clip.ts');
  const ffmpegPath = at('ffmpeg-that-hangs');
  // Only over what it copies.
  const hanging = `case "$*" in *"-f matroska"*) while :; do :; done;; esac`;
  await writeFile(ffmpegPath, `#!/bin/sh\n${hanging}\nexec ${binaries.ffmpegPath} "$@"\n`, { mode: 0o755 });
  const tools = { ...world.tools, binaries: { ...binaries, ffmpegPath } };
  // Of these, two minutes are for what comes after a copy.
  const found = await ingested({ ...withTools(world, tools), secondsLeft: () => 121 });
  expect(found).toMatchObject({ state: 'processing', delayed: { code: 'TIMED_OUT' } });
  expect(copies).toEqual({ begun: 1, open: 0 });
  expect(world.media.keys().filter((key) => key.startsWith(mezzaninePrefix(id)))).toEqual([]);
  // A better moment.
  expect(await ingested({ secondsLeft: () => 900 })).toMatchObject({ state: 'processing', playable: true });
});
