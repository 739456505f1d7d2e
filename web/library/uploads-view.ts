// Where files are dropped, the uploads that are not on the stage, and what is said of any upload.

import { fill, h } from '../dom.ts';
import type { Child } from '../dom.ts';
import { percentText, rateText, sizeText, timeLeftText } from '../format.ts';
import { rateOf } from '../upload/transfer-rate.ts';
import { button, byId, iconButton, metaLine, problemText, progressBar } from './pieces.ts';
import { isRunning, stageUpload } from './state.ts';
import type { State, Upload } from './state.ts';

export function renderUploads(state: State): void {
  const isQuiet = state.stage.kind === 'empty' && state.videos.length === 0 && state.uploads.length === 0;
  byId('drop-zone').className = `drop-zone${isQuiet ? ' large' : ''}${state.dragging ? ' dragging' : ''}`;
  byId('test-clip-line').hidden = !state.config!.testClip;
  const onStage = stageUpload(state);
  fill(
    byId('queue'),
    ...state.uploads.filter((upload) => upload !== onStage).map((upload) => uploadRow(upload, state)),
  );
}

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
export const hasProgress = ({ phase }: Upload): boolean =>
  phase === 'sending' || phase === 'paused' || phase === 'unfinished';

export function phaseText(upload: Upload, { serverGone, uploads }: State): string {
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

export const sentShare = ({ sentBytes, sizeBytes }: Upload): number =>
  sizeBytes > 0 ? Math.min(1, sentBytes / sizeBytes) : 1;

export function sendingFacts({ phase, sentBytes, sizeBytes, samples }: Upload): Child[] {
  const sent = `${sizeText(Math.min(sentBytes, sizeBytes))} of ${sizeText(sizeBytes)}`;
  if (phase !== 'sending') return [sent];
  const rate = rateOf(samples, performance.now());
  if (rate === undefined || sentBytes >= sizeBytes) return [sent];
  if (rate === 0) return [sent, 'no progress, waiting for the network'];
  return [sent, rateText(rate), timeLeftText((sizeBytes - sentBytes) / rate)];
}
