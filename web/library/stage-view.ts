// The big frame, and what is said below it.

import type { Video } from '../api.ts';
import { fill, h, icon } from '../dom.ts';
import type { Child } from '../dom.ts';
import { clockText, percentText, sizeText } from '../format.ts';
import { noticeList } from '../notices.ts';
import type { Problem } from '../problems.ts';
import { button, byId, iconButton, metaLine, progressBar } from './pieces.ts';
import { stageProblem, stageUpload, stageVideo, statusText } from './state.ts';
import type { State, Upload } from './state.ts';
import { hasProgress, phaseText, sendingFacts, sentShare } from './uploads-view.ts';

export function renderStage(state: State): void {
  const upload = stageUpload(state);
  const video = stageVideo(state);
  const problem = stageProblem(state);
  byId('stage').hidden = !upload && !video;
  const isSoundOnly =
    video !== undefined &&
    video.renditions.length > 0 &&
    video.renditions.every(({ width }) => width === null);
  const showsVideo = video !== undefined && !problem;
  // Only these classes are ours; the frame's shape is set by stage-player.ts, by the plan or the picture.
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
    noticeList(video),
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
