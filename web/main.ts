// The page: holds the one state, carries out what people ask for, and has everything drawn anew after each change.

import { httpApi } from './api.ts';
import type { Video } from './api.ts';
import { addControls } from './player/controls/controls.ts';
import { pathOf } from './format.ts';
import { preloadPlayer, startPlayer } from './player/player.ts';
import { rememberPosition, rememberedPosition } from './player/positions.ts';
import { NOT_A_FILE, VIDEO_DELETED, linkEnds, problemOf, problemOfPlayer } from './problems.ts';
import type { PlayerFailure } from './problems.ts';
import { ApiError, ServerGone, passesByItself } from './request.ts';
import * as transitions from './library/state.ts';
import { INITIAL, STARTING } from './library/state.ts';
import type { State } from './library/state.ts';
import { uploadQueue } from './upload/upload-queue.ts';
import { render } from './library/view.ts';

let state: State = INITIAL;
const api = httpApi(() => state.config?.apiKey);

const video = document.getElementById('video') as HTMLVideoElement;
const frame = document.getElementById('frame') as HTMLElement;

function update(change: (state: State) => State): void {
  const before = transitions.videoToPlay(state)?.id;
  state = change(state);
  const now = transitions.videoToPlay(state)?.id;
  if (now !== before) changePlayer();
  const watched = transitions.videoToPlay(state);
  // With protected playback it comes with the token.
  if (watched?.playbackUrl) controls.setStoryboard(watched.storyboardUrl && pathOf(watched.storyboardUrl));
  scheduleRender();
  schedulePoll();
  queue.next();
}

const set = (change: Partial<State>): void => update((state) => ({ ...state, ...change }));

let isRenderScheduled = false;

/** Several changes in one go are drawn once. Not by requestAnimationFrame, which rests in hidden tabs. */
function scheduleRender(): void {
  if (isRenderScheduled) return;
  isRenderScheduled = true;
  queueMicrotask(() => {
    isRenderScheduled = false;
    render(state);
  });
}

// --- beginning

async function start(): Promise<void> {
  set({ startProblem: undefined });
  try {
    const config = await api.config();
    set({ config });
    await enter();
  } catch (error) {
    failed(error);
    if (error instanceof ServerGone) return;
    set({ startProblem: problemOf(error) });
    if (passesByItself(error)) setTimeout(() => state.startProblem && void start(), RELOAD_MS);
  }
}

/** How soon the page asks anew for what it cannot begin without, where nobody presses the button. */
const RELOAD_MS = 10_000;

async function enter(): Promise<void> {
  await loadLibrary();
  if (state.keyForm === 'hidden') await queue.restore();
}

async function loadLibrary(cursor?: string): Promise<void> {
  set({ library: 'loading' });
  try {
    const page = await api.videos(cursor);
    update((state) => transitions.pageLoaded(state, page));
    // It tells of changes only, and on a tall screen the end may still be in view.
    listEnd.unobserve(showMore);
    listEnd.observe(showMore);
  } catch (error) {
    set({ library: 'failed' });
    // Of a list that has begun people ask for the rest themselves.
    const isAwaited = !failed(error) && passesByItself(error) && cursor === undefined;
    if (isAwaited) setTimeout(() => state.library === 'failed' && void loadLibrary(), RELOAD_MS);
  }
}

/** Whoever stood on the button for it, which moves or goes, goes on at the first of what has come. */
async function loadMore(): Promise<void> {
  if (state.library === 'loading') return;
  const known = new Set(state.videos.map(({ id }) => id));
  const stood = document.activeElement?.closest('#show-more, #library-end');
  await loadLibrary(state.nextCursor);
  if (!stood) return;
  const first = transitions.listedVideos(state).find(({ id }) => !known.has(id));
  document
    .querySelector<HTMLElement>(first ? `[data-key="${first.id}"] .row-title` : '#library-end button')
    ?.focus();
}

