// The page of one video, alone or in somebody's frame. The server has written into it what the video is.

import type { WatchedVideo } from '../pipeline/http/watch-pages.ts';
import { POLL_MS, httpApi } from './api.ts';
import { fill, h, icon } from './dom.ts';
import type { Child } from './dom.ts';
import { clockText, pathOf, percentText, startSeconds } from './format.ts';
import { noticeList } from './notices.ts';
import { addControls } from './player/controls/controls.ts';
import { startPlayer } from './player/player.ts';
import { rememberPosition, rememberedPosition } from './player/positions.ts';
import {
  COPYING_REFUSED,
  NO_SUCH_VIDEO,
  TOKEN_MISSING,
  UPLOAD_UNFINISHED,
  delayText,
  problemOfPlayer,
  refusalOf,
} from './problems.ts';
import type { Problem } from './problems.ts';
import { ApiError } from './request.ts';
import { snippetsOf } from './snippets.ts';
import type { Snippet } from './snippets.ts';

const byId = (id: string): HTMLElement | null => document.getElementById(id);
const video = byId('video') as HTMLVideoElement;
const frame = byId('frame')!;
const isEmbedded = document.body.classList.contains('embed');
const query = new URLSearchParams(location.search);
const api = httpApi(() => undefined);

let watched = JSON.parse(byId('video-data')!.textContent!) as WatchedVideo | null;
let problem: Problem | undefined;
let copied: { name: string; isRefused: boolean } | undefined;

const controls = addControls(frame, video, { isAloneOnPage: true });

async function watch({
  id,
  playbackUrl,
  posterUrl,
  storyboardUrl,
  durationSeconds,
}: WatchedVideo): Promise<void> {
  show();
  if (posterUrl) video.poster = pathOf(posterUrl);
  poll();
  if (playbackUrl === null || obstacle()) return;
  controls.setStoryboard(storyboardUrl && pathOf(storyboardUrl));
  const asked = startSeconds(query.get('t'));
  const atSeconds = asked > 0 ? Math.min(asked, durationSeconds ?? asked) : rememberedPosition(id);
  // A page with ten players in frames loads one when it is to play.
  if (isEmbedded) await firstIntent();
  begin(playbackUrl, atSeconds);
  rememberPosition(id, video);
}

/** By the plan where there is one, so that nothing moves when the picture comes. */
function shapeFrame(): void {
  const [largest] = watched?.renditions ?? [];
  if (!largest && video.readyState < HTMLMediaElement.HAVE_METADATA) return;
  const width = largest ? (largest.width ?? 0) : video.videoWidth;
  const height = largest ? (largest.height ?? 0) : video.videoHeight;
  frame.classList.toggle('sound-only', width === 0);
  frame.classList.toggle('upright', height > width);
  if (width > 0 && !isEmbedded) frame.style.setProperty('--shape', `${width} / ${height}`);
}

const firstIntent = (): Promise<void> =>
  new Promise((resolve) => {
    for (const name of ['click', 'keydown'])
      frame.addEventListener(name, () => resolve(), { once: true, capture: true });
  });

function begin(url: string, atSeconds: number): void {
  frame.classList.add('loading');
  startPlayer(
    video,
    { url, atSeconds, isAutoplay: isEmbedded },
    {
      onStarted: () => {
        frame.classList.remove('loading');
        shapeFrame();
      },
      onMuted: () => undefined, // the bar shows it
      onQualities: (qualities) => controls.setQualities(qualities),
      onUnanswered: () => undefined,
      onFailed: (failure) => {
        problem = problemOfPlayer(failure);
        frame.classList.remove('loading');
        show();
      },
    },
  );
}

// --- what the server says, while there is something to wait for

function poll(): void {
  const { id, state } = watched!;
  if (isEmbedded || (state !== 'processing' && state !== 'waiting')) return;
  setTimeout(async () => {
    if (!document.hidden) {
      try {
        const { playbackUrl, posterUrl, storyboardUrl, ...seen } = await api.video(id);
        const wasWaiting = state === 'waiting' && seen.state !== 'waiting';
        // An address that the server gave with a token stays as it is.
        watched = { ...watched!, ...seen, ...(watched!.playbackUrl ? {} : { playbackUrl }) };
        watched.posterUrl ??= posterUrl;
        watched.storyboardUrl ??= storyboardUrl;
        if (wasWaiting) return void watch(watched);
        if (watched.storyboardUrl) controls.setStoryboard(pathOf(watched.storyboardUrl));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) watched = null;
      }
      show();
    }
    if (watched) poll();
  }, POLL_MS);
}

