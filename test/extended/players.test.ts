// Players of others play our stream: the snippets of docs/integrate.md as they stand there, with the packages as they are
// published, in Chromium and on a page of another origin. Playback is protected, so each of them carries the token along.

import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { build } from 'esbuild';
import type { Browser, Locator, Page } from 'playwright-core';
import { httpServer } from '../../local/http-server.ts';
import type { PlaybackGrant } from '../../pipeline/life/playback.ts';
import { openBrowser } from '../support/browser.ts';
import { renditionsAt } from '../support/hls.ts';
import type { Rendition } from '../support/hls.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { startSystem, storeClient, untilStatus, uploadFile } from '../support/system.ts';
import type { Granted, System } from '../support/system.ts';

const PLAYERS = ['The browser itself', 'hls.js', 'video.js', 'Shaka Player', 'media-chrome'] as const;
type Player = (typeof PLAYERS)[number];
const FRAME = 'The player of this site, in a frame';

const PLAY = readFileSync('docs/integrate.md', 'utf8').split('\n## Play\n')[1]!;

const SECONDS = 240;
/**
 * Where each of them is the first: in the blue half, before what those before it have fetched ahead, and in the middle of a
 * segment, as those of sound begin and end a little beside those of pictures.
 */
const PLACES = {
  'The browser itself': 222,
  'hls.js': 202,
  'video.js': 182,
  'Shaka Player': 162,
  'media-chrome': 142,
};
/** Longer than any of them waits by itself. */
const SLOW_MS = 11_000;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let store: S3Client;
let film: Granted;
let playback: PlaybackGrant;
let renditions: Map<string, Rendition>;
let pages: Server;
let browser: Browser;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'red then blue.mp4');
  // Few pictures a second, as they are only encoded to be looked at one by one; 480p, so that there is a choice of two.
  const colour = (name: string) => ['-f', 'lavfi', '-i', `color=${name}:s=854x480:r=10:d=${SECONDS / 2}`];
  await ffmpeg(
    ...[...colour('red'), ...colour('blue'), '-f', 'lavfi', '-i', `sine=440:d=${SECONDS}`],
    ...['-filter_complex', '[0:v][1:v]concat[v]', '-map', '[v]', '-map', '2:a'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path],
  );
  // Nothing is made ahead of time.
  system = await startSystem(join(directory.path, 'data'), { PREWARM: 'none', PLAYBACK: 'token' });
  store = await storeClient(system, join(directory.path, 'data'));
  film = await uploadFile(system, path);
  await untilStatus(film, ({ playable }) => playable);
  playback = await grantedByBackend();
  renditions = await renditionsAt(playback.playbackUrl);
  pages = await servePages();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  pages?.close();
  store?.destroy();
  await system?.stop();
  await directory.remove();
});

/** What the backend of the page gets. */
async function grantedByBackend(): Promise<PlaybackGrant> {
  const code = `${blockOf('Protected playback', 'js')}
    return { token, playbackUrl, posterUrl, storyboardUrl, expiresAt };`;
  const AsyncFunction = (async () => {}).constructor as new (...source: string[]) => Function;
  return new AsyncFunction('api', 'apiKey', 'id', code)(`${system.baseUrl}/api`, 'key', film.id);
}

