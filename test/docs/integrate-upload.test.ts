// The snippets of docs/integrate.md that upload are run as they stand there: those of pages in Chromium, on a page of
// another origin, those of backends in Node.

import { readFile, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { httpServer } from '../../local/http-server.ts';
import { openBrowser } from '../support/browser.ts';
import { temporaryDirectory } from '../support/media.ts';
import { storedUploads } from '../support/parts.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';

const MIB = 1024 * 1024;
const SNIPPETS = snippetsOf(await readFile(new URL('../../docs/integrate.md', import.meta.url), 'utf8'));

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let stored: Awaited<ReturnType<typeof storedUploads>>;
let browser: Browser;
let pages: Server;

beforeAll(async () => {
  directory = await temporaryDirectory();
  system = await startSystem(join(directory.path, 'data'));
  stored = await storedUploads(system, join(directory.path, 'data'));
  browser = await openBrowser();
  pages = httpServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html>');
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await browser?.close();
  stored?.close();
  await system?.stop();
  pages?.close();
  await directory.remove();
});

/** By the heading that each one stands below. */
function snippetsOf(markdown: string): Map<string, string> {
  const section = /^## Upload$([^]*?)^## /m.exec(markdown)![1]!;
  return new Map(
    [...section.matchAll(/^### (.+)$[^]*?```js\n([^]*?)```/gm)].map(([, name, code]) => [name!, code!]),
  );
}

/** The snippet as a function of what it is given; what it keeps is what it returns. */
async function compiled(name: string, given: string[], kept: string[], resolveDir = '.'): Promise<string> {
  const lines = SNIPPETS.get(name)!.split('\n');
  const isImport = (line: string) => line.startsWith('import ');
  const [imports, code] = [lines.filter(isImport), lines.filter((line) => !isImport(line))].map((each) =>
    each.join('\n'),
  );
  const { outputFiles } = await build({
    stdin: {
      contents: `${imports}
        globalThis.run = async ({ ${given.join()} }) => {
          ${code}
          return { ${kept.join()} };
        };`,
      resolveDir,
    },
    bundle: true,
    write: false,
    format: 'iife',
    platform: resolveDir === '.' ? 'node' : 'browser',
  });
  return outputFiles[0]!.text;
}

let modules = 0;
async function inNode(name: string, given: object, kept: string[]): Promise<any> {
  const path = join(directory.path, `snippet-${(modules += 1)}.cjs`); // a module is loaded once
  await writeFile(path, await compiled(name, Object.keys(given), kept));
  await import(path);
  return (globalThis as any).run(given);
}

const granted = async (): Promise<{ id: string; uploadUrl: string }> =>
  inNode('The backend asks', { api: `${system.baseUrl}/api`, apiKey: 'key' }, ['id', 'uploadUrl']);

test('every snippet is run here', () => {
  const run = [...IN_BROWSER.map(([name]) => name), 'The backend asks', 'A backend that has the file'];
  expect(new Set(SNIPPETS.keys())).toEqual(new Set(run));
});

const IN_BROWSER: [name: string, resolveDir: string, sizeBytes: number][] = [
  ['Uppy 5', 'test/uppy/5', 1000],
  ['Uppy 6', 'test/uppy/6', 1000],
  ['Uppy 6, by signRequest', 'test/uppy/6', 1000],
  // From here on it sends parts by itself.
  ['Uppy 6, by signRequest', 'test/uppy/6', 101 * MIB],
  ['A form, by fetch', 'web', 1000],
  ['In parts, by fetch', 'web', 17 * MIB],
];

test.each(IN_BROWSER)('%s (%#)', async (name, resolveDir, sizeBytes) => {
  const { id, uploadUrl } = await granted();
  const page = await browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}`);
    await page.evaluate(await compiled(name, ['uploadUrl', 'file'], [], resolveDir));
    await page.evaluate(
      ({ uploadUrl, sizeBytes }) => {
        const file = new File([new Uint8Array(sizeBytes).fill(7)], 'film.mp4', { type: 'video/mp4' });
        return (globalThis as any).run({ uploadUrl, file });
      },
      { uploadUrl, sizeBytes },
    );
  } finally {
    await page.close();
  }
  expect((await stored.bytes(id)).equals(Buffer.alloc(sizeBytes, 7))).toBe(true);
});

test('A backend that has the file', async () => {
  const path = join(directory.path, 'film.mp4');
  await writeFile(path, Buffer.alloc(1000, 7));
  const given = { api: `${system.baseUrl}/api`, apiKey: 'key', path };
  const { id } = await inNode('A backend that has the file', given, ['id']);
  expect((await stored.bytes(id)).equals(Buffer.alloc(1000, 7))).toBe(true);
});
