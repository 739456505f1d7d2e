// Large files on our own page, in Chromium: in parts, over lines that break, across visits.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { partsOnPage, storedUploads } from '../support/parts.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';

const MIB = 1024 * 1024;
/** Of 8 MiB each, the last one of less. */
const PARTS = [1, 2, 3];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let film: string;
let system: System;
let stored: Awaited<ReturnType<typeof storedUploads>>;
let browser: Browser;
let page: Page;
let parts: ReturnType<typeof partsOnPage>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  film = join(directory.path, 'film.mp4');
  const clip = join(directory.path, 'clip.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=5', '-f', 'lavfi', '-i', 'sine=440:d=5'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', clip],
  );
  await writeFile(film, Buffer.concat([await readFile(clip), freeBox(17 * MIB)]));
  system = await startSystem(join(directory.path, 'data'), { PREWARM: 'none' });
  stored = await storedUploads(system, join(directory.path, 'data'));
  browser = await openBrowser();
});
beforeEach(async () => {
  // A context of its own: what a page keeps in its browser is not for the next test.
  page = await (await browser.newContext()).newPage();
  parts = partsOnPage(page, system);
  await page.goto(system.baseUrl);
});
afterEach(() => page.context().close());
afterAll(async () => {
  await browser?.close();
  stored?.close();
  await system?.stop();
  await directory.remove();
});

/** A box of an MP4 file that means nothing (ISO/IEC 14496-12, 8.1.2), to make it as large as one likes. */
function freeBox(sizeBytes: number): Buffer {
  const box = Buffer.alloc(sizeBytes);
  box.writeUInt32BE(sizeBytes, 0);
  box.write('free', 4);
  return box;
}

/** Chooses files; resolves with the id that the first of them is granted. */
async function choose(...paths: string[]): Promise<string> {
  const granted = page.waitForResponse((answer) => new URL(answer.url()).pathname === '/api/uploads');
  await page.locator('#file-input').setInputFiles(paths);
  return ((await (await granted).json()) as { id: string }).id;
}

const status = () => page.locator('#status');

/** Until the video on the stage shows a picture. */
const playing = () =>
  page.evaluate(
    () =>
      new Promise<void>((resolve) =>
        document.querySelector('video')!.requestVideoFrameCallback(() => resolve()),
      ),
  );

const isWholeFilm = async (id: string): Promise<boolean> =>
  (await stored.bytes(id)).equals(await readFile(film));

/** The film's first two parts are there, and the third is on its way for as long as it is held. */
async function almostSent(): Promise<{ id: string; release(): Promise<void> }> {
  const { held, release } = await parts.hold(3);
  const id = await choose(film);
  await held;
  await stored.untilParts(id, [1, 2]);
  return { id, release };
}

test('a large file is sent in parts, all at once where there are few, and plays', async () => {
  const signed: string[] = [];
  page.on('request', (request) => {
    const size = new URL(request.url()).searchParams.get('size');
    if (size !== null) signed.push(size);
  });
  const holds = await Promise.all(PARTS.map((number) => parts.hold(number)));
  const id = await choose(film);
  await Promise.all(holds.map(({ held }) => held));
  await Promise.all(holds.map(({ release }) => release()));
  await playing();
  expect(await isWholeFilm(id)).toBe(true);
  const lastBytes = (await readFile(film)).length - 2 * 8 * MIB;
  expect(signed.sort()).toEqual([8 * MIB, 8 * MIB, lastBytes].map(String).sort());
  expect(await page.getByTestId('video').first().textContent()).toContain('film.mp4');
});

test('paused, it sends nothing; resumed, it sends what is missing', async () => {
  const { id, release } = await almostSent();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await release();
  expect(await status().textContent()).toBe('Paused');
  expect(await stored.openUploads(id)).toHaveLength(1);
  const sent = parts.sent();
  await page.getByRole('button', { name: 'Resume' }).click();
  await playing();
  expect(sent).toEqual([3]);
  expect(await isWholeFilm(id)).toBe(true);
});

test('while one is paused the next one goes', async () => {
  const { release } = await almostSent();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await release();
  await page.locator('#file-input').setInputFiles(join(directory.path, 'clip.mp4'));
  await page.getByTestId('video').filter({ hasText: 'clip.mp4' }).first().waitFor();
  expect(await status().textContent()).toBe('Paused');
  await page.getByRole('button', { name: 'Cancel' }).click();
});

test('after a reload it goes on when the same file is chosen again', async () => {
  const { id, release } = await almostSent();
  await page.reload();
  await release();
  const row = page.getByTestId('upload');
  await row.getByText('Choose the same file again').waitFor();
  expect(await row.textContent()).toContain('91 %');
  const sent = parts.sent();
  await page.locator('#file-input').setInputFiles(film);
  await playing();
  expect(sent).toEqual([3]);
  expect(await isWholeFilm(id)).toBe(true);
  await page.reload();
  await page.getByTestId('video').first().waitFor();
  expect(await row.count()).toBe(0);
});

