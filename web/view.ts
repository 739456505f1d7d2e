// The one render: state in, document changed. The <video> itself belongs to player.ts and is never touched here.

import { fill, h, icon } from './dom.ts';
import type { Child } from './dom.ts';
import type { Video } from './api.ts';
import {
  clockText,
  dateText,
  pathOf,
  percentText,
  rateText,
  sizeText,
  spokenDuration,
  timeLeftText,
} from './format.ts';
import { SERVER_GONE, refusalOf } from './problems.ts';
import type { Problem } from './problems.ts';
import {
  announcement,
  isRunning,
  listedVideos,
  preparedText,
  stageProblem,
  stageUpload,
  stageVideo,
  statusText,
} from './state.ts';
import type { State, Upload } from './state.ts';
import { rateOf } from './transfer-rate.ts';

const byId = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;

export function render(state: State): void {
  const isOpen = state.config !== undefined && state.keyForm === 'hidden';
  byId('workspace').hidden = !isOpen;
  byId('key-form').hidden = state.keyForm === 'hidden';
  renderSignIn(state);
  fill(byId('notice'), noticeOf(state));
  if (!isOpen) return;

  renderStage(state);
  const isQuiet = state.stage.kind === 'empty' && state.videos.length === 0 && state.uploads.length === 0;
  byId('drop-zone').className = `drop-zone${isQuiet ? ' large' : ''}${state.dragging ? ' dragging' : ''}`;
  byId('test-clip-line').hidden = !state.config!.testClip;
  const onStage = stageUpload(state);
  fill(
    byId('queue'),
    ...state.uploads.filter((upload) => upload !== onStage).map((upload) => uploadRow(upload, state)),
  );

  const videos = listedVideos(state);
  fill(byId('library'), ...videos.map((video) => videoRow(video, state)));
  const isBegun = videos.length > 0;
  fill(byId('library-message'), !isBegun && libraryMessage(state));
  fill(byId('library-end'), isBegun && state.library === 'failed' && libraryFailure('The rest of the list'));
  byId('show-more').hidden = state.nextCursor === undefined || state.library === 'failed';
  // Not disabled, which would take the focus from it.
  byId('show-more').setAttribute('aria-disabled', String(state.library === 'loading'));

  renderDialog(state);
  fill(byId('announcer'), announcement(state));
}

function renderSignIn({ config, keyForm }: State): void {
  const isToken = config?.signIn === 'token';
  fill(byId('key-title'), isToken ? 'Enter an access token' : 'Enter the API key');
  fill(byId('key-label'), isToken ? 'Access token' : 'API key');
  fill(
    byId('key-error'),
    keyForm === 'wrong' && `The server did not accept this ${isToken ? 'token' : 'key'}.`,
  );
  byId<HTMLButtonElement>('key-submit').disabled = keyForm === 'trying';
  byId('sign-out').hidden = !config || config.apiKey !== undefined || keyForm !== 'hidden';
}

function noticeOf({ startProblem, serverGone, notice }: State): Child {
  if (serverGone)
    return h('div', { class: 'notice', id: 'server-gone' }, icon('alert'), problemText(SERVER_GONE));
  const problem = startProblem ?? notice;
  if (!problem) return undefined;
  return h(
    'div',
    { class: 'notice' },
    icon('alert'),
    problemText(problem),
    startProblem ? button('Try again', 'start') : iconButton('close', 'Dismiss', 'dismiss-notice'),
  );
}

// --- stage

function renderStage(state: State): void {
  const upload = stageUpload(state);
  const video = stageVideo(state);
  const problem = stageProblem(state);
  byId('stage').hidden = !upload && !video;
  const isSoundOnly =
    video !== undefined &&
    video.renditions.length > 0 &&
    video.renditions.every(({ width }) => width === null);
  const showsVideo = video !== undefined && !problem;
  // Only these classes are ours; the frame's shape is set by main.ts once the picture's is known.
  byId('frame').classList.toggle('sound-only', isSoundOnly && showsVideo);
  byId('frame').classList.toggle('covered', !showsVideo);
  byId('overlay').hidden = showsVideo && state.player.phase === 'started';
  fill(byId('overlay'), overlayOf(state, upload, video, problem));
  fill(byId('details'), ...(upload ? uploadDetails(upload, state) : video ? videoDetails(video, state) : []));
}