/** What every failed request has in common; returns whether the reason is told thereby. */
function failed(error: unknown): boolean {
  if (error instanceof ServerGone) {
    waitForServer();
    return true;
  }
  if (error instanceof ApiError && error.isKeyRefused && !state.config?.apiKey) {
    // 401: nobody has signed in here, or not for a long time. 403: with a key that has been changed since.
    askForKey(error.status === 401 ? 'empty' : 'wrong');
    return true;
  }
  return false;
}

function askForKey(keyForm: 'empty' | 'wrong'): void {
  set({ keyForm });
  queueMicrotask(() => document.getElementById('key')!.focus());
}

const HEALTH_INTERVAL_MS = 2000;

function waitForServer(): void {
  if (state.serverGone) return;
  set({ serverGone: true });
  const look = async () => {
    try {
      if (!document.hidden) {
        await api.health();
        serverIsBack();
        return;
      }
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) return serverIsBack();
    }
    setTimeout(look, HEALTH_INTERVAL_MS);
  };
  setTimeout(look, HEALTH_INTERVAL_MS);
}

function serverIsBack(): void {
  set({ serverGone: false });
  if (!state.config) void start();
  else if (state.library === 'failed') void loadLibrary();
  if (state.player.phase === 'failed') retryPlayer();
}

// --- uploads

const queue = uploadQueue({ api, state: () => state, update, failed });

function addFiles(files: readonly (File | undefined)[]): void {
  // Met here, the player's code arrives while the file leaves.
  preloadPlayer();
  queue.add(files);
  showStage();
}

// Without this, a connection that stalls would go on showing its last rate.
setInterval(() => state.uploads.some(({ phase }) => phase === 'sending') && scheduleRender(), 1000);

// --- player

const controls = addControls(frame, video, { isAloneOnPage: false });

video.addEventListener('volumechange', () => {
  if (!video.muted && state.player.muted) set({ player: { ...state.player, muted: false } });
});

let stopPlayer = (): void => undefined;

function changePlayer(): void {
  stopPlayer();
  stopPlayer = () => undefined;
  const watched = transitions.videoToPlay(state);
  const [largest] = watched?.renditions ?? [];
  shapeFrame(largest?.width ?? 0, largest?.height ?? 0);
  if (!watched) return;
  const changed = (change: Partial<State['player']>) =>
    update((state) => ({ ...state, player: { ...state.player, ...change } }));
  const atSeconds = rememberedPosition(watched.id);
  const start = (url: string) => {
    const stopRemembering = rememberPosition(watched.id, video);
    const stop = startPlayer(
      video,
      { url, atSeconds, isAutoplay: true },
      {
        onStarted: () => {
          changed({ phase: 'started' });
          shapeFrame(video.videoWidth, video.videoHeight);
        },
        onMuted: () => changed({ muted: true }),
        onQualities: (qualities) => controls.setQualities(qualities),
        onUnanswered: () => void refresh(watched.id),
        onFailed: (failure) => void playerFailed(watched, failure),
      },
    );
    stopPlayer = () => {
      stopRemembering();
      stop();
      controls.setQualities(undefined);
    };
  };
  if (watched.playbackUrl !== null) return start(watched.playbackUrl);
  let isWanted = true;
  stopPlayer = () => (isWanted = false);
  preloadPlayer(); // while the token is on its way
  api.grantPlayback(watched.id).then(
    ({ playbackUrl, storyboardUrl }) => {
      if (!isWanted) return;
      start(playbackUrl);
      controls.setStoryboard(storyboardUrl && pathOf(storyboardUrl));
    },
    (error: unknown) => isWanted && void tokenRefused(watched.id, error),
  );
}

/** Wide pictures fit the frame as it is; a phone held upright gets a taller one. */
function shapeFrame(width: number, height: number): void {
  if (height > width) frame.style.setProperty('--shape', '4 / 5');
  else frame.style.removeProperty('--shape');
}

/** The server may know better why it does not play. */
async function playerFailed({ id, playbackUrl }: Video, failure: PlayerFailure): Promise<void> {
  // The token has ended in the middle of the video: it goes on there with a new one. Only what had begun to play is
  // renewed, so that a server that takes no token is not asked for ever.
  const hasTokenEnded = playbackUrl === null && failure.kind === 'network' && failure.status === 403;
  if (hasTokenEnded && state.player.phase === 'started') return retryPlayer();
  await refresh(id);
  if (transitions.stageVideo(state)?.id !== id) return;
  set({ player: { phase: 'failed', muted: false, problem: problemOfPlayer(failure) } });
}

