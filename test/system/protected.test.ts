// Protected playback as its viewers meet it: in Chromium, by hls.js, from a page of another origin than the videos.

import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { pictureAt as screenAt } from '../support/screen.ts';
import { grantPlayback, startSystem, untilStatus, uploadFile } from '../support/system.ts';
import type { Granted, System } from '../support/system.ts';

const SECONDS = 60;
const LATE = 52; // beyond what a player fetches ahead
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let browser: Browser;
let page: Page;
let film: Granted;
let other: Granted;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'film.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `color=s=640x360:r=25:d=${SECONDS}`],
    ...['-f', 'lavfi', '-i', `sine=440:d=${SECONDS}`, '-c:v', 'libx264', '-preset', 'ultrafast', path],
  );
  system = await startSystem(join(directory.path, 'data'), { PLAYBACK: 'token', PREWARM: 'none' });
  other = await uploadFile(system, path);
  film = await uploadFile(system, path);
  await untilStatus(film, ({ playable }) => playable);
  browser = await openBrowser();
});
beforeEach(async () => {
  page = await browser.newPage();
});
afterEach(() => page.close());
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await directory.remove();
});

/** The same page under another name of this machine: another origin than that of the videos. */
const pageUrl = () => system.baseUrl.replace('localhost', '127.0.0.1');

const watch = () => page.locator(`[data-testid="video"] [data-action="watch"][data-id="${film.id}"]`).click();

const pictureAt = (seconds: number) => screenAt(page.locator('video'), seconds);

const fetched = (url: string): Promise<{ status: number; text: string }> =>
  page.evaluate(async (address) => {
    const answer = await fetch(address);
    return { status: answer.status, text: await answer.text() };
  }, url);

test('a protected video plays by hls.js, and every address of it needs its own token', async () => {
  expect(film.playbackUrl).toBeNull();
  const asked: string[] = [];
  page.on('request', (request) => void (/\/v\//.test(request.url()) && asked.push(request.url())));
  await page.goto(pageUrl());
  await watch();
  await pictureAt(0);
  expect(asked.filter((url) => url.endsWith('.ts')).length).toBeGreaterThan(0);

  const { token: othersToken } = await grantPlayback(system, other);
  for (const url of new Set(asked)) {
    const [, token] = /\/v\/([^/]+)\//.exec(url)!;
    expect((await fetched(url)).status).toBe(200);
    expect(await fetched(url.replace(`/${token}`, ''))).toEqual({
      status: 403,
      text: '{"code":"FORBIDDEN","message":"The address holds no playback token."}',
    });
    expect(await fetched(url.replace(token!, othersToken))).toEqual({
      status: 403,
      text: '{"code":"FORBIDDEN","message":"The playback token is not valid."}',
    });
  }
});

test('when the token ends in the middle, the page goes on at that place with a new one', async () => {
  await page.goto(pageUrl());
  const granted = page.waitForResponse(/\/tokens$/);
  await watch();
  const { token } = (await (await granted).json()) as { token: string };
  await pictureAt(0);

  const body = '{"code":"FORBIDDEN","message":"The playback token has expired."}';
  const headers = { 'access-control-allow-origin': '*' };
  await page.route(`**/v/${token}/**`, (route) => route.fulfill({ status: 403, headers, body }));
  const renewed = page.waitForResponse(/\/tokens$/);
  await page.evaluate((seconds) => void (document.querySelector('video')!.currentTime = seconds), LATE);
  expect((await renewed).status()).toBe(201);
  await pictureAt(LATE);
});

test('a token that is refused at once is not asked for again and again: the page says a sentence', async () => {
  let asked = 0;
  page.on('request', (request) => void (request.url().endsWith('/tokens') && (asked += 1)));
  await page.route('**/v/**', (route) =>
    route.fulfill({ status: 403, headers: { 'access-control-allow-origin': '*' } }),
  );
  await page.goto(pageUrl());
  await watch();
  await page.getByText('The permission to watch this video has ended.').waitFor();
  expect(asked).toBe(1);
});

test.each([
  [403, 'Forbidden'],
  [401, 'Unauthorized'],
])('a key that the gateway refuses by %i, in its own words, is asked for again', async (status, message) => {
  await page.route('**/config.json', (route) => route.fulfill({ json: { testClip: false, signIn: 'key' } }));
  await page.route('**/api/session', (route) =>
    route.request().headers()['authorization'] === 'Bearer key'
      ? route.continue()
      : route.fulfill({ status, json: { message } }),
  );
  await page.goto(pageUrl());
  await page.locator('#key').fill('mistyped');
  await page.locator('#key').press('Enter');
  await page.getByText('The server did not accept this key.').waitFor();
  await page.locator('#key').fill('key');
  await page.locator('#key').press('Enter');
  await page.getByTestId('video').first().waitFor();
});
