// What there is to choose from: captions, speed, quality. A menu with nothing to choose is hidden.

import { fill } from '../../dom.ts';
import type { Qualities } from '../player.ts';
import { SPEEDS, captionTracks, shownCaptions } from './actions.ts';
import type { PlayerActions } from './actions.ts';
import { choice, option } from './elements.ts';

export interface Menus {
  captions: HTMLSelectElement;
  speed: HTMLSelectElement;
  quality: HTMLSelectElement;
  setQualities(qualities: Qualities | undefined): void;
}

export function addMenus(video: HTMLVideoElement, actions: PlayerActions): Menus {
  return {
    captions: captionsMenu(video, actions),
    speed: speedMenu(video),
    ...qualityMenu(),
  };
}

function captionsMenu(video: HTMLVideoElement, { chooseCaptions }: PlayerActions): HTMLSelectElement {
  const menu = choice('Captions');
  const show = () => {
    const tracks = captionTracks(video);
    menu.hidden = tracks.length === 0;
    const names = tracks.map((track, index) => track.label || track.language || `Captions ${index + 1}`);
    fill(menu, option(-1, 'Captions off'), ...names.map((name, index) => option(index, name)));
    menu.value = String(shownCaptions(video));
  };
  menu.addEventListener('change', () => chooseCaptions(Number(menu.value)));
  for (const name of ['addtrack', 'removetrack', 'change']) video.textTracks.addEventListener(name, show);
  return menu;
}

function speedMenu(video: HTMLVideoElement): HTMLSelectElement {
  const menu = choice('Speed');
  const show = () => (menu.value = String(video.playbackRate));
  fill(menu, ...SPEEDS.map((rate) => option(rate, `${rate}×`)));
  menu.hidden = false;
  menu.addEventListener('change', () => (video.playbackRate = Number(menu.value)));
  for (const name of ['ratechange', 'loadedmetadata', 'emptied']) video.addEventListener(name, show);
  show();
  return menu;
}

function qualityMenu(): { quality: HTMLSelectElement } & Pick<Menus, 'setQualities'> {
  const menu = choice('Quality');
  let qualities: Qualities | undefined;
  let chosen = -1;
  const show = () => {
    const { names = [], current = -1 } = qualities ?? {};
    menu.hidden = names.length < 2;
    const auto = current >= 0 && chosen < 0 ? `Auto (${names[current]})` : 'Auto';
    fill(menu, option(-1, auto), ...names.map((name, index) => option(index, name)));
    menu.value = String(chosen);
  };
  menu.addEventListener('change', () => {
    chosen = Number(menu.value);
    qualities?.choose(chosen);
    show();
  });
  return {
    quality: menu,
    setQualities(given) {
      if (!given) chosen = -1;
      qualities = given;
      show();
    },
  };
}