// --- drawing

function obstacle(): Problem | undefined {
  if (!watched) return NO_SUCH_VIDEO;
  if (watched.playbackUrl === null) return TOKEN_MISSING;
  if (watched.state === 'waiting') return UPLOAD_UNFINISHED;
  return watched.state === 'failed' && !watched.playable ? refusalOf(watched) : undefined;
}

function show(): void {
  shapeFrame();
  const shown = obstacle() ?? problem;
  frame.classList.toggle('covered', shown !== undefined);
  const overlay = byId('overlay')!;
  overlay.hidden = shown === undefined;
  fill(
    overlay,
    shown &&
      h(
        'div',
        { class: 'overlay-problem', role: 'alert' },
        icon('alert'),
        h('p', { id: 'error', class: 'sentence' }, shown.sentence),
        h('p', { class: 'advice' }, shown.advice),
        problem &&
          h(
            'div',
            { class: 'buttons' },
            h('button', { class: 'button', type: 'button', 'data-action': 'retry' }, 'Try again'),
          ),
      ),
  );
  const details = byId('details');
  if (details)
    fill(details, ...(watched ? detailsOf(watched) : [h('h1', { id: 'stage-title' }, 'Not found')]));
}

function detailsOf(video: WatchedVideo): Child[] {
  const { title, durationSeconds, state, progress, delayed, renditions, playbackUrl } = video;
  const names = renditions.filter(({ width }) => width !== null).map(({ name }) => name);
  const facts: Child[] = [
    durationSeconds !== null && clockText(durationSeconds),
    names.length > 0 ? names.join(', ') : renditions.length > 0 && 'Sound only',
    state === 'processing' &&
      (delayed ? delayText(delayed) : `Preparing all qualities: ${percentText(Math.min(progress, 0.99))}`),
  ];
  return [
    h('h1', { id: 'stage-title', title }, title),
    h('p', { class: 'meta' }, ...facts.filter(Boolean).map((fact) => h('span', {}, fact))),
    noticeList(video),
    playbackUrl !== null &&
      !obstacle() &&
      h(
        'details',
        { class: 'share', 'data-key': 'share' },
        h('summary', {}, 'Share and embed'),
        ...snippetsOf(video).map(snippetLine),
      ),
  ];
}

function snippetLine({ name, text }: Snippet): HTMLElement {
  const isCopied = copied?.name === name && !copied.isRefused;
  return h(
    'div',
    { class: 'snippet', 'data-key': name },
    h('h2', {}, name),
    h('pre', { tabindex: 0, 'aria-label': name }, h('code', {}, text)),
    h(
      'button',
      {
        class: 'button',
        type: 'button',
        'data-action': 'copy',
        'data-id': name,
        'aria-label': `Copy ${name}`,
      },
      icon(isCopied ? 'check' : 'link'),
      isCopied ? 'Copied' : 'Copy',
    ),
    copied?.name === name && copied.isRefused && h('p', { class: 'quiet' }, COPYING_REFUSED),
  );
}

document.addEventListener('click', ({ target }) => {
  const element = (target as Element).closest<HTMLElement>('[data-action]');
  if (element?.dataset['action'] === 'retry') {
    problem = undefined;
    show();
    if (watched?.playbackUrl) begin(watched.playbackUrl, video.currentTime);
  }
  if (element?.dataset['action'] === 'copy') void copy(element.dataset['id']!);
});

async function copy(name: string): Promise<void> {
  const snippet = snippetsOf(watched!).find((each) => each.name === name)!;
  const isRefused = await navigator.clipboard.writeText(snippet.text).then(
    () => false,
    () => true,
  );
  copied = { name, isRefused };
  byId('announcer')!.textContent = isRefused ? COPYING_REFUSED : `${name} copied`;
  show();
  if (isRefused) {
    const text = document.querySelector(`.snippet[data-key="${name}"] code`);
    return void (text && getSelection()?.selectAllChildren(text));
  }
  setTimeout(() => {
    copied = undefined;
    show();
  }, 2000);
}

// Last, as what begins here uses all of the above at once.
if (watched) void watch(watched);
else show();
