// Play, sound, picture in picture and full screen, each showing what it would do now.

import { icon } from '../../dom.ts';
import type { PlayerActions } from './actions.ts';
import { control, label, slider } from './elements.ts';

export interface Buttons {
  /** In the middle of the picture, until it has played. */
  bigPlay: HTMLButtonElement;
  play: HTMLButtonElement;
  mute: HTMLButtonElement;
  volume: HTMLInputElement;
  pip: HTMLButtonElement;
  fullscreen: HTMLButtonElement;
}

export function addButtons(frame: HTMLElement, video: HTMLVideoElement, actions: PlayerActions): Buttons {
  const buttons: Buttons = {
    bigPlay: control('big-play', 'Play'),
    play: control('play', 'Play'),
    mute: control('mute', 'Mute'),
    volume: slider('volume', 'Volume', 1, 0.05),
    pip: control('pip', 'Picture in picture'),
    fullscreen: control('fullscreen', 'Full screen'),
  };
  buttons.bigPlay.append(icon('play'));
  listen(buttons, actions);
  const show = () => {
    showPlaying(frame, video, buttons);
    showSound(video, buttons);
    showScreens(frame, video, buttons);
  };
  for (const name of ['play', 'pause', 'ended', 'volumechange', 'loadedmetadata', 'emptied', 'seeked'])
    video.addEventListener(name, show);
  document.addEventListener('fullscreenchange', show);
  show();
  return buttons;
}

function listen({ bigPlay, play, mute, volume, pip, fullscreen }: Buttons, actions: PlayerActions): void {
  play.addEventListener('click', actions.toggle);
  bigPlay.addEventListener('click', () => {
    actions.toggle();
    play.focus({ preventScroll: true }); // as the button goes away
  });
  mute.addEventListener('click', actions.toggleSound);
  volume.addEventListener('input', () => actions.setVolume(Number(volume.value)));
  pip.addEventListener('click', actions.togglePip);
  fullscreen.addEventListener('click', actions.toggleFullscreen);
}

function showPlaying(frame: HTMLElement, video: HTMLVideoElement, { bigPlay, play }: Buttons): void {
  const isPaused = video.paused || video.ended;
  label(play, isPaused ? 'play' : 'pause', isPaused ? 'Play' : 'Pause');
  frame.classList.toggle('paused', isPaused);
  bigPlay.hidden = !isPaused || video.played.length > 0;
}

function showSound(video: HTMLVideoElement, { mute, volume }: Buttons): void {
  const isSilent = video.muted || video.volume === 0;
  label(mute, isSilent ? 'muted' : 'volume', isSilent ? 'Sound on' : 'Mute');
  volume.value = String(isSilent ? 0 : video.volume);
  volume.style.setProperty('--played', `${Number(volume.value) * 100}%`);
}

function showScreens(frame: HTMLElement, video: HTMLVideoElement, { pip, fullscreen }: Buttons): void {
  const isFull = document.fullscreenElement === frame;
  label(fullscreen, isFull ? 'shrink' : 'expand', isFull ? 'Leave full screen' : 'Full screen');
  label(pip, 'pip', 'Picture in picture');
  fullscreen.hidden = !document.fullscreenEnabled && !('webkitEnterFullscreen' in video);
  pip.hidden = !document.pictureInPictureEnabled || video.videoWidth === 0;
}