test('another file than the one that was broken off is another upload', async () => {
  const { id, release } = await almostSent();
  await page.reload();
  await release();
  await page.getByTestId('upload').waitFor();
  expect(await choose(join(directory.path, 'clip.mp4'))).not.toBe(id);
  await playing();
  expect(await page.getByTestId('upload').textContent()).toContain('Choose the file');
  await page.getByTestId('upload').getByRole('button', { name: 'Cancel' }).click();
});

test('cancelled, while it is sent or on a later visit, it leaves nothing behind', async () => {
  const cancelled = async (id: string) => {
    const deleted = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect((await deleted).status()).toBe(204);
    await stored.untilForgotten(id);
    expect((await fetch(`${system.baseUrl}/api/videos/${id}`)).status).toBe(404);
  };
  const first = await almostSent();
  await cancelled(first.id);
  await first.release();

  const second = await almostSent();
  await page.reload();
  await second.release();
  await page.getByTestId('upload').waitFor();
  await cancelled(second.id);
  await page.reload();
  await page.getByText('Nothing here yet').or(page.getByTestId('video').first()).first().waitFor();
  expect(await page.getByTestId('upload').count()).toBe(0);
});

test('a busy store, an address that has expired and a line that breaks cost one more attempt each', async () => {
  await parts.answer(1, 503, '<Error><Code>SlowDown</Code></Error>');
  await parts.answer(
    2,
    403,
    '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>',
  );
  await parts.breakOff(3);
  const sent = parts.sent();
  const id = await choose(film);
  await playing();
  expect(sent.sort()).toEqual([1, 1, 2, 2, 3, 3]);
  expect(await isWholeFilm(id)).toBe(true);
});

test('where the token has ended the page asks for another', async () => {
  let isEnded = false;
  await page.route(
    (url) => url.pathname.endsWith('/2') && url.pathname.startsWith('/api/u/'),
    async (route) => {
      if (isEnded) return route.continue();
      isEnded = true;
      await route.fulfill({ status: 403, json: { code: 'UPLOAD_TOKEN_EXPIRED', message: 'It has ended.' } });
    },
  );
  const renewed = page.waitForResponse((answer) => new URL(answer.url()).pathname.endsWith('/tokens'));
  const id = await choose(film);
  expect((await renewed).status()).toBe(201);
  await playing();
  expect(await isWholeFilm(id)).toBe(true);
});

test('a file that has come, while nobody heard of it and the token ended, is not sent again and not lost', async () => {
  const { id, release } = await almostSent();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await release();
  const { uploadUrl, key, uploadId } = await page.evaluate(
    (name) => JSON.parse(localStorage.getItem(name)!) as Record<string, string>,
    `instant-hls.upload.${id}`,
  );
  const upload = `${uploadUrl}/s3/multipart/${uploadId}`;
  const query = `?key=${encodeURIComponent(key!)}`;
  const completed = await fetch(`${upload}/complete${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ parts: await (await fetch(upload + query)).json() }),
  });
  expect(completed.status).toBe(200);
  await page.route(`**/s3/multipart/**`, (route) =>
    route.fulfill({ status: 403, json: { code: 'UPLOAD_TOKEN_EXPIRED', message: 'It has ended.' } }),
  );
  const sent = parts.sent();
  const refused = page.waitForResponse((answer) => new URL(answer.url()).pathname.endsWith('/tokens'));
  await page.getByRole('button', { name: 'Resume' }).click();
  expect((await refused).status()).toBe(409);
  await page.locator(`[data-testid="video"][data-id="${id}"]`).waitFor();
  expect(sent).toEqual([]);
  expect((await fetch(`${system.baseUrl}/api/videos/${id}`)).status).toBe(200);
});

test('what the store refuses for good is told, and trying again goes on with what has come', async () => {
  let isRefusing = true;
  await page.route(
    (url) => url.searchParams.get('partNumber') === '2',
    async (route) => {
      if (isRefusing && route.request().method() === 'PUT') await route.fulfill({ status: 400 });
      else await route.continue();
    },
  );
  await choose(film);
  await page.getByText('The storage did not take the file (400).').waitFor();
  isRefusing = false;
  const sent = parts.sent();
  await page.getByRole('button', { name: 'Try again' }).click();
  await playing();
  expect(sent).toContain(2);
  expect(sent.length).toBeLessThan(PARTS.length);
});

test('what is too large for one request is sent in parts', async () => {
  await page.route('**/api/uploads', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), upload: null } });
  });
  const sent = parts.sent();
  await choose(join(directory.path, 'clip.mp4'));
  await playing();
  expect(sent).toEqual([1]);
});

test('two files at once are sent one after another, and both become videos', async () => {
  await page.locator('#file-input').setInputFiles([film, join(directory.path, 'clip.mp4')]);
  await page.getByText('Waiting for its turn').waitFor();
  await playing();
  await page.getByTestId('upload').waitFor({ state: 'detached' });
  const titles = await page.getByTestId('video').locator('.row-title').allTextContents();
  expect(titles.slice(0, 2).map((title) => title.split(',')[0])).toEqual(['clip.mp4', 'film.mp4']);
});
