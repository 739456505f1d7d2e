// How long Chromium takes to show a picture: on our page after an upload, and with hls.js as it comes after a seek.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type Hls from 'hls.js';
import type { Page } from 'playwright-core';

/** Uploads a file on our page and waits for its first picture. */
export async function firstPictureOnPage(
  page: Page,
  baseUrl: string,
  path: string,
): Promise<{ sinceUpload: number; sinceChosen: number }> {
  await page.addInitScript(watchUploadAndPictures);
  await page.goto(baseUrl);
  await page.locator('#file-input').setInputFiles(path);
  return page.evaluate(async () => {
    const noted = window as unknown as Record<string, number>;
    // Not waitForFunction: it evaluates text, which the page's policy forbids.
    while (noted['firstPictureMs'] === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    return {
      sinceUpload: (noted['firstPictureMs'] - noted['uploadEndMs']!) / 1000,
      sinceChosen: (noted['firstPictureMs'] - noted['chosenMs']!) / 1000,
    };
  });
}

/** Runs in the page, before its own code. */
function watchUploadAndPictures(): void {
  const noted = window as unknown as Record<string, number>;
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...args) {
    // The last byte (of the last part) has left; the store's answer is still to come.
    this.upload.addEventListener('load', () => (noted['uploadEndMs'] = performance.now()));
    send.apply(this, args);
  };
  document.addEventListener('change', () => (noted['chosenMs'] ??= performance.now()), { capture: true });
  const onPicture = (event: Event) =>
    (event.target as HTMLVideoElement).requestVideoFrameCallback((now) => (noted['firstPictureMs'] ??= now));
  document.addEventListener('loadstart', onPicture, { capture: true, once: true });
}

/** A page with a <video> and the hls.js package, and nothing else. */
export async function serveHlsJs(): Promise<{ url: string; close(): void }> {
  const script = await readFile(fileURLToPath(import.meta.resolve('hls.js/dist/hls.min.js')));
  const server = createServer(({ url }, response) => {
    const isScript = url === '/hls.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? script : '<!doctype html><video autoplay controls></video><script src="/hls.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What the page of `serveHlsJs` keeps. */
interface HlsJsWindow {
  Hls: typeof Hls;
  broken: Promise<never>;
}

/** Plays from the start; resolves when the first `seconds` are buffered. */
export async function playInHlsJs(
  page: Page,
  playerUrl: string,
  masterUrl: string,
  seconds: number,
): Promise<void> {
  await page.goto(playerUrl);
  await page.evaluate(
    async ({ masterUrl, seconds }) => {
      const kept = window as unknown as HlsJsWindow;
      const video = document.querySelector('video')!;
      const hls = new kept.Hls();
      kept.broken = new Promise((_resolve, reject) =>
        hls.on(kept.Hls.Events.ERROR, (_event, { fatal, details }) => {
          if (fatal) reject(new Error(`hls.js gave up: ${details}`));
        }),
      );
      hls.loadSource(masterUrl);
      hls.attachMedia(video);
      const filled = async () => {
        while (video.buffered.length === 0 || video.buffered.end(0) < seconds)
          await new Promise((resolve) => setTimeout(resolve, 50));
      };
      await Promise.race([filled(), kept.broken]);
    },
    { masterUrl, seconds },
  );
}

/** From the seek to a picture of that place. */
export async function seekInHlsJs(page: Page, targetSeconds: number): Promise<number> {
  return page.evaluate(async (target) => {
    const video = document.querySelector('video')!;
    const begun = performance.now();
    video.currentTime = target;
    const shown = async () => {
      for (;;) {
        const mediaTime = await new Promise<number>((resolve) =>
          video.requestVideoFrameCallback((_now, frame) => resolve(frame.mediaTime)),
        );
        if (Math.abs(mediaTime - target) < 2) return (performance.now() - begun) / 1000;
      }
    };
    return Promise.race([shown(), (window as unknown as HlsJsWindow).broken]);
  }, targetSeconds);
}
