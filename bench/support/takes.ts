// What a checkout makes of a source, in one of two ways, fetched as a player fetches it. The checkout is known by its HTTP
// interface only.

import { join } from 'node:path';
import { bytesAt, renditionsAt } from '../../test/support/hls.ts';
import { startSystem, untilStatus, uploadFile } from '../../test/support/system.ts';
import type { System } from '../../test/support/system.ts';

/** Ahead of time, many segments by one process; or each by one of its own, when it is asked for, the last one first. */
export const WAYS = ['prewarmed', 'on demand'] as const;
export type Way = (typeof WAYS)[number];

export interface Checkout {
  /** Facts about the other one are requirements on this one. */
  name: 'this' | 'other';
  folder: string;
}

/** A running checkout, set to make things in one of the ways. */
export interface Maker {
  checkout: Checkout['name'];
  way: Way;
  system: System;
}

export interface Take extends Pick<Maker, 'checkout' | 'way'> {
  /** Code and sentence where the checkout refuses the source; then there is nothing else. */
  refusal: string;
  master: string;
  renditions: Map<string, TakenRendition>;
  /** Poster, thumbnails and sheets of the storyboard, by names that are the same in all checkouts. */
  stills: Map<string, Buffer>;
  storyboard: string;
}

export interface TakenRendition {
  playlist: string;
  kind: 'ts' | 'aac';
  segments: Buffer[];
}

/** `this prewarmed` */
export const nameOf = ({ checkout, way }: Pick<Maker, 'checkout' | 'way'>): string => `${checkout} ${way}`;

export async function startMaker(
  { name: checkout, folder }: Checkout,
  way: Way,
  directory: string,
): Promise<Maker> {
  const settings = { PREWARM: way === 'prewarmed' ? 'all' : 'none' };
  const system = await startSystem(join(directory, nameOf({ checkout, way })), settings, folder);
  return { checkout, way, system };
}

export async function takeOf(source: string, { checkout, way, system }: Maker): Promise<Take> {
  const video = await uploadFile(system, source);
  const status = await untilStatus(video, ({ state }) => state === 'ready' || state === 'failed', 1000);
  const take: Take = {
    ...{ checkout, way, refusal: '', master: '', storyboard: '' },
    ...{ renditions: new Map(), stills: new Map() },
  };
  if (status.state === 'failed') {
    return { ...take, refusal: `${status.error?.code}: ${status.error?.message}` };
  }
  take.master = (await bytesAt(video.playbackUrl)).toString();
  for (const [rendition, { playlist, segments }] of await renditionsAt(video.playbackUrl)) {
    const urls = segments.map(({ url }) => url);
    const kind = urls[0]!.endsWith('.aac') ? 'aac' : 'ts';
    take.renditions.set(rendition, { playlist, kind, segments: await fetched(urls, way) });
  }
  return { ...take, ...(await stillsOf(status)) };
}

/** One after another, so that those that are not there yet are made alone. */
async function fetched(urls: readonly string[], way: Way): Promise<Buffer[]> {
  const order = [...urls.keys()];
  if (way === 'on demand') order.reverse();
  const segments: Buffer[] = [];
  for (const index of order) segments[index] = await bytesAt(urls[index]!);
  return segments;
}

interface StillUrls {
  posterUrl: string | null;
  storyboardUrl: string | null;
}

async function stillsOf({
  posterUrl,
  storyboardUrl,
}: StillUrls): Promise<Pick<Take, 'stills' | 'storyboard'>> {
  const stills = new Map<string, Buffer>();
  if (!posterUrl || !storyboardUrl) return { stills, storyboard: '' };
  const [poster, track] = [await redirected(posterUrl), await redirected(storyboardUrl)];
  stills.set('poster', poster.bytes);
  // Checkouts may keep sheets at different addresses, so they are numbered here.
  const sheets: string[] = [];
  const storyboard = track.bytes.toString().replace(/^(\S+)(?=#xywh=)/gm, (target) => {
    if (!sheets.includes(target)) sheets.push(target);
    return `sheet ${sheets.indexOf(target)}`;
  });
  for (const [index, sheet] of sheets.entries()) {
    stills.set(`sheet ${index}`, await bytesAt(new URL(sheet, track.url).href));
  }
  const cues = [...storyboard.matchAll(/^(\d+):(\d+):(\d+)\.000 -->/gm)].map(
    ([, hours, minutes, seconds]) => (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds),
  );
  // Thumbnails lie in a folder beside that of the sheets.
  const folder = new URL(sheets[0]!, track.url);
  for (const seconds of new Set([cues[0]!, cues[cues.length >> 1]!, cues.at(-1)!])) {
    stills.set(`thumbnail ${seconds}`, await bytesAt(new URL(`../thumb/${seconds}.jpg`, folder).href));
  }
  return { stills, storyboard };
}

async function redirected(url: string): Promise<{ url: string; bytes: Buffer }> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return { url: answer.url, bytes: Buffer.from(await answer.arrayBuffer()) };
}
