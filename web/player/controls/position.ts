// Where the video is: the slider, with the picture of the place that is pointed at, and the time.

import { fill, h } from '../../dom.ts';
import { clockText, spokenDuration } from '../../format.ts';
import { seekPreview } from '../seek-preview.ts';
import type { SeekPreview } from '../seek-preview.ts';
import { slider } from './elements.ts';

export interface Position {
  /** The slider. */
  line: HTMLElement;
  time: HTMLElement;
  isDragging(): boolean;
  setStoryboard: SeekPreview['setStoryboard'];
}

export function addPosition(video: HTMLVideoElement): Position {
  const seek = slider('seek', 'Position', 0, 'any');
  const time = h('p', { class: 'time' });
  const line = h('div', { class: 'seek-line' }, seek);
  const preview = seekPreview(line, seek, video);
  line.append(preview.element);
  let isDragging = false;

  function show(): void {
    const length = Number.isFinite(video.duration) ? video.duration : 0;
    const at = isDragging ? Number(seek.value) : video.currentTime;
    seek.disabled = length === 0;
    seek.max = String(length);
    if (!isDragging) seek.value = String(at);
    seek.setAttribute('aria-valuetext', `${spokenDuration(at)} of ${spokenDuration(length)}`);
    seek.style.setProperty('--played', share(at, length));
    seek.style.setProperty('--buffered', share(bufferedUpTo(video), length));
    fill(time, `${clockText(at)} / ${clockText(length)}`);
  }

  // Dragging only shows where one would land: each place on the way would have to be encoded if nobody was there before.
  seek.addEventListener('input', () => {
    isDragging = true;
    show();
    preview.show(Number(seek.value));
  });
  seek.addEventListener('change', () => {
    isDragging = false;
    video.currentTime = Number(seek.value);
    preview.hide();
  });
  for (const name of MOVING) video.addEventListener(name, show);
  show();
  return { line, time, isDragging: () => isDragging, setStoryboard: preview.setStoryboard };
}

/** Events with which place, length or what has been loaded may change. */
const MOVING = [
  ...['timeupdate', 'durationchange', 'progress', 'seeking', 'seeked'],
  ...['play', 'pause', 'ended', 'loadedmetadata', 'emptied'],
];

const share = (part: number, whole: number): string => `${whole > 0 ? (part / whole) * 100 : 0}%`;

function bufferedUpTo({ buffered, currentTime }: HTMLVideoElement): number {
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= currentTime + 0.5 && buffered.end(index) >= currentTime)
      return buffered.end(index);
  }
  return 0;
}
