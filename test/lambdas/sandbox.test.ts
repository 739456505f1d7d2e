// The sandbox as Lambda starts it: its bundle, in a process of its own.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../../lib/bundle.ts';
import { RESERVE_FILE, openWorkspace, sweepWorkspaces } from '../../pipeline/encode/workspace.ts';
import { WARMING } from '../../pipeline/sandbox/wire.ts';
import { lambdaFunction } from '../support/account/lambda.ts';
import { binaries, temporaryDirectory } from '../support/media.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => directory.remove());

/** What encoders that were ended have left, beside what is none of theirs. */
async function abandoned(): Promise<string> {
  const temporary = join(directory.path, 'tmp');
  for (const name of ['encode-aaaaaa', 'encode-bbbbbb']) {
    await mkdir(join(temporary, name, '360p'), { recursive: true });
    await writeFile(join(temporary, name, '360p', '00000.ts'), 'half of a segment');
  }
  await writeFile(join(temporary, RESERVE_FILE), 'kept aside');
  await writeFile(join(temporary, 'other'), 'somebody else’s');
  return temporary;
}

test('a sweep removes what nobody uses, and neither what is kept aside nor a workspace that is open', async () => {
  const temporary = await abandoned();
  const workspace = await openWorkspace(temporary);
  await sweepWorkspaces(temporary);
  const name = workspace.directory.slice(temporary.length + 1);
  expect((await readdir(temporary)).sort()).toEqual([name, 'other', RESERVE_FILE].sort());
  await workspace.remove();
  expect((await readdir(temporary)).sort()).toEqual(['other', RESERVE_FILE].sort());
});

test('a function that is started anew sweeps what the one before has left, before it does anything', async () => {
  const temporary = await abandoned();
  const bundled = join(directory.path, 'bundle');
  bundle('lambdas/sandbox.ts', bundled);
  const fn = lambdaFunction({
    ...{ name: 'sandbox', directory: bundled, temporary: directory.path, handler: 'index.handler' },
    environment: { TMPDIR: temporary, FFMPEG_PATH: binaries.ffmpegPath, FFPROBE_PATH: binaries.ffprobePath },
    ...{ memoryMb: 1769, timeoutSeconds: 600 },
  });
  try {
    expect(await fn.invoke(WARMING)).toEqual({ stream: '' });
    expect((await readdir(temporary)).sort()).toEqual(['other', RESERVE_FILE].sort());
  } finally {
    await fn.stop();
  }
});
