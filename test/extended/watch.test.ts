// The page of one video, alone and in somebody else's, in Chromium.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { newVideoId } from '../../core/artifacts/keys.ts';
import { openBrowser } from '../support/browser.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { pictureAt as screenAt } from '../support/screen.ts';
import { startSystem, untilStatus, uploadFile } from '../support/system.ts';
import type { Granted, System } from '../support/system.ts';

const SECONDS = 60;
const TITLE = 'Tom & "Jerry" <3.mp4';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let film: Granted;
let upright: Granted;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, TITLE);
  const colour = (name: string) => ['-f', 'lavfi', '-i', `color=${name}:s=854x480:r=25:d=${SECONDS / 2}`];
  await ffmpeg(
    ...[...colour('red'), ...colour('blue'), '-f', 'lavfi', '-i', `sine=440:d=${SECONDS}`],
    ...['-filter_complex', '[0:v][1:v]concat[v]', '-map', '[v]', '-map', '2:a'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path],
  );
  system = await startSystem(join(directory.path, 'data'), { PREWARM: 'none' });
  film = await uploadFile(system, path);
  const tall = join(directory.path, 'upright.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'color=green:s=360x640:r=25:d=2', '-c:v', 'libx264', tall);
  upright = await uploadFile(system, tall);
  await untilStatus(upright, ({ renditions }) => renditions.length > 0);
  browser = await openBrowser();
});
beforeEach(async () => {
  context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  page = await context.newPage();
  complaints.length = 0;
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== system.baseUrl) complaints.push(`asks ${origin}`);
  });
});
afterEach(() => context.close());
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await directory.remove();
});

const open = (query = '') => page.goto(`${system.baseUrl}/watch/${film.id}${query}`);
const bar = () => page.getByRole('group', { name: 'Player' });

/** A value of the <video>, once it is as wanted. */
const until = (wanted: string): Promise<unknown> =>
  page.locator('video').evaluate(
    async (video: HTMLVideoElement, [name, comparison, value]) => {
      const holds = () => {
        const found = video[name as 'currentTime'] as number | boolean | string;
        return comparison === '>=' ? Number(found) >= Number(value) : String(found) === value;
      };
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    wanted.split(' ') as [string, string, string],
  );

const pictureAt = (seconds: number) => screenAt(page.locator('video'), seconds);

async function play(): Promise<void> {
  await bar().getByRole('button', { name: 'Play' }).click();
  await until('paused = false');
}

/** Moves the mouse to where the slider's thumb, 14 px wide, would be at `seconds`; returns where that is. */
async function pointAt(seconds: number): Promise<{ x: number; y: number }> {
  const box = (await bar().getByLabel('Position').boundingBox())!;
  const point = { x: box.x + 7 + (box.width - 14) * (seconds / SECONDS), y: box.y + box.height / 2 };
  await page.mouse.move(point.x, point.y);
  return point;
}

test('it plays, asks nobody else for anything, and needs no looser policy', async () => {
  await open();
  await play();
  const [red] = await pictureAt(0);
  expect(red).toBeGreaterThan(200);
  expect(complaints).toEqual([]);
  expect(await bar().getByLabel('Captions').isVisible()).toBe(false);
});

test('it begins where the link says', async () => {
  await open('?t=40');
  await play();
  const [, , blue] = await pictureAt(40);
  expect(blue).toBeGreaterThan(200);
});

test('the large button stays until it is pressed, wherever the film begins', async () => {
  await open('?t=40');
  await until('currentTime >= 40');
  const button = page.locator('[data-control=big-play]');
  await button.click();
  await until('paused = false');
  await bar().getByRole('button', { name: 'Pause' }).click();
  await until('paused = true');
  await button.waitFor({ state: 'hidden' });
});

test('the frame has the shape of the film before anything of it has come', async () => {
  await page.route('**/v/**', () => undefined); // never answered
  await page.setViewportSize({ width: 360, height: 2000 });
  await page.goto(`${system.baseUrl}/watch/${upright.id}`, { waitUntil: 'domcontentloaded' });
  const { width, height } = (await page.locator('#frame').boundingBox())!;
  expect(height / width).toBeCloseTo(16 / 9, 1);
});

test('on a phone the whole bar fits the frame', async () => {
  await page.setViewportSize({ width: 360, height: 780 });
  await open();
  await play();
  await bar().getByLabel('Quality').waitFor();
  const frame = (await page.locator('#frame').boundingBox())!;
  const parts = bar().locator('button:visible, select:visible, .time');
  expect(await parts.count()).toBe(6);
  for (const part of await parts.all()) {
    const { x, y, width, height } = (await part.boundingBox())!;
    expect([x >= frame.x, x + width <= frame.x + frame.width]).toEqual([true, true]);
    expect([y >= frame.y, y + height <= frame.y + frame.height]).toEqual([true, true]);
  }
});

test('previews of links are told what it is, whatever its file is called', async () => {
  const html = await (await open())!.text();
  expect(html).not.toContain('<3.mp4');
  const tags = await page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('meta[property]')].map((tag) => [
        tag.getAttribute('property'),
        tag.getAttribute('content'),
      ]),
    ),
  );
  expect(tags).toMatchObject({
    'og:title': TITLE,
    'og:type': 'video.other',
    'og:url': `${system.baseUrl}/watch/${film.id}`,
    'og:image': expect.stringContaining(`${system.baseUrl}/v/${film.id}/`),
    'video:duration': String(SECONDS),
  });
  expect(await page.title()).toBe(TITLE);
  const poster = await fetch(tags['og:image']!);
  expect(poster.headers.get('content-type')).toBe('image/jpeg');
});