function overlayOf(
  state: State,
  upload: Upload | undefined,
  video: Video | undefined,
  problem: Problem | undefined,
): Child {
  if (problem) {
    return h(
      'div',
      { class: 'overlay-problem', role: 'alert' },
      icon('alert'),
      h('p', { id: 'error', class: 'sentence' }, problem.sentence),
      h('p', { class: 'advice' }, problem.advice),
      h('div', { class: 'buttons' }, ...problemButtons(upload, video)),
    );
  }
  if (upload) {
    const share = hasProgress(upload) ? sentShare(upload) : undefined;
    return h(
      'div',
      { class: 'overlay-progress', 'data-key': upload.key },
      h('p', { class: 'big' }, share === undefined ? phaseText(upload, state) : percentText(share)),
      progressBar(share, `Upload of ${upload.name}`),
    );
  }
  if (!video) return undefined;
  return h('div', { class: 'overlay-starting' }, h('span', { class: 'spinner' }), h('p', {}, 'Starting …'));
}

function problemButtons(upload: Upload | undefined, video: Video | undefined): Child[] {
  if (upload)
    return [button('Try again', 'resume-upload', upload.key), button('Dismiss', 'cancel-upload', upload.key)];
  if (video && (video.state === 'failed' || video.state === 'waiting'))
    return [button('Delete it', 'ask-delete', video.id), button('Close', 'close-stage')];
  return [button('Try again', 'retry-player'), button('Close', 'close-stage')];
}

function uploadDetails(upload: Upload, state: State): Child[] {
  return [
    h(
      'div',
      { class: 'details-head' },
      h('h2', { id: 'stage-title', title: upload.name }, upload.name),
      h(
        'div',
        { class: 'buttons' },
        upload.phase === 'sending' && button('Pause', 'pause-upload', upload.key),
        upload.phase === 'paused' && button('Resume', 'resume-upload', upload.key),
        upload.phase !== 'failed' && button('Cancel', 'cancel-upload', upload.key),
      ),
    ),
    h(
      'p',
      { id: 'status', class: 'status', 'data-state': upload.phase },
      upload.phase === 'failed' ? 'Not uploaded' : phaseText(upload, state),
    ),
    hasProgress(upload) && metaLine(sendingFacts(upload)),
  ];
}

function videoDetails(video: Video, state: State): Child[] {
  const { player } = state;
  const isPreparing = video.state === 'processing';
  return [
    h(
      'div',
      { class: 'details-head' },
      h('h2', { id: 'stage-title', title: video.title }, video.title),
      h(
        'div',
        { class: 'buttons' },
        (video.state === 'processing' || video.playable) &&
          h(
            'button',
            { class: 'button', type: 'button', 'data-action': 'copy-link' },
            icon(state.linkCopied ? 'check' : 'link'),
            h('span', { class: 'button-words' }, state.linkCopied ? 'Link copied' : 'Copy HLS link'),
          ),
        iconButton('close', 'Close the player', 'close-stage'),
      ),
    ),
    h(
      'div',
      { class: 'status-line' },
      h(
        'p',
        { id: 'status', class: 'status', 'data-state': video.state },
        video.state === 'ready' && icon('check'),
        statusText(video, player),
      ),
      isPreparing && progressBar(video.progress, 'Preparing all qualities'),
    ),
    metaLine([
      video.durationSeconds !== null && clockText(video.durationSeconds),
      video.sizeBytes !== null && sizeText(video.sizeBytes),
      qualities(video),
    ]),
    player.muted &&
      h('p', { class: 'quiet' }, 'Your browser started it without sound; switch it on in the player.'),
    video.state === 'failed' &&
      video.playable &&
      h(
        'p',
        { class: 'error-text', role: 'alert', id: 'error' },
        video.error?.message ?? 'Not all of it could be prepared.',
      ),
  ];
}

/** `360p · 720p` reads as what the viewer can get; only worth saying once the plan is known. */
const qualities = ({ renditions }: Video): string | false =>
  renditions.length > 0 &&
  (renditions.some(({ width }) => width !== null)
    ? renditions.map(({ name }) => name).join(', ')
    : 'Sound only');

