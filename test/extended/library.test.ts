// The list of videos, and whether all pages can be used by everybody: by axe, in light and dark, on phones and desks.

import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page, Route } from 'playwright-core';
import { newVideoId } from '../../core/artifacts/keys.ts';
import { openBrowser } from '../support/browser.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { startSystem, untilStatus, uploadFile } from '../support/system.ts';
import type { Granted, System } from '../support/system.ts';

const UNFINISHED = 44;
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let film: Granted;
let song: Granted;
let story: Granted;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = (name: string) => join(directory.path, name);
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'color=red:s=640x360:r=25:d=6', '-c:v', 'libx264', path('a film.mp4')],
  );
  await ffmpeg('-f', 'lavfi', '-i', 'sine=440:d=6', path('a song.mp3'));
  await writeFile(path('a story.mp4'), 'Once upon a time.\n'.repeat(50));
  system = await startSystem(path('data'), { PREWARM: 'none' });
  for (let index = 0; index < UNFINISHED; index += 1) await granted(`${index}.mp4`);
  story = await uploadFile(system, path('a story.mp4'));
  song = await uploadFile(system, path('a song.mp3'));
  film = await uploadFile(system, path('a film.mp4'));
  for (const video of [song, film]) await untilStatus(video, ({ state }) => state === 'ready');
  browser = await openBrowser();
});
beforeEach(() => visit());
afterEach(() => context.close());
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await directory.remove();
});

async function visit(options: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
  context = await browser.newContext(options);
  page = await context.newPage();
}

/** A video whose file never comes. */
async function granted(filename: string): Promise<void> {
  await fetch(`${system.baseUrl}/api/uploads`, {
    method: 'POST',
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
    body: JSON.stringify({ filename, contentType: 'video/mp4', sizeBytes: 1000 }),
  });
}

const row = (title: string) => page.getByTestId('video').filter({ hasText: title });
const titles = () =>
  page
    .getByTestId('video')
    .locator('.row-title')
    .evaluateAll((elements) => elements.map((element) => element.getAttribute('title')));

test.each<[string, (route: Route) => Promise<void>]>([
  ['broke off', (route) => route.abort('connectionreset')],
  ['was refused by a busy server', (route) => route.fulfill({ status: 503, body: '' })],
])('the list comes by itself after it %s a few times', async (_, fail) => {
  let failures = 4;
  await page.route('**/api/videos?*', (route) => ((failures -= 1) >= 0 ? fail(route) : route.continue()));
  await page.goto(system.baseUrl);
  await row('a film').waitFor();
});

test('the newest is first, with its picture, its length and its state', async () => {
  await page.goto(system.baseUrl);
  await row('a film').waitFor();
  expect((await titles()).slice(0, 4)).toEqual(['a film.mp4', 'a song.mp3', 'a story.mp4', '43.mp4']);
  expect(await row('a film').textContent()).toMatch(/0:06.*Ready/);
  const poster = row('a film').locator('img');
  await poster.evaluate((image: HTMLImageElement) => image.decode());
  expect(
    await poster.evaluate((image: HTMLImageElement) => {
      const canvas = document.createElement('canvas');
      canvas.getContext('2d')!.drawImage(image, 0, 0, 1, 1);
      return canvas.getContext('2d')!.getImageData(0, 0, 1, 1).data[0];
    }),
  ).toBeGreaterThan(200);
  expect(await row('a song').locator('img').count()).toBe(0);
  expect(await row('a story').textContent()).toContain('The file is not a video or audio file that we know.');
  expect(await row('43.mp4').textContent()).toContain('Upload not finished');
});

describe('the list goes on', () => {
  const last = () => page.locator('.row-title[title="0.mp4"]');
  const showMore = () => page.getByRole('button', { name: 'Show more' });

  test('where its end comes into view, as far as there are videos', async () => {
    await page.goto(system.baseUrl);
    await row('a film').waitFor();
    expect(await page.getByTestId('video').count()).toBe(20);
    while (!(await last().isVisible())) {
      await page.mouse.wheel(0, 5000);
      await page.waitForTimeout(50);
    }
    expect(await page.getByTestId('video').count()).toBe(UNFINISHED + 3);
    expect(await showMore().isVisible()).toBe(false);
  });

  test('until a tall screen is full', async () => {
    await page.setViewportSize({ width: 1280, height: 6000 });
    await page.goto(system.baseUrl);
    await last().waitFor();
  });

  test('for keys, at the first of what has come', async () => {
    await page.goto(system.baseUrl);
    await row('a film').waitFor();
    await showMore().press('Enter');
    await page.locator('.row-title[title="26.mp4"]:focus').waitFor();
  });

  test('after it broke off, with nothing lost', async () => {
    let isBroken = true;
    await page.route('**/api/videos?*cursor*', (route) =>
      isBroken ? route.fulfill({ status: 503, body: '' }) : route.continue(),
    );
    await page.goto(system.baseUrl);
    await row('a film').waitFor();
    await showMore().press('Enter');
    await page.getByText('The rest of the list could not be loaded.').waitFor();
    expect(await page.getByTestId('video').count()).toBe(20);
    const again = page.getByRole('button', { name: 'Try again' });
    await again.press('Enter');
    await again.waitFor();
    isBroken = false;
    await again.press('Enter');
    await page.locator('.row-title[title="26.mp4"]:focus').waitFor();
    expect(await again.isVisible()).toBe(false);
  });
});