/** A page for each player, and one for the frame, with no more in it than a reader would have. */
async function servePages(): Promise<Server> {
  const files = new Map<string, { type: string; body: string }>();
  for (const [index, player] of PLAYERS.entries()) {
    for (const [extension, body] of await bundled(blockOf(player, 'js'))) {
      const type = extension === '.js' ? 'text/javascript' : 'text/css';
      files.set(`/${index}${extension}`, { type, body });
    }
    const style = files.has(`/${index}.css`) ? `<link rel="stylesheet" href="${index}.css" />` : '';
    const { playbackUrl, posterUrl, storyboardUrl } = playback;
    const known = Object.entries({ playbackUrl, posterUrl, storyboardUrl })
      .map(([name, url]) => `const ${name} = ${JSON.stringify(url)};`)
      .join('');
    files.set(`/${index}`, {
      type: 'text/html',
      body: `<!doctype html><title>${player}</title><link rel="icon" href="data:," />
        ${style}${blockOf(player, 'html')}<script>${known}</script><script type="module" src="${index}.js"></script>`,
    });
  }
  const frame = { site: system.baseUrl, id: film.id, token: playback.token };
  files.set('/frame', {
    type: 'text/html',
    body: blockOf(FRAME, 'html').replace(/\{(\w+)\}/g, (_, name: keyof typeof frame) => frame[name]),
  });
  const server = httpServer(({ url = '' }, response) => {
    const file = files.get(url);
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' }).end(file?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** The one block of a language below a heading of the document. */
function blockOf(heading: string, language: 'html' | 'js'): string {
  const section = PLAY.split(`\n### ${heading}\n`)[1]?.split('\n### ')[0] ?? '';
  const blocks = [...section.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)\`\`\`$`, 'gm'))];
  if (blocks.length !== 1) throw new Error(`${heading}: ${blocks.length} blocks of ${language}, 1 expected`);
  return blocks[0]![1]!;
}

/** What a bundler makes of it, by extension. */
async function bundled(js: string): Promise<[string, string][]> {
  const { outputFiles } = await build({
    stdin: { contents: js, resolveDir: '.' },
    bundle: true,
    write: false,
    format: 'esm',
    outdir: '.',
  });
  return outputFiles.map(({ path, text }) => [path.endsWith('.css') ? '.css' : '.js', text]);
}

const pageUrl = (name: string | number) =>
  `http://127.0.0.1:${(pages.address() as AddressInfo).port}/${name}`;

async function open(player: Player, page: Page): Promise<void> {
  await page.goto(pageUrl(PLAYERS.indexOf(player)));
}

/** The <video>, wherever the player has put it: locators look into shadow roots. */
const videoOn = (page: Page): Locator => page.locator('video');

/** As a person would: when there is something to play. What plays before its player gives it a source is stopped by that. */
const play = (video: Locator) =>
  video.evaluate(async (element: HTMLVideoElement) => {
    if (element.readyState === 0)
      await new Promise((resolve) => element.addEventListener('loadedmetadata', resolve, { once: true }));
    await element.play();
  });

const seek = (video: Locator, seconds: number) =>
  video.evaluate((element: HTMLVideoElement, to) => void (element.currentTime = to), seconds);

/** Waits for a picture on the screen near `seconds`; resolves with its colour in the middle, as [r, g, b]. */
const pictureAt = (video: Locator, seconds: number): Promise<number[]> =>
  video.evaluate(async (element: HTMLVideoElement, wanted) => {
    const shown = (): Promise<number> =>
      new Promise((resolve) => element.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime)));
    while (Math.abs((await shown()) - wanted) > 3);
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [1, 1];
    const context = canvas.getContext('2d')!;
    context.drawImage(element, element.videoWidth / 2, element.videoHeight / 2, 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }, seconds);

/** Of each rendition, pictures or sound, the segment in which a place is. */
const segmentsAt = (seconds: number): { rendition: string; url: string }[] =>
  [...renditions].map(([rendition, { segments }]) => {
    let end = 0;
    return { rendition, url: segments.find((segment) => (end += segment.seconds) > seconds)!.url };
  });

/** In which renditions a place has been encoded. */
async function encodedAt(seconds: number): Promise<string[]> {
  const encoded: string[] = [];
  for (const { rendition, url } of segmentsAt(seconds)) {
    const Key = new URL(url).pathname.slice(1).replace(`${playback.token}/`, '');
    await store.send(new HeadObjectCommand({ Bucket: 'instant-hls-media', Key })).then(
      () => encoded.push(rendition),
      (error) => expect(error).toMatchObject({ $metadata: { httpStatusCode: 404 } }),
    );
  }
  return encoded;
}