// --- queue

function uploadRow(upload: Upload, state: State): HTMLElement {
  const { key, name, phase, problem } = upload;
  return h(
    'li',
    { 'data-key': key, 'data-testid': 'upload', 'data-state': phase },
    h(
      'div',
      { class: 'upload-head' },
      h('p', { class: 'name', title: name }, name),
      h(
        'div',
        { class: 'buttons' },
        phase === 'failed' && button('Try again', 'resume-upload', key),
        phase === 'unfinished' && button('Choose the file', 'choose-file'),
        phase === 'sending' && iconButton('pause', `Pause ${name}`, 'pause-upload', key),
        phase === 'paused' && iconButton('play', `Resume ${name}`, 'resume-upload', key),
        iconButton('close', phase === 'failed' ? `Dismiss ${name}` : `Cancel ${name}`, 'cancel-upload', key),
      ),
    ),
    hasProgress(upload) && progressBar(sentShare(upload), `Upload of ${name}`),
    phase === 'making' && progressBar(undefined, 'Making the test clip'),
    problem
      ? h('div', { class: 'error-text', role: 'alert', 'data-testid': 'upload-error' }, problemText(problem))
      : metaLine(
          hasProgress(upload)
            ? [percentText(sentShare(upload)), ...sendingFacts(upload), phase === 'paused' && 'paused']
            : [phaseText(upload, state), upload.file && sizeText(upload.sizeBytes)],
        ),
    phase === 'unfinished' &&
      h(
        'p',
        { class: 'quiet' },
        'It was broken off. Choose the same file again, and the rest of it is sent.',
      ),
  );
}

/** What stands still keeps its bar. */
const hasProgress = ({ phase }: Upload): boolean =>
  phase === 'sending' || phase === 'paused' || phase === 'unfinished';

function phaseText(upload: Upload, { serverGone, uploads }: State): string {
  switch (upload.phase) {
    case 'queued':
      if (serverGone) return 'Waiting for the server';
      return uploads.some(isRunning) ? 'Waiting for its turn' : 'Starting …';
    case 'asking':
      return 'Starting …';
    case 'making':
      return 'Making a test clip …';
    case 'sending':
      return upload.sentBytes < upload.sizeBytes ? 'Uploading' : 'Finishing …';
    case 'paused':
      return 'Paused';
    case 'unfinished':
      return 'Not finished';
    case 'failed':
      return 'Not uploaded';
  }
}

const sentShare = ({ sentBytes, sizeBytes }: Upload): number =>
  sizeBytes > 0 ? Math.min(1, sentBytes / sizeBytes) : 1;

function sendingFacts({ phase, sentBytes, sizeBytes, samples }: Upload): Child[] {
  const sent = `${sizeText(Math.min(sentBytes, sizeBytes))} of ${sizeText(sizeBytes)}`;
  if (phase !== 'sending') return [sent];
  const rate = rateOf(samples, performance.now());
  if (rate === undefined || sentBytes >= sizeBytes) return [sent];
  if (rate === 0) return [sent, 'no progress, waiting for the network'];
  return [sent, rateText(rate), timeLeftText((sizeBytes - sentBytes) / rate)];
}

// --- library

function libraryMessage({ library }: State): Child {
  switch (library) {
    case 'failed':
      return libraryFailure('The list');
    case 'loading':
      return h('p', { class: 'empty quiet', 'aria-busy': 'true' }, 'Loading …');
    case 'loaded':
      return h('p', { class: 'empty quiet' }, 'Nothing here yet. What you upload is kept and listed here.');
  }
}

const libraryFailure = (what: string): HTMLElement =>
  h(
    'div',
    { class: 'empty', role: 'alert' },
    h('p', {}, `${what} could not be loaded.`),
    button('Try again', 'load-more'),
  );

