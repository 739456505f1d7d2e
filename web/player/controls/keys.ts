// Keys, most of them as on YouTube.

import type { PlayerActions } from './actions.ts';

export interface KeysOptions {
  frame: HTMLElement;
  video: HTMLVideoElement;
  actions: PlayerActions;
  /** After each key that did something. */
  wake(): void;
}

export function listenToKeys(
  place: HTMLElement | Document,
  { frame, video, actions, wake }: KeysOptions,
): void {
  const keys: Record<string, () => void> = {
    ' ': actions.toggle,
    k: actions.toggle,
    j: () => actions.seekBy(-10),
    l: () => actions.seekBy(10),
    ArrowLeft: () => actions.seekBy(-5),
    ArrowRight: () => actions.seekBy(5),
    ArrowUp: () => actions.changeVolume(0.1),
    ArrowDown: () => actions.changeVolume(-0.1),
    Home: () => actions.seekTo(0),
    End: () => actions.seekTo(video.duration || 0),
    m: actions.toggleSound,
    f: actions.toggleFullscreen,
    i: actions.togglePip,
    c: actions.toggleCaptions,
    '<': () => actions.changeSpeed(-1),
    '>': () => actions.changeSpeed(1),
  };
  place.addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event as KeyboardEvent;
    if (ctrlKey || metaKey || altKey || frame.classList.contains('covered')) return;
    if (isTheirs(target as HTMLElement, key)) return;
    const action = /^[0-9]$/.test(key)
      ? () => actions.seekTo((Number(key) / 10) * (video.duration || 0))
      : keys[key];
    if (!action) return;
    event.preventDefault();
    action();
    wake();
  });
}

/** Whether the key has a meaning of its own for the element that has the focus. */
function isTheirs(element: HTMLElement, key: string): boolean {
  if (element.matches('input:not(.seek, .volume), textarea, select, summary')) return true;
  if (element.matches('button, a') && (key === ' ' || key === 'Enter')) return true;
  return element.matches('.volume') && /^(Arrow|Home|End)/.test(key);
}
