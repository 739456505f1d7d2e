// The bar below the picture: play, seek with pictures of the place, sound, captions, speed, quality, picture in picture,
// full screen.

import { h } from '../../dom.ts';
import type { Qualities } from '../player.ts';
import type { SeekPreview } from '../seek-preview.ts';
import { playerActions } from './actions.ts';
import { addButtons } from './buttons.ts';
import { listenToKeys } from './keys.ts';
import { addMenus } from './menus.ts';
import { addPosition } from './position.ts';
import { restWhilePlaying } from './resting.ts';

export interface Controls {
  setQualities(qualities: Qualities | undefined): void;
  setStoryboard: SeekPreview['setStoryboard'];
}

export interface ControlsOptions {
  /** On a page that is all about this video, keys work wherever the focus is. */
  isAloneOnPage: boolean;
}

/** Puts the bar into `frame`, which holds the <video>. Once per page: the bar serves whatever the <video> plays. */
export function addControls(
  frame: HTMLElement,
  video: HTMLVideoElement,
  { isAloneOnPage }: ControlsOptions,
): Controls {
  const actions = playerActions(frame, video);
  const position = addPosition(video);
  const { bigPlay, play, mute, volume, pip, fullscreen } = addButtons(frame, video, actions);
  const { captions, speed, quality, setQualities } = addMenus(video, actions);
  const space = h('span', { class: 'space' });
  const bar = h(
    'div',
    { class: 'controls', role: 'group', 'aria-label': 'Player' },
    position.line,
    h(
      'div',
      { class: 'control-line' },
      ...[play, mute, volume, position.time, space, captions, speed, quality, pip, fullscreen],
    ),
  );
  video.controls = false;
  video.tabIndex = -1;
  frame.tabIndex = -1;
  frame.append(bigPlay, bar);
  frame.classList.add('has-controls');

  const wake = restWhilePlaying(frame, video, () => isUsed(bar) || position.isDragging());
  listenToKeys(isAloneOnPage ? document : frame, { frame, video, actions, wake });
  listenToPicture(frame, video, actions);
  showWaiting(frame, video);
  return { setQualities, setStoryboard: position.setStoryboard };
}

const isUsed = (bar: HTMLElement): boolean => bar.matches(':has(select:focus), :has(:focus-visible)');

/** A mouse plays and pauses by a click on the picture, a finger brings the bar. */
function listenToPicture(
  frame: HTMLElement,
  video: HTMLVideoElement,
  { toggle, toggleFullscreen }: ReturnType<typeof playerActions>,
): void {
  video.addEventListener('click', (event) => {
    const isTouch = (event as PointerEvent).pointerType === 'touch';
    if (!isTouch) toggle();
    frame.focus({ preventScroll: true });
  });
  video.addEventListener('dblclick', toggleFullscreen);
}

function showWaiting(frame: HTMLElement, video: HTMLVideoElement): void {
  for (const name of ['waiting', 'seeking'])
    video.addEventListener(name, () => frame.classList.add('waiting'));
  for (const name of ['playing', 'seeked', 'canplay', 'emptied', 'error'])
    video.addEventListener(name, () => frame.classList.remove('waiting'));
}