test('every snippet of a page is run here', () => {
  const pages = [...PLAY.matchAll(/^### (.+)$(?:(?!^### )[^])*?^```html$/gm)].map(([, heading]) => heading);
  expect(pages).toEqual([...PLAYERS, FRAME]);
});

test.each(PLAYERS)('%s plays, and seeks to a place that nobody has encoded yet', async (player) => {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  const poster = page.waitForResponse(playback.posterUrl!);
  await open(player, page);
  expect((await poster).status()).toBe(200);
  await play(videoOn(page));
  const [red, , noBlue] = await pictureAt(videoOn(page), 0);
  expect(red).toBeGreaterThan(200);
  expect(noBlue).toBeLessThan(50);

  const place = PLACES[player];
  expect(await encodedAt(place)).toEqual([]);
  await seek(videoOn(page), place);
  const [noRed, , blue] = await pictureAt(videoOn(page), place + 4); // it has gone on, for which it needs sound
  expect(noRed).toBeLessThan(50);
  expect(blue).toBeGreaterThan(200);
  // Of which quality, the machine's speed decides.
  const [picture, sound] = [expect.stringMatching(/p$/), expect.stringMatching(/^audio-0/)];
  expect(await encodedAt(place)).toEqual(expect.arrayContaining([picture, sound]));
  expect(complaints).toEqual([]);
  await page.close();
});

test('told so, each library waits for a segment for longer than by itself, asks once, and goes on', async () => {
  // All at once, as they do nothing but wait.
  const asked = await Promise.all(
    PLAYERS.filter((player) => player !== 'The browser itself').map(async (player) => {
      const page = await browser.newPage();
      // What Chromium believes of the line to this machine differs from one start to the next. Without it video.js begins
      // as in other browsers: not with the lowest quality, which it has patience with anyway.
      await page.addInitScript(() => Object.defineProperty(navigator, 'connection', { value: undefined }));
      const requests: string[] = [];
      await page.route(/\/\d+p\/00000\.ts$/, async (route) => {
        requests.push(route.request().url());
        await sleep(SLOW_MS);
        await route.continue().catch(() => undefined); // given up meanwhile
      });
      await open(player, page);
      await play(videoOn(page));
      await pictureAt(videoOn(page), 5); // it plays on
      await page.close();
      return [player, requests.map((url) => url.split('/').at(-2))];
    }),
  );
  expect(Object.fromEntries(asked)).toEqual({
    'hls.js': [expect.any(String)],
    'video.js': ['480p'],
    'Shaka Player': [expect.any(String)],
    'media-chrome': [expect.any(String)],
  });
});

test('the controls of media-chrome play, pause, and show how long the film is and what is where', async () => {
  const page = await browser.newPage();
  await open('media-chrome', page);
  await page.locator('media-time-display[aria-description="0 seconds of 4 minutes"]').waitFor();
  await page.locator('media-play-button').click();
  await pictureAt(videoOn(page), 0);
  const preview = page.locator('media-preview-thumbnail img');
  // It comes with the storyboard, and goes with a pointer that rests: whoever looks for it moves about.
  for (let move = 0; !(await preview.isVisible()); move += 1) {
    await page.locator('media-time-range').hover({ position: { x: 100 + (move % 2) * 20, y: 5 } });
    await page.waitForTimeout(50);
  }
  expect(await preview.getAttribute('src')).toMatch(/\/storyboard\/\d+\.jpg$/);
  await page.locator('media-play-button').click();
  expect(await videoOn(page).evaluate((element: HTMLVideoElement) => element.paused)).toBe(true);
  await page.close();
});

test('the player of this site plays in a frame, from the place that the address says', async () => {
  const page = await browser.newPage();
  await page.goto(pageUrl('frame'));
  const frame = page.frameLocator('iframe');
  await frame.getByRole('button', { name: 'Play' }).first().click();
  const [red] = await pictureAt(frame.locator('video'), 90);
  expect(red).toBeGreaterThan(200);
  await page.close();
});
