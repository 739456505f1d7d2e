// Viewers who fetch what players fetch, again and again, and try again where players would. All that they are given is
// kept, to be held against what is right when that is known.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { oneOf, randomNumbers } from '../../test/support/random-numbers.ts';

export interface Watched {
  name: string;
  id: string;
  playbackUrl: string;
}

/** Different bytes that the same path was answered with. */
export type Answered = Map<string, { bytes: Buffer; times: number }>;

export interface Viewers {
  /** How often each kind of answer came: `200`, `503 STORE_UNAVAILABLE`, `broken`, `no answer`. */
  answers: Map<string, number>;
  /** Answers that no viewer may get, each with the time it first came. */
  wrong(): string[];
  /** By video id and path below it. */
  seen: Map<string, Map<string, Answered>>;
  slowestSeconds(): number;
  stop(): Promise<void>;
}

export interface ViewerOptions {
  count: number;
  seed: number;
  /** Before the first repetition; then twice as long each time. */
  retrySeconds: number;
  /** What one viewer waits between two requests, on average. */
  pauseSeconds: number;
  /** Whether nothing may fail, not even what a player tries again. */
  isStrict?: boolean;
  /** Whether an answer is one that a player can live with, beside good ones and those it tries again. */
  tolerates?(video: Watched, label: string): boolean;
}

/** Players try again at such answers, and where the connection breaks before there is one. */
const isPassing = (label: string): boolean => /^5\d\d|^no answer/.test(label);
const TIMEOUT_SECONDS = 120;
const MOST_RETRIES = 5;