async function tokenRefused(id: string, error: unknown): Promise<void> {
  failed(error);
  await refresh(id); // it may have been deleted
  if (transitions.stageVideo(state)?.id !== id) return;
  set({ player: { phase: 'failed', muted: false, problem: problemOf(error) } });
}

function retryPlayer(): void {
  set({ player: STARTING });
  changePlayer();
}

function watch(id: string): void {
  if (transitions.stageVideo(state)?.id !== id) update((state) => transitions.videoChosen(state, id));
  else if (state.player.phase === 'failed') retryPlayer();
  showStage();
}

/** Once it is drawn: until then it may have no place on the page. */
function showStage(): void {
  queueMicrotask(() => document.getElementById('stage')!.scrollIntoView({ block: 'nearest' }));
}

// --- what the server says of a video

const POLL_INTERVAL_MS = 1000;
let polling: ReturnType<typeof setTimeout> | undefined;
let polledAtMs = -Infinity;
/** In the order they were last asked for. */
const polled = new Set<string>();

/** One request a second at most, however many videos there are; none while nobody looks. */
function schedulePoll(): void {
  if (polling !== undefined || document.hidden || state.serverGone || state.keyForm !== 'hidden') return;
  if (transitions.videoToPoll(state, polled) === undefined) return;
  polling = setTimeout(
    async () => {
      polledAtMs = performance.now();
      const id = transitions.videoToPoll(state, polled);
      if (id !== undefined && !document.hidden) {
        polled.delete(id);
        polled.add(id);
        await refresh(id);
      }
      polling = undefined;
      schedulePoll();
    },
    Math.max(0, polledAtMs + POLL_INTERVAL_MS - performance.now()),
  );
}

const refreshing = new Map<string, Promise<void>>();

function refresh(id: string): Promise<void> {
  if (state.serverGone) return Promise.resolve();
  const look = async () => {
    try {
      const seen = await api.video(id);
      // Not one that was deleted here meanwhile.
      update((state) =>
        state.videos.some((video) => video.id === id) ? transitions.videoSeen(state, seen) : state,
      );
    } catch (error) {
      if (failed(error) || !(error instanceof ApiError) || error.status !== 404) return;
      if (transitions.stageVideo(state)?.id === id) set({ notice: VIDEO_DELETED });
      update((state) => transitions.videoGone(state, id));
    }
  };
  const going = refreshing.get(id) ?? look().finally(() => refreshing.delete(id));
  refreshing.set(id, going);
  return going;
}

async function deleteVideo(id: string): Promise<void> {
  try {
    await api.deleteVideo(id);
  } catch (error) {
    const isGoneAlready = error instanceof ApiError && error.status === 404;
    if (!isGoneAlready) {
      if (!failed(error))
        set({ notice: { ...problemOf(error), sentence: 'The video could not be deleted.' } });
      return;
    }
  }
  update((state) => transitions.videoGone(state, id));
  // Its button is gone and would take the focus with it.
  document.getElementById('library-title')!.focus();
}

async function copyLink(): Promise<void> {
  const copied = transitions.stageVideo(state);
  if (!copied) return;
  let url = copied.playbackUrl;
  if (url === null) {
    try {
      const granted = await api.grantPlayback(copied.id);
      url = granted.playbackUrl;
      set({ notice: linkEnds(new Date(granted.expiresAt)) });
    } catch (error) {
      if (!failed(error)) set({ notice: problemOf(error) });
      return;
    }
  }
  try {
    await navigator.clipboard.writeText(url);
  } catch {
    return set({ notice: { sentence: 'The browser did not allow copying. The link is:', advice: url } });
  }
  set({ linkCopied: true });
  setTimeout(() => set({ linkCopied: false }), 2000);
}

// --- what people do

