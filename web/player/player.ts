// Plays one video in a <video>. hls.js comes over the network only once something is to be watched.

import type Hls from 'hls.js';
import type { ErrorData, HlsConfig } from 'hls.js';
import { ORIGIN_TIMEOUT_SECONDS } from '../../core/aws-limits.ts';
import type { PlayerFailure } from '../problems.ts';
import { qualityNames } from './quality-names.ts';

export interface PlayerEvents {
  /** The first picture is there (of a file with sound only: the first sound). */
  onStarted: () => void;
  /** It plays, but the browser allowed that only without sound. */
  onMuted: () => void;
  /** A request got no answer; it may be tried again. */
  onUnanswered: () => void;
  /** What there is to choose from; not where the browser plays HLS by itself and chooses itself. */
  onQualities: (qualities: Qualities) => void;
  /** Nothing more will come. */
  onFailed: (failure: PlayerFailure) => void;
}

export interface Qualities {
  /** `720p`, the best first. */
  names: string[];
  /** The one that plays now, as an index of `names`; -1 before the first. */
  current: number;
  /** -1 leaves the choice to the player. */
  choose(index: number): void;
}

export interface Watched {
  /** Of the multivariant playlist. */
  url: string;
  atSeconds: number;
  /** Otherwise it waits for the play button, with what it needs at hand. */
  isAutoplay: boolean;
}

export const preloadPlayer = (): void => void import('hls.js').catch(() => undefined);

/** Starts at once; returns what stops it. After that no event comes any more. */
export function startPlayer(video: HTMLVideoElement, watched: Watched, events: PlayerEvents): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const fail = (failure: PlayerFailure) => {
    if (signal.aborted) return;
    stopping.abort();
    events.onFailed(failure);
  };
  video.addEventListener('loadeddata', () => events.onStarted(), { signal });
  import('hls.js').then(
    (module) => {
      if (signal.aborted) return;
      const Player = module.default;
      // First hls.js: Chromium now answers "maybe" for its own HLS, which cannot do as much.
      if (Player.isSupported()) attach(Player, video, watched, { ...events, onFailed: fail }, signal);
      else if (video.canPlayType('application/vnd.apple.mpegurl')) attachNative(video, watched, fail, signal);
      else return fail({ kind: 'unsupported' });
      if (watched.isAutoplay) void play(video, events, signal);
    },
    () => fail({ kind: 'code' }),
  );
  return () => stopping.abort();
}

const PATIENT = {
  // A segment asked for before it exists is made while the request is held, by the CDN for so long at most.
  maxTimeToFirstByteMs: (ORIGIN_TIMEOUT_SECONDS + 5) * 1000,
  maxLoadTimeMs: 120_000,
  timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
  errorRetry: { maxNumRetry: 5, retryDelayMs: 1000, maxRetryDelayMs: 8000 },
};

const CONFIG: Partial<HlsConfig> = {
  // A worker would be 41 KB more and one more request between the first segment and the first picture, which came
  // no sooner with it (measured). Nor must the policy allow workers.
  enableWorker: false,
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
  { url, atSeconds }: Watched,
  events: PlayerEvents,
  signal: AbortSignal,
): void {
  // However small the player is, it is no cellular line: a cap leaves at least what players begin with.
  const capLevelController = class extends Player.DefaultConfig.capLevelController! {
    override getMaxLevel(last: number): number {
      const most = super.getMaxLevel(last);
      return most < 0 ? most : Math.max(hls.firstLevel, most);
    }
  };
  const hls: Hls = new Player({ ...CONFIG, capLevelController, startPosition: atSeconds });
  // As at the start, which hls.js makes with the first variant: the lowest that is not for cellular lines, as where nothing
  // may be encoded yet that is there first.
  const onSeeking = () => {
    if (hls.autoLevelEnabled && !isBuffered(video)) hls.nextLoadLevel = hls.firstLevel;
  };
  video.addEventListener('seeking', onSeeking, { signal });
  signal.addEventListener('abort', () => hls.destroy());
  let recoveredAtMs = -Infinity;
  hls.on(Player.Events.ERROR, (_event, data) => {
    if (data.type === Player.ErrorTypes.NETWORK_ERROR && !data.response?.code) events.onUnanswered();
    if (!data.fatal) return;
    // Decoders stumble; a fresh one often goes on. Twice within a few seconds is no accident.
    const isStumble = data.type === Player.ErrorTypes.MEDIA_ERROR && !isCodecMissing(Player, data);
    if (isStumble && performance.now() - recoveredAtMs > 5000) {
      recoveredAtMs = performance.now();
      return hls.recoverMediaError();
    }
    events.onFailed(failureOf(Player, data));
  });
  const tellQualities = () => {
    // hls.js sorts by bit rate, the lowest first.
    const last = hls.levels.length - 1;
    events.onQualities({
      names: qualityNames([...hls.levels].reverse()),
      current: hls.currentLevel < 0 ? -1 : last - hls.currentLevel,
      choose: (index) => (hls.nextLevel = index < 0 ? -1 : last - index),
    });
  };
  hls.on(Player.Events.MANIFEST_PARSED, () => hls.levels.some(({ width }) => width > 0) && tellQualities());
  hls.on(Player.Events.LEVEL_SWITCHED, () => hls.levels.some(({ width }) => width > 0) && tellQualities());
  hls.loadSource(url);
  hls.attachMedia(video);
}

function failureOf(Player: typeof Hls, data: ErrorData): PlayerFailure {
  if (isCodecMissing(Player, data)) return { kind: 'codec' };
  if (data.type !== Player.ErrorTypes.NETWORK_ERROR) return { kind: 'media' };
  return { kind: 'network', status: data.response?.code || undefined };
}

const isCodecMissing = (Player: typeof Hls, { details }: ErrorData): boolean =>
  details === Player.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;

function attachNative(
  video: HTMLVideoElement,
  { url, atSeconds }: Watched,
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
  video.src = atSeconds > 0 ? `${url}#t=${atSeconds}` : url;
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
  const wasMuted = video.muted;
  signal.addEventListener('abort', () => (video.muted = wasMuted));
  video.muted = true;
  await video.play().catch(() => undefined); // then it waits for the play button
  if (!signal.aborted && !video.paused) events.onMuted();
}

/** Whether the picture at the current time is at hand. */
const isBuffered = ({ buffered, currentTime }: HTMLVideoElement): boolean =>
  Array.from({ length: buffered.length }, (_, range) => range).some(
    (range) => buffered.start(range) <= currentTime && currentTime < buffered.end(range),
  );