export function startViewers(
  videos: readonly Watched[],
  { count, seed, retrySeconds, pauseSeconds, isStrict = false, tolerates = () => false }: ViewerOptions,
): Viewers {
  const answers = new Map<string, number>();
  const wrong = new Map<string, { first: Date; times: number; detail: string }>();
  const seen = new Map<string, Map<string, Answered>>();
  const stopping = new AbortController();
  let slowestSeconds = 0;

  const nap = (seconds: number): Promise<unknown> =>
    sleep(seconds * 1000, undefined, { signal: stopping.signal }).catch(() => undefined);

  /** Undefined where a player would give up. */
  async function fetched(video: Watched, path: string, range?: Range): Promise<Buffer | undefined> {
    for (let tries = 0; tries <= MOST_RETRIES && !stopping.signal.aborted; tries += 1) {
      const begun = performance.now();
      const answer = await answerOf(urlOf(video, path), range);
      slowestSeconds = Math.max(slowestSeconds, (performance.now() - begun) / 1000);
      answers.set(answer.label, (answers.get(answer.label) ?? 0) + 1);
      if (answer.bytes) {
        keep(video, range ? `${path} ${range.first}-${range.last}` : path, answer.bytes);
        return answer.bytes;
      }
      if ((isStrict || !isPassing(answer.label)) && !tolerates(video, answer.label)) {
        const what = `${video.name} ${path}: ${answer.label}`;
        const known = wrong.get(what) ?? { first: new Date(), times: 0, detail: answer.detail };
        wrong.set(what, { ...known, times: known.times + 1 });
      }
      if (!isPassing(answer.label) && answer.label !== 'broken') return undefined;
      await nap(retrySeconds * 2 ** tries);
    }
    return undefined;
  }

  function keep(video: Watched, path: string, bytes: Buffer): void {
    const paths = seen.get(video.id) ?? new Map<string, Answered>();
    seen.set(video.id, paths);
    const answered: Answered = paths.get(path) ?? new Map();
    paths.set(path, answered);
    const hash = createHash('sha1').update(bytes).digest('hex');
    const known = answered.get(hash);
    if (known) known.times += 1;
    else answered.set(hash, { bytes, times: 1 });
  }

  async function view(video: Watched, random: () => number): Promise<void> {
    while (!stopping.signal.aborted) {
      const master = (await fetched(video, 'master.m3u8'))?.toString();
      if (master) await viewSome(video, master, random);
      await nap(pauseSeconds * 2 * random());
    }
  }

  /** Some segments of a rendition, and now and then a picture. */
  async function viewSome(video: Watched, master: string, random: () => number): Promise<void> {
    const playlists = playlistsIn(master);
    if (playlists.length === 0) return; // it is wrong, and kept
    const path = oneOf(playlists, random);
    const playlist = (await fetched(video, path))?.toString();
    if (!playlist) return;
    const folder = path.replace(/[^/]*$/, '');
    const segments = playlist.split('\n').filter((line) => line && !line.startsWith('#'));
    for (let left = 4; left > 0 && segments.length > 0 && !stopping.signal.aborted; left -= 1) {
      const segment = `${folder}${oneOf(segments, random)}`;
      const bytes = await fetched(video, segment);
      if (bytes && bytes.length > 1000 && random() < 0.2) {
        const first = Math.floor(random() * (bytes.length - 500));
        await fetched(video, segment, { first, last: first + 499 });
      }
      await nap(pauseSeconds * 2 * random());
    }
    const hasPicture = /RESOLUTION=/.test(master);
    if (hasPicture && random() < 0.5) await viewPictures(video, random);
  }

  async function viewPictures(video: Watched, random: () => number): Promise<void> {
    if (random() < 0.5) return void (await fetched(video, 'poster.jpg'));
    const track = (await fetched(video, 'storyboard.vtt'))?.toString();
    const sheets = [...(track ?? '').matchAll(/^(\S+)#xywh=/gm)].map(([, sheet]) => sheet!);
    if (sheets.length === 0) return;
    await fetched(video, oneOf([...sheets, ...thumbsOf(sheets.length)], random));
  }

  const all = Array.from({ length: count }, (_, index) =>
    view(videos[index % videos.length]!, randomNumbers(`${seed} viewer ${index}`)),
  );
  return {
    answers,
    wrong: () =>
      [...wrong].map(
        ([what, { first, times, detail }]) =>
          `${what}, ${times} times from ${first.toISOString()} on; ${detail}`,
      ),
    seen,
    slowestSeconds: () => slowestSeconds,
    async stop() {
      stopping.abort();
      await Promise.all(all);
    },
  };
}

export const urlOf = ({ playbackUrl }: Pick<Watched, 'playbackUrl'>, path: string): string =>
  new URL(path, playbackUrl).href;

/** The first and the last of so many; they are a second apart, as the films are short. */
export const thumbsOf = (count: number): string[] => [0, count - 1].map((seconds) => `thumb/${seconds}.jpg`);

/** Of the renditions, relative. */
export const playlistsIn = (master: string): string[] => [
  ...[...master.matchAll(/URI="([^"]+)"/g)].map(([, uri]) => uri!),
  ...master.split('\n').filter((line) => line && !line.startsWith('#')),
];

interface Range {
  first: number;
  last: number;
}

interface Answer {
  label: string;
  detail: string;
  /** Of a good answer that is as long as it says. */
  bytes?: Buffer;
}

/** One answer, good or bad; never throws. */
export async function answerOf(url: string, range?: Range): Promise<Answer> {
  const headers: Record<string, string> = range ? { range: `bytes=${range.first}-${range.last}` } : {};
  let answer: Response;
  try {
    answer = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000) });
  } catch (error) {
    const { name, cause } = error as Error;
    const isLate = name === 'TimeoutError';
    return { label: isLate ? 'no answer in time' : 'no answer', detail: String((cause as Error)?.message) };
  }
  try {
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (!answer.ok) {
      const { code = '' } = parsed(bytes) as { code?: string };
      return { label: `${answer.status} ${code}`.trim(), detail: bytes.toString().slice(0, 200) };
    }
    const length = answer.headers.get('content-length');
    if (length !== null && Number(length) !== bytes.length) {
      return { label: 'broken', detail: `${bytes.length} of ${length} bytes` };
    }
    if (range && answer.status === 206) {
      const { first, last } = range;
      const stated = answer.headers.get('content-range') ?? '';
      if (bytes.length !== last - first + 1 || !stated.startsWith(`bytes ${first}-${last}/`)) {
        return { label: 'wrong range', detail: `${stated}, ${bytes.length} bytes` };
      }
    }
    return { label: String(answer.status), detail: '', bytes };
  } catch (error) {
    return { label: 'broken', detail: String(error) };
  }
}

function parsed(bytes: Buffer): object {
  try {
    return JSON.parse(bytes.toString()) as object;
  } catch {
    return {};
  }
}
