// How a tool ended: what may be the source's doing, and what is this machine's.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { checkBinaries, run } from '../../machine/ffmpeg.ts';
import type { RunOptions } from '../../machine/ffmpeg.ts';
import { FfmpegError, OutageError } from '../../core/errors.ts';
import { descendantsOf, isEncoder } from '../support/descendants.ts';
import { binaries, temporaryDirectory } from '../support/media.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const OPTIONS: RunOptions = {
  ...{ task: 'a task', line: 'looking', timeoutSeconds: 600, maxFileBytes: 1e6, maxMemoryBytes: 1024 ** 3 },
};

/** A tool that works, as its version shows, and then does this. */
async function tool(script: string, version = 'exit 0'): Promise<string> {
  const path = join(directory.path, `tool-${Math.random()}`);
  await writeFile(path, `#!/bin/sh\n[ "$1" = -version ] && { ${version}; }\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const endingOf = async (script: string, options: Partial<RunOptions> = {}): Promise<unknown> =>
  run(await tool(script), [], { ...OPTIONS, ...options }).then(
    (printed) => printed.toString(),
    (error: unknown) => error,
  );

test.each([
  ['exit 126', 'TOOL_UNAVAILABLE'],
  ['exit 127', 'TOOL_UNAVAILABLE'],
  ['exit 255', 'TOOL_UNAVAILABLE'],
  ['kill -KILL $$', 'TOOL_UNAVAILABLE'],
  ['kill -TERM $$', 'TOOL_UNAVAILABLE'],
  ['echo "write: No space left on device" >&2; exit 1', 'STORAGE_FULL'],
  ['echo "write: No space left on device" >&2; exit 0', 'STORAGE_FULL'],
])('%s is an outage: %s', async (script, code) => {
  const error = await endingOf(script);
  expect(error).toBeInstanceOf(OutageError);
  expect(error).toMatchObject({ code, name: code });
});

test.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
  'ffmpeg ended by %s from outside is one',
  async (signal) => {
    // Prints for as long as somebody reads.
    const endless = ['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2', '-f', 'rawvideo', 'pipe:1'];
    const output = async (stdout: Readable) => {
      stdout.resume();
      await once(stdout, 'data');
      for (const { pid } of (await descendantsOf(process.pid)).filter(isEncoder)) process.kill(pid, signal);
      await once(stdout, 'end');
    };
    const ended = run(binaries.ffmpegPath, endless, { ...OPTIONS, maxFileBytes: 0, output });
    await expect(ended).rejects.toMatchObject({ code: 'TOOL_UNAVAILABLE' });
  },
);

test.each(['background', 'stills'] as const)('of %s everybody else goes first', async (line) => {
  // It is told a moment after it has begun.
  const script = 'until [ "$(nice)" = 19 ]; do sleep 0.05; done; echo low';
  expect(await endingOf(script, { line })).toBe('low\n');
});

test('what somebody waits for has our own priority', async () => {
  expect(Number(await endingOf('sleep 0.5; nice', { line: 'viewers' }))).toBe(getPriority());
});

test('what takes too long is one, too', async () => {
  expect(await endingOf('exec sleep 600', { timeoutSeconds: 0.2 })).toMatchObject({ code: 'TIMED_OUT' });
});

test('what has no time left any more is ended, whatever its own limit, and what has none is not begun', async () => {
  const begun = join(directory.path, 'begun');
  const left = () => (existsSync(begun) ? 0 : 60);
  const ended = await endingOf(`: > ${begun}; exec sleep 600`, { secondsLeft: left });
  expect(ended).toMatchObject({
    code: 'TIMED_OUT',
    message: expect.stringContaining('no time is left') as string,
  });
  const another = join(directory.path, 'another');
  expect(await endingOf(`: > ${another}`, { secondsLeft: () => 0 })).toMatchObject({ code: 'TIMED_OUT' });
  expect(existsSync(another)).toBe(false);
});

test('what was ended on a full disk may have left holes: that the disk is full is what counts', async () => {
  const begun = join(directory.path, 'begun on a full disk');
  const script = `echo "write: No space left on device" >&2; : > '${begun}'; exec sleep 600`;
  const secondsLeft = () => (existsSync(begun) ? 0 : 60);
  expect(await endingOf(script, { secondsLeft })).toMatchObject({ code: 'STORAGE_FULL' });
});

test.each([
  ['exit 1', false],
  ['echo "moov atom not found" >&2; exit 1', false],
  ['kill -SEGV $$', true],
  ['kill -ABRT $$', true],
])('%s may be the source', async (script, hasCrashed) => {
  const error = await endingOf(script);
  expect(error).toBeInstanceOf(FfmpegError);
  expect(error).toMatchObject({ hasCrashed });
});

test('what a tool says of space says nothing where it writes no file', async () => {
  const script = 'echo "No space left on device" >&2; exit 1';
  expect(await endingOf(script, { maxFileBytes: 0 })).toBeInstanceOf(FfmpegError);
});

test.each([
  ['is not there', () => Promise.resolve(join(directory.path, 'nothing'))],
  ['does not tell its version', () => tool('exit 0', 'exit 1')],
])('a tool that %s is asked for nothing', async (_, path) => {
  const broken = await path();
  await expect(run(broken, [], OPTIONS)).rejects.toMatchObject({ code: 'TOOL_UNAVAILABLE' });
  await expect(checkBinaries({ ...binaries, ffprobePath: broken })).rejects.toMatchObject({
    code: 'TOOL_UNAVAILABLE',
    message: expect.stringContaining(broken),
  });
});

test('a tool that did not work is tried again', async () => {
  const path = await tool('echo done', `[ -e ${join(directory.path, 'mended')} ]; exit $?`);
  await expect(run(path, [], OPTIONS)).rejects.toMatchObject({ code: 'TOOL_UNAVAILABLE' });
  await writeFile(join(directory.path, 'mended'), '');
  expect((await run(path, [], OPTIONS)).toString()).toBe('done\n');
});

test('an ffmpeg that is ended while it opens its source does not say that the source is bad', async () => {
  const source = join(directory.path, 'source.mp4');
  const made = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:d=1', '-c:v', 'libx264', source];
  await run(binaries.ffmpegPath, ['-v', 'error', '-nostdin', '-y', ...made], {
    ...OPTIONS,
    maxFileBytes: 1e8,
  });
  const bytes = await readFile(source);
  // Gives a little and waits until ffmpeg has been told to end.
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 100), () => {
      void descendantsOf(process.pid).then((found) => {
        for (const { pid } of found.filter(isEncoder)) process.kill(pid, 'SIGTERM');
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const copy = ['-v', 'error', '-nostdin', '-i', url, '-c', 'copy', '-f', 'matroska', 'pipe:1'];
    const ended = run(binaries.ffmpegPath, copy, { ...OPTIONS, maxFileBytes: 0 });
    await expect(ended).rejects.toMatchObject({ code: 'TOOL_UNAVAILABLE' });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('what a file says of itself is not taken for what ffmpeg says', async () => {
  const script = 'printf "  Metadata:\\n    title : No space left on device\\n" >&2; exit 0';
  expect(await endingOf(script)).toBe('');
});

test('what has hardly begun is given up when nobody wants it any more', async () => {
  const leave = new AbortController();
  const ending = endingOf('sleep 600', { leave: leave.signal, line: 'viewers' });
  leave.abort(new Error('gone'));
  expect(await ending).toMatchObject({ message: 'gone' });
});

test('what has run for longer is brought to its end', async () => {
  const [leave, stop] = [new AbortController(), join(directory.path, 'stop')];
  let printed = '';
  const begun = Promise.withResolvers<void>();
  const output = async (stdout: Readable) => {
    for await (const bytes of stdout as AsyncIterable<Buffer>) {
      printed += bytes.toString();
      begun.resolve();
    }
  };
  const script = `echo begun; while [ ! -e ${stop} ]; do sleep 0.1; done; echo done`;
  const ending = endingOf(script, { leave: leave.signal, line: 'viewers', output });
  await begun.promise;
  // Timers fire in their order: that of what has hardly begun was there before.
  await sleep(1500);
  leave.abort(new Error('gone'));
  await writeFile(stop, '');
  await ending;
  expect(printed).toBe('begun\ndone\n');
});
