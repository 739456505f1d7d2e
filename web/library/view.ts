// The one render: state in, document changed. The <video> itself belongs to the player and is never touched here.

import { fill, h, icon } from '../dom.ts';
import type { Child } from '../dom.ts';
import { SERVER_GONE } from '../problems.ts';
import { button, byId, iconButton, problemText } from './pieces.ts';
import { renderStage } from './stage-view.ts';
import { announcement } from './state.ts';
import type { State } from './state.ts';
import { renderUploads } from './uploads-view.ts';
import { renderVideos } from './videos-view.ts';

/** Several changes in one go are drawn once. Not by requestAnimationFrame, which rests in hidden tabs. */
export function scheduledRender(state: () => State): () => void {
  let isScheduled = false;
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    queueMicrotask(() => {
      isScheduled = false;
      render(state());
    });
  };
}

function render(state: State): void {
  const isOpen = state.config !== undefined && state.keyForm === 'hidden';
  byId('workspace').hidden = !isOpen;
  byId('key-form').hidden = state.keyForm === 'hidden';
  renderSignIn(state);
  fill(byId('notice'), noticeOf(state));
  if (!isOpen) return;

  renderStage(state);
  renderUploads(state);
  renderVideos(state);
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
