// The page as a person uses it, in Chromium.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { renditionsAt } from '../support/hls.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { pictureAt as screenAt } from '../support/screen.ts';
import { startSystem, storeClient } from '../support/system.ts';
import type { System } from '../support/system.ts';

const MINUTES = 10;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  // Nothing is made ahead of time: what the page shows was made because it asked.
  system = await startSystem(join(directory.path, 'data'), { PREWARM: 'none' });
  browser = await openBrowser();
});
beforeEach(async () => {
  page = await browser.newPage();
  complaints.length = 0;
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
});
afterEach(() => page.close());
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await directory.remove();
});

const pictureAt = (seconds: number) => screenAt(page.locator('video'), seconds);

test('a file is uploaded, plays at once, and seeks to a place that was never encoded', async () => {
  const path = join(directory.path, 'red then blue.mp4');
  const colour = (name: string) => ['-f', 'lavfi', '-i', `color=${name}:s=640x360:r=25:d=${MINUTES * 30}`];
  await ffmpeg(
    ...[...colour('red'), ...colour('blue'), '-f', 'lavfi', '-i', `sine=440:d=${MINUTES * 60}`],
    ...['-filter_complex', '[0:v][1:v]concat[v]', '-map', '[v]', '-map', '2:a'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path],
  );
  await page.goto(system.baseUrl);
  await page.locator('#file-input').setInputFiles(path);
  const [red] = await pictureAt(0);
  expect(red).toBeGreaterThan(200);

  const row = page.getByTestId('video').first();
  await row.waitFor();
  expect(await row.textContent()).toContain('red then blue.mp4');
  const { videos } = (await (
    await fetch(`${system.baseUrl}/api/videos`, { headers: { authorization: 'Bearer key' } })
  ).json()) as { videos: { playbackUrl: string }[] };
  const renditions = await renditionsAt(videos[0]!.playbackUrl);
  const place = MINUTES * 60 - 100;
  // In which quality it is shown, the machine's speed decides.
  const keys = ['360p', '234p'].map((name) => {
    const { url } = renditions.get(name)!.segments[Math.floor(place / 2)]!;
    return new URL(url).pathname.slice(1);
  });
  const client = await storeClient(system, join(directory.path, 'data'));
  const stored = () =>
    Promise.any(keys.map((Key) => client.send(new HeadObjectCommand({ Bucket: 'instant-hls-media', Key }))));
  await expect(stored()).rejects.toThrow('All promises were rejected');

  await page.evaluate((seconds) => void (document.querySelector('video')!.currentTime = seconds), place);
  const [, , blue] = await pictureAt(place);
  expect(blue).toBeGreaterThan(200);
  await stored();
  expect(complaints).toEqual([]);
});

test('a refused file shows its sentence', async () => {
  const path = join(directory.path, 'story.mp4');
  await writeFile(path, 'Once upon a time.\n'.repeat(50));
  await page.goto(system.baseUrl);
  await page.locator('#file-input').setInputFiles(path);
  await page.getByText('The file is not a video or audio file that we know.').first().waitFor();
});

test('videos of earlier visits are listed, and play', async () => {
  await page.goto(system.baseUrl);
  await page.getByTestId('video').filter({ hasText: 'red then blue' }).getByRole('button').first().click();
  const [red] = await pictureAt(0);
  expect(red).toBeGreaterThan(200);
});

test('the test clip is made and plays', async () => {
  await page.goto(system.baseUrl);
  await page.locator('#test-clip').click();
  await pictureAt(0);
  await page.getByTestId('video').filter({ hasText: 'Test clip' }).first().waitFor();
});
