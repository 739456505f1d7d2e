// Plays one video in the page's <video>. hls.js comes over the network only once something is to be watched.

import type Hls from 'hls.js';
import type { ErrorData, HlsConfig } from 'hls.js';
import type { PlayerFailure } from './problems.ts';

/** Where the build put hls.js's worker. From a file, so that no policy must allow workers from blob: URLs. */
declare const HLS_WORKER_URL: string;

export interface PlayerEvents {
  /** The first picture is there (of a file with sound only: the first sound). */
  onStarted: () => void;
  /** It plays, but the browser allowed that only without sound. */
  onMuted: () => void;
  /** A request failed and is tried again. */
  onTrouble: () => void;
  /** Nothing more will come. */
  onFailed: (failure: PlayerFailure) => void;
}

export const preloadPlayer = (): void => void import('hls.js').catch(() => undefined);

/** Starts at once; returns what stops it. After that no event comes any more. */
export function startPlayer(video: HTMLVideoElement, url: string, events: PlayerEvents): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const fail = (failure: PlayerFailure) => {
    if (signal.aborted) return;
    stopping.abort();
    events.onFailed(failure);
  };
  video.muted = false;
  video.addEventListener('loadeddata', () => events.onStarted(), { signal });
  import('hls.js').then(
    (module) => {
      if (signal.aborted) return;
      const Player = module.default;
      // First hls.js: Chromium now answers "maybe" for its own HLS, which cannot do as much.
      if (Player.isSupported()) attach(Player, video, url, { ...events, onFailed: fail }, signal);
      else if (video.canPlayType('application/vnd.apple.mpegurl')) attachNative(video, url, fail, signal);
      else return fail({ kind: 'unsupported' });
      play(video, events, signal);
    },
    () => fail({ kind: 'code' }),
  );
  return () => stopping.abort();
}

const PATIENT = {
  // A segment asked for before it exists is made while the request is held.
  maxTimeToFirstByteMs: 30_000,
  maxLoadTimeMs: 60_000,
  timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
  errorRetry: { maxNumRetry: 5, retryDelayMs: 1000, maxRetryDelayMs: 8000 },
};

const CONFIG: Partial<HlsConfig> = {
  workerPath: HLS_WORKER_URL,
  // The lowest rung is the quickest to make.
  startLevel: 0,
  startFragPrefetch: true,
  capLevelToPlayerSize: true,
  // By default hls.js fetches up to ten minutes ahead of a low rung. Here that would be encoding ahead, in a
  // quality that is about to be left.
  maxMaxBufferLength: 30,
  backBufferLength: 60,
  manifestLoadPolicy: { default: PATIENT },
  playlistLoadPolicy: { default: PATIENT },
  fragLoadPolicy: { default: PATIENT },
};

function attach(
  Player: typeof Hls,
  video: HTMLVideoElement,
  url: string,
  events: PlayerEvents,
  signal: AbortSignal,
): void {
  const hls = new Player(CONFIG);
  signal.addEventListener('abort', () => hls.destroy());
  let recoveredAtMs = -Infinity;
  hls.on(Player.Events.ERROR, (_event, data) => {
    if (data.type === Player.ErrorTypes.NETWORK_ERROR) events.onTrouble();
    if (!data.fatal) return;
    // Decoders stumble; a fresh one often goes on. Twice within a few seconds is no accident.
    if (data.type === Player.ErrorTypes.MEDIA_ERROR && performance.now() - recoveredAtMs > 5000) {
      if (data.details !== Player.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) {
        recoveredAtMs = performance.now();
        return hls.recoverMediaError();
      }
    }
    events.onFailed(failureOf(Player, data));
  });
  hls.loadSource(url);
  hls.attachMedia(video);
}

function failureOf(Player: typeof Hls, { type, details, response }: ErrorData): PlayerFailure {
  if (details === Player.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) return { kind: 'codec' };
  if (type === Player.ErrorTypes.NETWORK_ERROR)
    return { kind: 'network', status: response?.code || undefined };
  return { kind: 'media' };
}

function attachNative(
  video: HTMLVideoElement,
  url: string,
  fail: (failure: PlayerFailure) => void,
  signal: AbortSignal,
): void {
  video.addEventListener(
    'error',
    () =>
      fail(
        video.error?.code === MediaError.MEDIA_ERR_DECODE
          ? { kind: 'media' }
          : { kind: 'network', status: undefined },
      ),
    { signal },
  );
  video.src = url;
  signal.addEventListener('abort', () => {
    video.removeAttribute('src');
    video.load();
  });
}

/** A long upload lies between the click and now: the browser may want another click before it makes a sound. */
async function play(video: HTMLVideoElement, events: PlayerEvents, signal: AbortSignal): Promise<void> {
  const refused = await video.play().then(
    () => false,
    (error: Error) => error.name === 'NotAllowedError',
  );
  if (!refused || signal.aborted) return;
  video.muted = true;
  await video.play().catch(() => undefined); // then it waits for the play button
  if (!signal.aborted && !video.paused) events.onMuted();
}
