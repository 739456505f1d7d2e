// Looks at a source that take too long, or break down: the same source is taken for the same whenever it is looked at again.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { withRangeServer } from '../../machine/range-server.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { pictureTimes } from '../../pipeline/source/picture-times.ts';
import { probeSource } from '../../pipeline/source/probe-source.ts';
import { binaries, ffmpeg, fileSource, temporaryDirectory } from '../support/media.ts';
import { probeOf } from '../support/probes.ts';

const HASTY = { ...DEFAULT_LIMITS, probeTimeoutSeconds: 1 };
const MP4 = 'mov,mp4,m4a,3gp,3g2,mj2';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: Server;
let file: Buffer;
/** How often somebody gets an answer who asks for the first window of the source. */
let windows: number;
beforeAll(async () => {
  directory = await temporaryDirectory();
  file = await clipOf(10);
  server = createServer((request, response) => {
    const [, first = '0', last = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    if (last === '65535' && (windows -= 1) < 0) return;
    const bytes = file.subarray(Number(first), last ? Number(last) + 1 : undefined);
    const range = `bytes ${first}-${Number(first) + bytes.length - 1}/${file.length}`;
    response.writeHead(206, { 'content-range': range, 'content-length': bytes.length }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await directory.remove();
});

const at = (name: string): string => join(directory.path, name);
async function clipOf(tracks: number): Promise<Buffer> {
  const streams = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=1', '-f', 'lavfi', '-i', 'sine=440:d=1'];
  const sounds = Array<string[]>(tracks).fill(['-map', '1']).flat();
  await ffmpeg(...streams, '-map', '0', ...sounds, at(`clip-${tracks}.mp4`));
  return readFile(at(`clip-${tracks}.mp4`));
}
const tool = async (name: string, script: string): Promise<string> => {
  await writeFile(at(name), `#!/bin/sh\n[ "$1" = -version ] && exit 0\n${script}\n`, { mode: 0o755 });
  return at(name);
};
const served = (isSlow: boolean) => ({
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  watchSpeed: () => () => isSlow,
  failure: () => undefined,
  overwrite: () => undefined,
});

describe('the times of pictures', () => {
  const timesOf = async (format: string, isSlow: boolean) => {
    const { video, ...probe } = { ...probeOf({ video: {} }), format };
    const ffprobePath = await tool('ffprobe-that-hangs', 'while :; do :; done');
    return pictureTimes(served(isSlow), { ...probe, video: video! }, { ...binaries, ffprobePath }, HASTY);
  };

  test('are those that are claimed where their list takes long', async () => {
    expect(await timesOf('matroska,webm', false)).toEqual([]);
  });

  test('are listed another time where the store is slow', async () => {
    await expect(timesOf('matroska,webm', true)).rejects.toMatchObject({ code: 'TIMED_OUT' });
  });

  test('are read from the index another time where the store is slow', async () => {
    windows = 0;
    await expect(timesOf(MP4, true)).rejects.toMatchObject({ code: 'TIMED_OUT' });
  });

  test('are those that are claimed where the index cannot be read twice in a row, though the store is fast', async () => {
    windows = 0;
    expect(await timesOf(MP4, false)).toEqual([]);
    expect(windows).toBe(-2); // asked for twice
  });
});

describe('tracks that ffprobe cannot open', () => {
  /** The first `count` tracks of sound as xHE-AAC. */
  async function unopened(count: number, clip = file): Promise<string> {
    const changed = Buffer.from(clip);
    for (let [track, from] = [0, 0]; track < count; track += 1) {
      from = changed.indexOf('esds', from) + 4;
      changed.writeUInt16BE(0xf940, changed.indexOf(Buffer.from([0x05, 0x80, 0x80, 0x80]), from) + 5);
    }
    const path = at(`unopened-${count}.mp4`);
    await writeFile(path, changed);
    return path;
  }
  const probed = async (path: string, ffprobePath = binaries.ffprobePath) =>
    withRangeServer(await fileSource(path), (source) => probeSource(source, { ...binaries, ffprobePath }));

  test('are left out where there are a few', async () => {
    expect((await probed(await unopened(8))).audio?.index).toBe(9);
  });

  test('are reason to refuse a source where there are many, as each takes a look of its own', async () => {
    await expect(probed(await unopened(9))).rejects.toMatchObject({ code: 'UNSUPPORTED_CODEC' });
  });

  test('are still known by their names when the source is probed again', async () => {
    // The second call breaks down.
    await mkdir(at('calls'));
    const script = [
      `mkdir ${at('calls')}/first 2>/dev/null && exec ${binaries.ffprobePath} "$@"`,
      `mkdir ${at('calls')}/second 2>/dev/null && kill -SEGV $$`,
      `exec ${binaries.ffprobePath} "$@"`,
    ];
    const { notices } = await probed(
      await unopened(1, await clipOf(1)),
      await tool('ffprobe-that-crashes', script.join('\n')),
    );
    expect(notices.map(({ message }) => message)).toEqual([expect.stringContaining('xHE-AAC')]);
  });

  test('are searched for another time where that takes long', async () => {
    windows = 1;
    const script = 'echo "Could not open codec for input stream 1" >&2; exit 1';
    const ffprobePath = await tool('ffprobe-that-refuses', script);
    const probing = probeSource(served(true), { ...binaries, ffprobePath }, HASTY);
    await expect(probing).rejects.toMatchObject({ code: 'TIMED_OUT' });
  });
});
