// Signing in on a page that is given no key, as on AWS, in Chromium.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { SESSION_COOKIE } from '../../core/access/session.ts';
import { openBrowser } from '../support/browser.ts';
import { temporaryDirectory } from '../support/media.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  directory = await temporaryDirectory();
  system = await startSystem(join(directory.path, 'data'));
  browser = await openBrowser();
});
beforeEach(async () => {
  context = await browser.newContext();
  await context.route('**/config.json', (route) =>
    route.fulfill({ json: { testClip: false, signIn: 'key' } }),
  );
  page = await context.newPage();
  await page.goto(system.baseUrl);
});
afterEach(() => context.close());
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await directory.remove();
});

async function signIn(key: string): Promise<void> {
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
const isIn = () => page.getByRole('heading', { name: 'Your videos' }).waitFor();
const isAsked = () => page.getByRole('heading', { name: 'Enter the API key' }).waitFor();

test('a wrong key is refused in words; the right one is kept where no script reads it', async () => {
  await isAsked();
  await signIn('mistyped');
  await page.getByText('The server did not accept this key.').waitFor();
  await signIn('key');
  await isIn();
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({
    name: SESSION_COOKIE,
    httpOnly: true,
    secure: true,
    sameSite: 'Strict',
    path: '/',
  });
  expect(
    await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })),
  ).toBe('{}');
});

test('who has signed in stays so on a later visit, and can upload, until he signs out', async () => {
  await signIn('key');
  await isIn();
  await page.reload();
  await isIn();
  await page
    .locator('#file-input')
    .setInputFiles({ name: 'a.mp4', mimeType: 'video/mp4', buffer: Buffer.from('x') });
  await page.getByTestId('video').filter({ hasText: 'a.mp4' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await isAsked();
  expect(await context.cookies()).toEqual([]);
  await page.reload();
  await isAsked();
});

test('a file that is dropped before one has signed in is sent afterwards', async () => {
  await isAsked();
  await page
    .locator('#file-input')
    .setInputFiles({ name: 'b.mp4', mimeType: 'video/mp4', buffer: Buffer.from('x') });
  await signIn('key');
  await page.getByTestId('video').filter({ hasText: 'b.mp4' }).waitFor();
});

test('what other sites and hosts have the browser ask for counts for nothing', async () => {
  await signIn('key');
  await isIn();
  // Another port is another origin of the same site: the browser sends the cookie, and says who asks.
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    for (const host of ['localhost', '127.0.0.1']) {
      const other = await context.newPage();
      const asked = other.waitForResponse((answer) => answer.url().endsWith('/api/videos'));
      await other.goto(`http://${host}:${port}`);
      await other.evaluate(
        (url) => void fetch(url, { credentials: 'include', mode: 'no-cors' }),
        `${system.baseUrl}/api/videos`,
      );
      expect((await asked).status()).toBe(401);
      const { cookie = '' } = await (await asked).request().allHeaders();
      expect(cookie.includes(SESSION_COOKIE)).toBe(host === 'localhost'); // the same site, but not the same origin
      await other.close();
    }
  } finally {
    server.close();
  }
});
