// hls.js as it comes does not begin with the variant for cellular lines, and goes to it in mid-play, where the sound
// is another one.

import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Hls from 'hls.js';
import type { Browser, Page } from 'playwright-core';
import { httpServer } from '../../local/http-server.ts';
import { openBrowser } from '../support/browser.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { startSystem, untilStatus, uploadFile } from '../support/system.ts';
import type { Granted, System } from '../support/system.ts';

const SECONDS = 40;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let film: Granted;
let pages: Server;
let browser: Browser;
let page: Page;
const requests: string[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'film.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=10:d=${SECONDS}`],
    ...['-f', 'lavfi', '-i', `sine=440:r=48000:d=${SECONDS}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-ac', '2', '-c:a', 'aac', path],
  );
  system = await startSystem(join(directory.path, 'data'));
  film = await uploadFile(system, path);
  await untilStatus(film, ({ state }) => state === 'ready', 500);
  pages = httpServer(({ url = '' }, response) => {
    const isCode = url === '/hls.js';
    response.writeHead(200, { 'content-type': isCode ? 'text/javascript' : 'text/html' });
    response.end(isCode ? readFileSync('node_modules/hls.js/dist/hls.mjs') : PAGE);
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  browser = await openBrowser();
  page = await browser.newPage();
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
});
afterAll(async () => {
  await browser?.close();
  pages?.close();
  await system?.stop();
  await directory.remove();
});

const PAGE = `<!doctype html><title>film</title><link rel="icon" href="data:," /><video muted></video>
  <script type="module">
    import Hls from './hls.js';
    window.open = (url) => {
      window.errors = [];
      window.hls = new Hls();
      hls.on(Hls.Events.ERROR, (_, { details, fatal }) => fatal && errors.push(details));
      hls.loadSource(url);
      hls.attachMedia(document.querySelector('video'));
      return document.querySelector('video').play();
    };
  </script>`;

interface Opened {
  hls: Hls;
  errors: string[];
}
const state = () =>
  page.evaluate(() => {
    const { hls, errors } = window as unknown as Opened;
    const { height, attrs } = hls.levels[hls.currentLevel] ?? {};
    return { height, group: attrs?.['AUDIO'], sound: hls.audioTracks[hls.audioTrack]?.groupId, errors };
  });

/** Plays on until the picture is of this height, and for two seconds more. */
async function playedAt(height: number): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelector('video')!.videoHeight === wanted, height, {
    timeout: 120_000,
  });
  const from = await page.evaluate(() => document.querySelector('video')!.currentTime);
  await page.waitForFunction((until) => document.querySelector('video')!.currentTime > until, from + 2, {
    timeout: 120_000,
  });
}

const choose = (height: number) =>
  page.evaluate((wanted) => {
    const { hls } = window as unknown as Opened;
    hls.nextLevel = hls.levels.findIndex((level) => level.height === wanted);
  }, height);

test('it begins with the lowest usual rung and the usual sound', async () => {
  await page.evaluate(
    (url) => (window as unknown as { open(url: string): Promise<void> }).open(url),
    film.playbackUrl,
  );
  await playedAt(360);
  const segments = requests
    .filter((path) => /\/00000\.(ts|aac)$/.test(path))
    .map((path) => path.split('/').at(-2));
  expect(segments.sort()).toEqual(['360p', 'audio-0']);
  expect(await state()).toEqual({ height: 360, group: 'audio', sound: 'audio', errors: [] });
});

test('it goes to the variant for cellular lines, with its sound', async () => {
  await choose(234);
  await playedAt(234);
  expect(await state()).toEqual({ height: 234, group: 'audio-low', sound: 'audio-low', errors: [] });
});
