// The list of videos.

import type { Video } from '../api.ts';
import { fill, h, icon } from '../dom.ts';
import type { Child } from '../dom.ts';
import { clockText, dateText, pathOf, sizeText, spokenDuration } from '../format.ts';
import { noticeLines } from '../notices.ts';
import { refusalOf } from '../problems.ts';
import { button, byId, metaLine } from './pieces.ts';
import { listedVideos, preparedText } from './state.ts';
import type { State } from './state.ts';

export function renderVideos(state: State): void {
  const videos = listedVideos(state);
  fill(byId('library'), ...videos.map((video) => videoRow(video, state)));
  const isBegun = videos.length > 0;
  fill(byId('library-message'), !isBegun && libraryMessage(state));
  fill(byId('library-end'), isBegun && state.library === 'failed' && libraryFailure('The rest of the list'));
  byId('show-more').hidden = state.nextCursor === undefined || state.library === 'failed';
  // Not disabled, which would take the focus from it.
  byId('show-more').setAttribute('aria-disabled', String(state.library === 'loading'));
}

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
        video.notices.length > 0 &&
          h(
            'span',
            {
              class: 'label lacking',
              'data-testid': 'lacking',
              title: noticeLines(video.notices).join('\n'),
            },
            'Parts missing',
          ),
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
      return video.delayed
        ? label('waiting', 'Delayed')
        : label('processing', `Preparing ${preparedText(video)}`);
    case 'ready':
      return label('ready', 'Ready');
    case 'failed':
      return label('failed', playable ? 'Not fully prepared' : 'Cannot be played');
  }
}