test('a picture that does not come leaves the symbol', async () => {
  await page.route('**/poster.jpg*', (route) => route.fulfill({ status: 503, body: '' }));
  await page.goto(system.baseUrl);
  await row('a film').waitFor();
  await row('a film').locator('img').waitFor({ state: 'detached' });
  expect(await row('a film').locator('.tile .icon').isVisible()).toBe(true);
});

test('each video has a page of its own', async () => {
  await page.goto(system.baseUrl);
  await page.getByRole('link', { name: 'Open the page of a film.mp4' }).click();
  await page.waitForURL(`${system.baseUrl}/watch/${film.id}`);
  await page.getByRole('heading', { name: 'a film.mp4' }).waitFor();
  await page.goBack();
  expect(await row('a story').getByRole('link').count()).toBe(0);
});

test('what cannot be played cannot be shared', async () => {
  await page.goto(`${system.baseUrl}/watch/${story.id}`);
  await page.getByText('The file is not a video or audio file that we know.').waitFor();
  expect(await page.getByText('Share and embed').count()).toBe(0);
});

test('a video is deleted after a yes, and only then', async () => {
  await granted('to be deleted.mp4');
  await page.goto(system.baseUrl);
  const ask = () => page.getByRole('button', { name: 'Delete to be deleted.mp4' }).click();
  const dialog = page.getByRole('dialog');
  await ask();
  expect(await dialog.textContent()).toContain('to be deleted.mp4 will be gone');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await ask();
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await dialog.waitFor({ state: 'hidden' });
  expect(await row('to be deleted').count()).toBe(1);
  await ask();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await row('to be deleted').waitFor({ state: 'detached' });
  await page.reload();
  await row('a film').waitFor();
  expect(await row('to be deleted').count()).toBe(0);
});

describe('everybody can use', () => {
  const playing = () =>
    page.locator('video').evaluate(async (video: HTMLVideoElement) => {
      await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    });
  const PAGES: [string, () => Promise<unknown>][] = [
    [
      'the list',
      async () => {
        await page.goto(system.baseUrl);
        await row('a film').waitFor();
      },
    ],
    [
      'a list with nothing in it',
      async () => {
        await page.route('**/api/videos?*', (route) => route.fulfill({ json: { videos: [] } }));
        await page.goto(system.baseUrl);
        await page.getByText('Nothing here yet').waitFor();
      },
    ],
    [
      'the form to sign in',
      async () => {
        await page.route('**/config.json', (route) =>
          route.fulfill({ json: { testClip: false, signIn: 'key' } }),
        );
        await page.goto(system.baseUrl);
        await page.getByLabel('API key').waitFor();
      },
    ],
    [
      'the question before a deletion',
      async () => {
        await page.goto(system.baseUrl);
        await page.getByRole('button', { name: 'Delete a film.mp4' }).click();
        await page.getByRole('dialog').waitFor();
      },
    ],
    [
      'an upload that is refused',
      async () => {
        await page.route('**/api/uploads', (route) =>
          route.fulfill({ status: 413, json: { code: 'TOO_LARGE', message: 'It is too large.' } }),
        );
        await page.goto(system.baseUrl);
        await page.locator('#file-input').setInputFiles(join(directory.path, 'a film.mp4'));
        await page.getByText('The file is too large.').waitFor();
      },
    ],
    [
      'a video that plays in the list',
      async () => {
        await page.goto(system.baseUrl);
        await row('a film').getByRole('button').first().click();
        await playing();
      },
    ],
    [
      "a video's page",
      async () => {
        await page.goto(`${system.baseUrl}/watch/${film.id}`);
        await page.getByText('Share and embed').click();
        await page.getByText('HLS address').waitFor();
      },
    ],
    [
      "a song's page",
      async () => {
        await page.goto(`${system.baseUrl}/watch/${song.id}`);
        await page.getByText('Sound only').waitFor();
      },
    ],
    [
      'a page of no video',
      async () => {
        await page.goto(`${system.baseUrl}/watch/${newVideoId(new Date())}`);
        await page.getByText('There is no such video.').waitFor();
      },
    ],
    ['an embed', () => page.goto(`${system.baseUrl}/embed/${film.id}`)],
  ];
  const SCREENS = [
    ['a phone, light', { width: 360, height: 780 }, 'light'],
    ['a desk, dark', { width: 1280, height: 800 }, 'dark'],
  ] as const;

  test.each(PAGES)('%s', async (_, show) => {
    for (const [screen, viewport, colorScheme] of SCREENS) {
      await context.close();
      // For axe itself, which comes as a script of nobody's; the pages' policy is held by the other tests.
      await visit({ viewport, colorScheme, reducedMotion: 'reduce', bypassCSP: true });
      await show();
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() =>
        (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
      );
      const found = violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`);
      expect([screen, found]).toEqual([screen, []]);
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect([screen, beyond]).toEqual([screen, 0]);
    }
  });
});
