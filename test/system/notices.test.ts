// What the pages say of a video that lacks something of its file, in Chromium.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { notice } from '../../core/notices.ts';
import { openBrowser } from '../support/browser.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { startSystem, untilStatus, uploadFile } from '../support/system.ts';
import type { Granted, System } from '../support/system.ts';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const NOTICES = [notice('TRACK_LEFT_OUT', 'audio-0'), notice('ENDS_EARLY', null)];
const LINES = NOTICES.map(({ track, message }) => (track === null ? message : `Sound: ${message}`));

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let video: Granted;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const clip = join(directory.path, 'Holiday.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=2', '-c:v', 'libx264', clip);
  system = await startSystem(join(directory.path, 'data'), { PREWARM: 'none' });
  video = await uploadFile(system, clip);
  await untilStatus(video, ({ renditions }) => renditions.length > 0);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await directory.remove();
});

/** Wherever the server says that nothing is missing, the page is told of two notices. */
beforeEach(async () => {
  const context = await browser.newContext({ bypassCSP: true });
  page = await context.newPage();
  const told = JSON.stringify({ notices: NOTICES }).slice(1, -1);
  await page.route(/\/(api\/videos|watch)/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replaceAll('"notices":[]', told) });
  });
});
afterEach(() => page.context().close());

async function violations(): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

test('the page of all videos marks its row, and says what is missing below the player', async () => {
  await page.goto(system.baseUrl);
  const mark = page.getByTestId('lacking');
  await mark.waitFor();
  expect(await mark.getAttribute('title')).toBe(LINES.join('\n'));
  await page.getByTestId('video').getByRole('button').first().click();
  const region = page.getByRole('region', { name: 'Not everything in the file can be played' });
  await region.waitFor();
  expect(await region.getByRole('listitem').allTextContents()).toEqual(LINES);
  expect(await violations()).toEqual([]);
});

test('so does the page of the video', async () => {
  await page.goto(`${system.baseUrl}/watch/${video.id}`);
  const region = page.getByRole('region', { name: 'Not everything in the file can be played' });
  await region.waitFor();
  expect(await region.getByRole('listitem').allTextContents()).toEqual(LINES);
  expect(await violations()).toEqual([]);
});