const actions: Record<string, (id: string) => void> = {
  start: () => void start(),
  'sign-out': () => void signOut(),
  'dismiss-notice': () => set({ notice: undefined }),
  'test-clip': () => addFiles([undefined]),
  'cancel-upload': (key) => queue.cancel(Number(key)),
  'pause-upload': (key) => queue.pause(Number(key)),
  'resume-upload': (key) => queue.resume(Number(key)),
  'choose-file': () => fileInput.click(),
  'close-stage': () => update(transitions.stageClosed),
  'retry-player': retryPlayer,
  'copy-link': () => void copyLink(),
  watch,
  'ask-delete': (id) => set({ deleting: id }),
  'load-more': () => void loadMore(),
};

document.addEventListener('click', ({ target }) => {
  const element = (target as Element).closest<HTMLElement>('[data-action]');
  if (element) actions[element.dataset['action']!]?.(element.dataset['id'] ?? '');
});

// It does not bubble, but comes by here on its way.
document.addEventListener(
  'error',
  ({ target }) => {
    const id = target instanceof HTMLImageElement && target.closest<HTMLElement>('[data-id]')?.dataset['id'];
    if (id) set({ posterless: new Set([...state.posterless, id]) });
  },
  { capture: true },
);

const dropZone = document.getElementById('drop-zone') as HTMLElement;
const fileInput = document.getElementById('file-input') as HTMLInputElement;

dropZone.addEventListener('click', ({ target }) => {
  if (!(target as Element).closest('label, input, button')) fileInput.click();
});

fileInput.addEventListener('change', () => {
  addFiles([...(fileInput.files ?? [])]);
  fileInput.value = ''; // so that the same file can be chosen again
});

// The whole page takes drops: a file that misses the zone would otherwise replace the page.
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  if (!state.dragging) set({ dragging: true });
});
document.addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) set({ dragging: false });
});
document.addEventListener('drop', (event) => {
  event.preventDefault();
  set({ dragging: false });
  const items = [...(event.dataTransfer?.items ?? [])];
  const files = items.flatMap((item) =>
    item.webkitGetAsEntry()?.isDirectory ? [] : (item.getAsFile() ?? []),
  );
  if (files.length > 0) addFiles(files);
  if (files.length < items.length) set({ notice: NOT_A_FILE });
});

document.getElementById('key-form')!.addEventListener('submit', (event) => {
  event.preventDefault();
  const field = document.getElementById('key') as HTMLInputElement;
  void signIn(field.value.trim()).then(() => (field.value = ''));
});

async function signIn(credential: string): Promise<void> {
  if (state.keyForm === 'trying') return;
  set({ keyForm: 'trying' });
  try {
    await api.signIn(credential);
  } catch (error) {
    const isRefused = error instanceof ApiError && error.isKeyRefused;
    askForKey(isRefused ? 'wrong' : 'empty');
    if (!isRefused && !failed(error)) set({ notice: problemOf(error) });
    return;
  }
  set({ keyForm: 'hidden', notice: undefined });
  await enter();
}

async function signOut(): Promise<void> {
  try {
    await api.signOut();
    location.reload(); // what was listed leaves the screen, and the memory
  } catch (error) {
    if (!failed(error)) set({ notice: problemOf(error) });
  }
}

const dialog = document.getElementById('delete-dialog') as HTMLDialogElement;
dialog.addEventListener('close', () => {
  const id = state.deleting;
  set({ deleting: undefined });
  if (id !== undefined && dialog.returnValue === 'delete') void deleteVideo(id);
  dialog.returnValue = ''; // Escape leaves it as it was
});

// The list goes on by itself where its end comes into view; the button stays for who comes there otherwise.
const showMore = document.getElementById('show-more') as HTMLButtonElement;
const listEnd = new IntersectionObserver(
  (seen) => {
    if (seen.at(-1)!.isIntersecting && state.library === 'loaded' && state.nextCursor) void loadMore();
  },
  { rootMargin: '400px' },
);

document.addEventListener('visibilitychange', schedulePoll);

window.addEventListener('beforeunload', (event) => {
  if (state.uploads.some(({ phase }) => phase === 'queued' || phase === 'asking' || phase === 'sending'))
    event.preventDefault();
});

void start();