test('who comes back goes on where he stopped', async () => {
  await open();
  await play();
  await page.locator('video').evaluate((video: HTMLVideoElement) => void (video.currentTime = 33));
  await until('currentTime >= 34');
  await page.locator('video').evaluate((video: HTMLVideoElement) => video.pause());
  await page.reload();
  await play();
  await until('currentTime >= 1'); // not where it stands before anything is sought
  expect(
    await page.locator('video').evaluate((video: HTMLVideoElement) => video.currentTime),
  ).toBeGreaterThan(32);
});

test('quality and speed can be chosen', async () => {
  await open();
  await play();
  const quality = bar().getByLabel('Quality');
  const names = (await quality.locator('option').allTextContents()).map((name) => name.replace(/ \(.*/, ''));
  expect(names).toEqual(['Auto', '480p', '360p', '234p']);
  await quality.selectOption('480p');
  await until('videoHeight = 480');
  await quality.selectOption('360p');
  await until('videoHeight = 360');
  await bar().getByLabel('Speed').selectOption('1.5×');
  await until('playbackRate = 1.5');
});

test('the keys do what they do elsewhere', async () => {
  await open();
  await play();
  await page.locator('#frame').focus();
  await page.keyboard.press('k');
  await until('paused = true');
  await page.keyboard.press('5');
  await until('currentTime = 30');
  await page.keyboard.press('ArrowRight');
  await until('currentTime = 35');
  await page.keyboard.press('j');
  await until('currentTime = 25');
  await page.keyboard.press('m');
  await until('muted = true');
  await page.keyboard.press('>');
  await until('playbackRate = 1.25');
  await page.keyboard.press(' ');
  await until('paused = false');
  await page.keyboard.press('f');
  await bar().getByRole('button', { name: 'Leave full screen' }).waitFor();
  await page.keyboard.press('f');
  await bar().getByRole('button', { name: 'Full screen', exact: true }).waitFor();
});

test('whoever points at a time sees its picture', async () => {
  await open();
  await play();
  const shownAt = async (seconds: number, clock: string) => {
    await pointAt(seconds);
    await page.locator('.preview', { hasText: clock }).waitFor();
    const { width, height, backgroundImage, backgroundPosition } = await page
      .locator('.preview .tile-picture')
      .evaluate(async (element) => {
        // It comes with the storyboard, which comes when first asked for.
        while (getComputedStyle(element).backgroundImage === 'none')
          await new Promise((resolve) => setTimeout(resolve, 20));
        const { width, height, backgroundImage, backgroundPosition } = getComputedStyle(element);
        return { width, height, backgroundImage, backgroundPosition };
      });
    expect([parseInt(width), parseInt(height)].every((side) => side > 50)).toBe(true);
    // The middle of the tile, from the sheet itself.
    return page.evaluate(
      async ([url, x, y]) => {
        const sheet = new Image();
        sheet.src = url;
        await sheet.decode();
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [1, 1];
        const context = canvas.getContext('2d')!;
        context.drawImage(sheet, x, y, 1, 1, 0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
      },
      [
        /url\("(.+)"\)/.exec(backgroundImage)![1]!,
        parseInt(width) / 2 - parseInt(backgroundPosition.split(' ')[0]!),
        parseInt(height) / 2 - parseInt(backgroundPosition.split(' ')[1]!),
      ] as [string, number, number],
    );
  };
  expect((await shownAt(15, '0:15'))[0]).toBeGreaterThan(200);
  expect((await shownAt(45, '0:45'))[2]).toBeGreaterThan(200);
});

test('pictures of the very ends stay within the frame', async () => {
  await open();
  await play();
  const frame = (await page.locator('#frame').boundingBox())!;
  for (const [seconds, clock] of [
    [0, '0:00'],
    [SECONDS, '1:00'],
  ] as const) {
    await pointAt(seconds);
    const preview = page.locator('.preview', { hasText: clock });
    await preview.locator('.tile-picture').waitFor();
    const { x, width } = (await preview.boundingBox())!;
    expect(width).toBeGreaterThan(50);
    expect([x >= frame.x, x + width <= frame.x + frame.width]).toEqual([true, true]);
  }
});

test('whoever points somewhere and clicks comes to what was shown there', async () => {
  await open();
  await play();
  await bar().getByRole('button', { name: 'Pause' }).click();
  const { x, y } = await pointAt(57);
  const shown = (await page.locator('.preview span').textContent())!;
  await page.mouse.click(x, y);
  await until('currentTime >= 55');
  expect(await bar().locator('.time').textContent()).toBe(`${shown} / 1:00`);
});

test('whoever points before anything is known of the film is shown it then', async () => {
  let answer = (): void => undefined;
  const isAwaited = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/*.m3u8*', (route) => isAwaited.then(() => route.continue()));
  await open();
  await pointAt(15);
  answer();
  await page.locator('.preview', { hasText: '0:15' }).waitFor();
});

test('what can be copied is what works elsewhere', async () => {
  await open();
  await page.getByText('Share and embed').click();
  const copied = async (name: string) => {
    await page.getByRole('button', { name: `Copy ${name}`, exact: true }).click();
    await page.getByText(`${name} copied`).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  expect(await copied('Link')).toBe(`${system.baseUrl}/watch/${film.id}`);
  expect(await copied('HLS address')).toBe(film.playbackUrl);
  expect(await copied('hls.js')).toContain(`const url = '${film.playbackUrl}';`);

  const embed = await copied('Embed');
  const foreign = createServer((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(
      `<!doctype html>${embed}<iframe id="whole" src="${system.baseUrl}/watch/${film.id}"></iframe>`,
    );
  });
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  try {
    await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}`);
    expect(await page.locator('iframe').first().getAttribute('title')).toBe(TITLE);
    const frame = page.frameLocator('iframe >> nth=0');
    await frame.locator('[data-control=big-play]').click();
    await frame.locator('video').evaluate(async (video: HTMLVideoElement) => {
      await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    });
    // The page of the video itself stands in nobody's frame.
    expect(complaints.filter((text) => text.includes('frame-ancestors'))).not.toEqual([]);
  } finally {
    foreign.close();
  }
});

test('what the browser does not copy is there to be copied by hand', async () => {
  await page.addInitScript(() => {
    navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
  });
  await open();
  await page.getByText('Share and embed').click();
  await page.getByRole('button', { name: 'Copy HLS address' }).click();
  await page.locator('.snippet').getByText('The browser did not allow copying.').waitFor();
  expect(await page.evaluate(() => String(getSelection()))).toBe(film.playbackUrl);
});

test.each([
  ['watch', 'an id that was never given out', () => newVideoId(new Date())],
  ['watch', 'what is no id', () => 'x'],
  ['embed', 'an id that was never given out', () => newVideoId(new Date())],
])('/%s of %s says so, in words and by its status', async (path, _, id) => {
  const answer = await page.goto(`${system.baseUrl}/${path}/${id()}`);
  expect(answer!.status()).toBe(404);
  await page.getByText('There is no such video.').waitFor();
});
