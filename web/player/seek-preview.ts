// The picture and the time of the place that somebody points at on the slider.

import { fill, h } from '../dom.ts';
import { clockText } from '../format.ts';
import { loadStoryboard, tileAt } from './storyboard.ts';
import type { Storyboard } from './storyboard.ts';

export interface SeekPreview {
  element: HTMLElement;
  /** For the place where the slider is dragged to. */
  show(seconds: number): void;
  hide(): void;
  /** WebVTT; asked for when somebody first points at the slider. */
  setStoryboard(url: string | null): void;
}

/** As style sheets have it; the browser puts the middle of the thumb under the pointer, and so never at the very ends. */
const THUMB_PX = 14;

/** `line` holds the slider `seek`, and takes its pointer while it is disabled. */
export function seekPreview(line: HTMLElement, seek: HTMLInputElement, video: HTMLVideoElement): SeekPreview {
  const picture = h('div', { class: 'tile-picture', hidden: true });
  const text = h('span');
  const element = h('div', { class: 'preview', 'aria-hidden': 'true', hidden: true }, picture, text);
  let storyboard: { url: string; loaded: Promise<Storyboard | undefined> | undefined } | undefined;
  let pointerX: number | undefined;
  let shownSeconds: number | undefined;

  function showPointed(): void {
    if (pointerX === undefined) return;
    const { left, width } = seek.getBoundingClientRect();
    show(((pointerX - left - THUMB_PX / 2) / (width - THUMB_PX)) * (video.duration || 0));
  }

  function show(seconds: number): void {
    const lengthSeconds = Number.isFinite(video.duration) ? video.duration : 0;
    if (lengthSeconds === 0) return;
    shownSeconds = Math.max(0, Math.min(lengthSeconds, seconds));
    element.hidden = false;
    fill(text, clockText(shownSeconds));
    place(shownSeconds / lengthSeconds);
    void showPicture(shownSeconds, shownSeconds / lengthSeconds);
  }

  async function showPicture(seconds: number, share: number): Promise<void> {
    if (!storyboard) return void (picture.hidden = true);
    storyboard.loaded ??= loadStoryboard(storyboard.url).catch(() => undefined);
    const tile = tileAt(await storyboard.loaded, seconds);
    if (shownSeconds !== seconds) return; // pointed elsewhere meanwhile
    picture.hidden = !tile;
    if (tile)
      Object.assign(picture.style, {
        width: `${tile.width}px`,
        height: `${tile.height}px`,
        backgroundImage: `url("${tile.sheet}")`,
        backgroundPosition: `-${tile.x}px -${tile.y}px`,
      });
    place(share);
  }

  /** Over the thumb, but within the frame, which cuts off what stands out. */
  function place(share: number): void {
    const half = element.offsetWidth / 2;
    const middle = seek.offsetLeft + THUMB_PX / 2 + share * (seek.offsetWidth - THUMB_PX);
    element.style.left = `${Math.max(half, Math.min(line.offsetWidth - half, middle))}px`;
  }

  function hide(): void {
    pointerX = shownSeconds = undefined;
    element.hidden = true;
  }

  line.addEventListener('pointermove', ({ clientX }) => {
    pointerX = clientX;
    showPointed();
  });
  for (const leaving of ['pointerleave', 'pointercancel']) line.addEventListener(leaving, hide);
  seek.addEventListener('blur', hide);
  // Who points there before anything is known of the video is shown it then.
  video.addEventListener('durationchange', showPointed);

  return {
    element,
    show,
    hide,
    setStoryboard(url) {
      if (url === (storyboard?.url ?? null)) return;
      storyboard = url === null ? undefined : { url, loaded: undefined };
    },
  };
}
