// How long does our page take to upload a large file over a link with delay? And how long does Uppy 6 with its own
// defaults, by the same routes?

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { temporaryDirectory } from '../test/support/media.ts';
import { startSystem } from '../test/support/system.ts';
import type { System } from '../test/support/system.ts';
import { delayedLink } from './support/delayed-link.ts';
import { median, secondsOf } from './support/figures.ts';

const RUNS = 3;
const FILE_BYTES = 500_000_000;
const DELAY_MS = 50;

const directory = await temporaryDirectory();
const path = join(directory.path, 'film.bin');
const file = await open(path, 'w');
await file.truncate(FILE_BYTES);
await file.close();

const uppyPage = await servedUppy();
const seconds: Record<'ours' | 'uppy', number[]> = { ours: [], uppy: [] };
try {
  for (let run = 0; run < RUNS; run += 1) {
    for (const [name, upload] of [
      ['ours', byOurPage],
      ['uppy', byUppy],
    ] as const) {
      seconds[name].push(await overDelayedLink(join(directory.path, `${name}-${run}`), upload));
      console.error(`${name}: ${seconds[name].at(-1)!.toFixed(1)} s`);
    }
  }
  const rate = (values: number[]) => `${(FILE_BYTES / 1e6 / median(values)).toFixed(1)} MB/s`;
  console.log(`${FILE_BYTES / 1e6} MB with ${DELAY_MS} ms of delay in each direction`);
  console.log(`  our page         ${secondsOf(seconds.ours)}, ${rate(seconds.ours)}`);
  console.log(`  Uppy 6, default  ${secondsOf(seconds.uppy)}, ${rate(seconds.uppy)}`);
  console.log(
    `  Uppy / ours      ${(median(seconds.uppy) / median(seconds.ours)).toFixed(2)} (wanted: at least 2)`,
  );
} finally {
  uppyPage.close();
  await directory.remove();
}

type Upload = (browser: Browser, system: System) => Promise<number>;

/** A system and a browser of their own: what one upload leaves behind is not for the next. */
async function overDelayedLink(dataDirectory: string, upload: Upload): Promise<number> {
  const system = await startSystem(dataDirectory);
  const port = Number(new URL(system.baseUrl).port);
  const link = await delayedLink(port, DELAY_MS);
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      // Addresses stay as they are, signatures hold; only the way to them is longer.
      `--host-resolver-rules=MAP localhost:${port} 127.0.0.1:${link.port}, MAP 127.0.0.1:${port} 127.0.0.1:${link.port}`,
    ],
  });
  try {
    return await upload(browser, system);
  } finally {
    await browser.close();
    link.close();
    await system.stop();
  }
}

/** By another name of this machine than the store's: as on AWS, the browser asks the store first whether it may. */
async function byOurPage(browser: Browser, { baseUrl }: System): Promise<number> {
  const page = await browser.newPage();
  await page.goto(baseUrl.replace('localhost', '127.0.0.1'));
  const done = page.waitForResponse((answer) => new URL(answer.url()).pathname.endsWith('/complete'), {
    timeout: 0,
  });
  const begun = performance.now();
  await page.locator('#file-input').setInputFiles(path);
  const answer = await done;
  if (!answer.ok()) throw new Error(`complete: ${answer.status()} ${await answer.text()}`);
  return (performance.now() - begun) / 1000;
}

async function byUppy(browser: Browser, { baseUrl }: System): Promise<number> {
  const granted = await fetch(`${baseUrl}/api/uploads`, {
    method: 'POST',
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
    body: '{}',
  });
  const { uploadUrl } = (await granted.json()) as { uploadUrl: string };
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(uppyPage.url);
  await page.locator('input').setInputFiles(path);
  return page.evaluate(
    (uploadUrl) => (window as unknown as { send(uploadUrl: string): Promise<number> }).send(uploadUrl),
    uploadUrl,
  );
}

async function servedUppy(): Promise<{ url: string; close(): void }> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import Core from '@uppy/core';
        import AwsS3 from '@uppy/aws-s3';
        window.send = async (companionEndpoint) => {
          const [data] = document.querySelector('input').files;
          const uppy = new Core().use(AwsS3, { companionEndpoint });
          const begun = performance.now();
          uppy.addFile({ name: data.name, type: 'video/mp4', data });
          const { failed } = await uppy.upload();
          if (failed.length > 0) throw new Error(String(failed[0].error));
          return (performance.now() - begun) / 1000;
        };`,
      resolveDir: 'test/uppy/6',
    },
    bundle: true,
    write: false,
    format: 'iife',
  });
  const server = createServer(({ url }, response) => {
    const isScript = url === '/uppy.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript
        ? outputFiles[0]!.text
        : '<!doctype html><input type="file" /><script src="/uppy.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => server.close(),
  };
}
