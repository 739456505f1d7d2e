// How long after the end of an upload is the first picture on the screen? How long after a phone's clip was chosen? How
// long does a seek to a place never encoded take? And what does the usual way take: one ffmpeg command over the whole
// file, and then play?

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { withRangeServer } from '../adapters/range-server.ts';
import { planFor } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { probeSource } from '../pipeline/probe-source.ts';
import { openBrowser } from '../test/support/browser.ts';
import { binaries, fileSource, temporaryDirectory } from '../test/support/media.ts';
import { startSystem } from '../test/support/system.ts';
import { median, secondsOf } from './support/figures.ts';
import { cut, megabytes, minuteOfFilm, phoneClip, repeated } from './support/sources.ts';
import { encodeTheUsualWay } from './support/usual-way.ts';

const RUNS = 5;
const FILM_MINUTES = 30;
const CLIP_SECONDS = 10;
/** Far apart, and none where the prewarm begins. */
const SEEKS = [0.9, 0.45, 0.7];
/** The usual way is timed over so much of the film, and the rest is reckoned from it. */
const TIMED_SECONDS = 60;

const directory = await temporaryDirectory();
const browser = await openBrowser();
try {
  const minute = await minuteOfFilm(directory.path);
  const clip = await cut(minute, CLIP_SECONDS, join(directory.path, 'clip.mp4'));
  const phone = await phoneClip(directory.path);
  const film = await repeated(minute, FILM_MINUTES, join(directory.path, 'film.mp4'));
  for (const path of [clip, phone, film])
    console.log(`${path.split('/').at(-1)}: ${(await megabytes(path)).toFixed(0)} MB`);

  const firstPictures: Record<'clip' | 'phone' | 'film', number[]> = { clip: [], phone: [], film: [] };
  const sinceChoice: number[] = [];
  const seeks: number[] = [];
  // In turn, so that a machine that grows slower or faster meanwhile does so for both.
  for (let run = 0; run < RUNS; run += 1) {
    for (const [name, path] of [
      ['clip', clip],
      ['phone', phone],
      ['film', film],
    ] as const) {
      const system = await startSystem(join(directory.path, `${name}-${run}`));
      const page = await browser.newPage();
      page.setDefaultTimeout(120_000);
      try {
        const { sinceUpload, sinceChosen } = await timeToFirstPicture(page, system.baseUrl, path);
        firstPictures[name].push(sinceUpload);
        if (name === 'phone') sinceChoice.push(sinceChosen);
        if (name === 'film') for (const place of SEEKS) seeks.push(await timeToSeek(page, place));
      } finally {
        await page.close();
        await system.stop();
      }
    }
  }

  const usual = { clip: await usualWay(clip, CLIP_SECONDS), film: await usualWay(film, FILM_MINUTES * 60) };
  console.log('\nfrom the end of the upload to the first picture');
  console.log(
    `  10 s clip        ${secondsOf(firstPictures.clip)}; the usual way ${usual.clip.toFixed(1)} s`,
  );
  console.log(
    `  30 min film      ${secondsOf(firstPictures.film)}; the usual way ${usual.film.toFixed(0)} s, reckoned from its first minute`,
  );
  console.log(
    `  phone's clip     ${secondsOf(firstPictures.phone)}; from its choice ${secondsOf(sinceChoice)}`,
  );
  const ratio = median(firstPictures.film) / median(firstPictures.clip);
  console.log(`  film / clip      ${ratio.toFixed(2)} (wanted: at most 1.5)`);
  console.log(`seek to a place never encoded\n  30 min film      ${secondsOf(seeks)}`);
} finally {
  await browser.close();
  await directory.remove();
}

async function timeToFirstPicture(
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

/** From the click to a picture of that place. */
async function timeToSeek(page: Page, place: number): Promise<number> {
  await sleep(1000); // a viewer looks at the picture first
  return page.evaluate(async (share) => {
    const video = document.querySelector('video')!;
    const target = video.duration * share;
    const begun = performance.now();
    video.currentTime = target;
    for (;;) {
      const mediaTime = await new Promise<number>((resolve) =>
        video.requestVideoFrameCallback((_now, frame) => resolve(frame.mediaTime)),
      );
      if (Math.abs(mediaTime - target) < 5) return (performance.now() - begun) / 1000;
    }
  }, place);
}

async function usualWay(path: string, seconds: number): Promise<number> {
  const timed = Math.min(seconds, TIMED_SECONDS);
  const begun = performance.now();
  await encodeTheUsualWay(path, await planOfFile(path), join(directory.path, 'usual'), timed);
  return ((performance.now() - begun) / 1000) * (seconds / timed);
}

async function planOfFile(path: string): Promise<Plan> {
  const settings = { maxDurationSeconds: 3600, prewarm: 'all' } as const;
  return withRangeServer(await fileSource(path), async ({ url }) =>
    planFor(
      await probeSource(url, binaries),
      { kind: 'upload', sizeBytes: 1, etag: '', keyframeSeconds: 2 },
      settings,
    ),
  );
}