function videoRow(video: Video, state: State): HTMLElement {
  const { id, title, durationSeconds, sizeBytes, createdAt } = video;
  const isOnStage = state.stage.kind === 'video' && state.stage.id === id;
  const created = new Date(createdAt);
  const isRefused = video.state === 'failed' && !video.playable;
  const isSound = video.renditions.length > 0 && video.renditions.every(({ width }) => width === null);
  return h(
    'li',
    {
      'data-key': id,
      'data-testid': 'video',
      'data-id': id,
      'data-state': video.state,
      class: isOnStage ? 'current' : undefined,
    },
    h(
      'div',
      { class: isRefused ? 'tile refused' : 'tile', 'aria-hidden': 'true' },
      icon(isRefused ? 'alert' : isSound ? 'sound' : 'play'),
      // Over the symbol, which stays where there is no picture, or it cannot be loaded.
      video.posterUrl !== null &&
        !isRefused &&
        !state.posterless.has(id) &&
        h('img', { class: 'tile-poster', src: pathOf(video.posterUrl), alt: '', loading: 'lazy' }),
      durationSeconds !== null && h('span', { class: 'tile-time' }, clockText(durationSeconds)),
    ),
    h(
      'div',
      { class: 'row-text' },
      h(
        'button',
        {
          class: 'row-title',
          type: 'button',
          title,
          'data-action': 'watch',
          'data-id': id,
          'aria-current': isOnStage ? 'true' : undefined,
        },
        title,
        durationSeconds !== null &&
          h('span', { class: 'visually-hidden' }, `, ${spokenDuration(durationSeconds)}`),
      ),
      metaLine([
        stateLabel(video),
        sizeBytes !== null && sizeText(sizeBytes),
        h(
          'time',
          { datetime: createdAt, title: created.toLocaleString('en-GB') },
          dateText(created, new Date()),
        ),
      ]),
      video.state === 'failed' &&
        h('p', { class: 'error-text', 'data-testid': 'video-error' }, refusalOf(video).sentence),
    ),
    video.playbackUrl !== null &&
      (video.playable || video.state === 'processing') &&
      h(
        'a',
        { class: 'icon-button row-link', href: `/watch/${id}`, 'aria-label': `Open the page of ${title}` },
        icon('open'),
      ),
    h(
      'button',
      {
        class: 'icon-button row-delete',
        type: 'button',
        'data-action': 'ask-delete',
        'data-id': id,
        'aria-label': `Delete ${title}`,
      },
      icon('trash'),
    ),
  );
}

function stateLabel(video: Video): HTMLElement {
  const { state, playable } = video;
  const label = (kind: string, words: string) =>
    h('span', { class: `label ${kind}`, 'data-testid': 'state' }, words);
  switch (state) {
    case 'waiting':
      return label('waiting', 'Upload not finished');
    case 'processing':
      return label('processing', `Preparing ${preparedText(video)}`);
    case 'ready':
      return label('ready', 'Ready');
    case 'failed':
      return label('failed', playable ? 'Not fully prepared' : 'Cannot be played');
  }
}

function renderDialog({ deleting, videos }: State): void {
  const dialog = byId<HTMLDialogElement>('delete-dialog');
  const video = videos.find(({ id }) => id === deleting);
  if (video)
    fill(
      byId('delete-text'),
      h('strong', {}, video.title),
      ' will be gone for everyone who has its link. This cannot be undone.',
    );
  if (video && !dialog.open) dialog.showModal();
  if (!video && dialog.open) dialog.close();
}

// --- pieces

const button = (words: string, action: string, id?: string | number): HTMLElement =>
  h('button', { class: 'button', type: 'button', 'data-action': action, 'data-id': id }, words);

const iconButton = (symbol: string, label: string, action: string, id?: string | number): HTMLElement =>
  h(
    'button',
    { class: 'icon-button', type: 'button', 'data-action': action, 'data-id': id, 'aria-label': label },
    icon(symbol),
  );

const problemText = ({ sentence, advice }: Problem): HTMLElement =>
  h('p', { class: 'problem' }, h('strong', {}, sentence), ' ', advice);

/** Without a share: something goes on, nobody knows how far it is. */
const progressBar = (share: number | undefined, label: string): HTMLElement =>
  h('progress', { max: 1, value: share === undefined ? undefined : share.toFixed(4), 'aria-label': label });

const metaLine = (facts: Child[]): HTMLElement =>
  h('p', { class: 'meta' }, ...facts.filter(Boolean).map((fact) => h('span', {}, fact)));
