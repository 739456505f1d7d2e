// The bar below the picture: play, seek with pictures of the place, sound, captions, speed, quality, picture in picture,
// full screen. Buttons, a slider and select boxes of the browser's own, so that keyboard, touch and screen reader know
// them.

import { fill, h, icon } from '../dom.ts';
import { clockText, spokenDuration } from '../format.ts';
import type { Qualities } from './player.ts';
import { seekPreview } from './seek-preview.ts';
import type { SeekPreview } from './seek-preview.ts';

export interface Controls {
  setQualities(qualities: Qualities | undefined): void;
  setStoryboard: SeekPreview['setStoryboard'];
}

export interface ControlsOptions {
  /** On a page that is all about this video, keys work wherever the focus is. */
  isAloneOnPage: boolean;
}

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const REST_MS = 2500;

/** Puts the bar into `frame`, which holds the <video>. Once per page: the bar serves whatever the <video> plays. */
export function addControls(
  frame: HTMLElement,
  video: HTMLVideoElement,
  { isAloneOnPage }: ControlsOptions,
): Controls {
  const control = (name: string, label: string) =>
    h('button', {
      type: 'button',
      class: 'control',
      'data-control': name,
      'aria-label': label,
    }) as HTMLButtonElement;
  const choice = (label: string) =>
    h('select', { class: 'control choice', 'aria-label': label, hidden: true }) as HTMLSelectElement;
  const slider = (className: string, label: string, max: number, step: number | 'any') =>
    h('input', {
      type: 'range',
      class: className,
      'aria-label': label,
      min: 0,
      max,
      step,
      value: 0,
    }) as HTMLInputElement;

  const bigPlay = control('big-play', 'Play');
  bigPlay.append(icon('play'));
  const play = control('play', 'Play');
  const mute = control('mute', 'Mute');
  const captions = choice('Captions');
  const speed = choice('Speed');
  const quality = choice('Quality');
  const pip = control('pip', 'Picture in picture');
  const fullscreen = control('fullscreen', 'Full screen');
  const seek = slider('seek', 'Position', 0, 'any');
  const volume = slider('volume', 'Volume', 1, 0.05);
  const time = h('p', { class: 'time' });
  const seekLine = h('div', { class: 'seek-line' }, seek);
  const preview = seekPreview(seekLine, seek, video);
  seekLine.append(preview.element);
  const bar = h(
    'div',
    { class: 'controls', role: 'group', 'aria-label': 'Player' },
    seekLine,
    h(
      'div',
      { class: 'control-line' },
      play,
      mute,
      volume,
      time,
      h('span', { class: 'space' }),
      captions,
      speed,
      quality,
      pip,
      fullscreen,
    ),
  );
  video.controls = false;
  video.tabIndex = -1;
  frame.append(bigPlay, bar);
  frame.classList.add('has-controls');

  let qualities: Qualities | undefined;
  let isDragging = false;
  let resting: ReturnType<typeof setTimeout> | undefined;

  // --- what the bar shows

  function show(): void {
    const isPaused = video.paused || video.ended;
    const isSilent = video.muted || video.volume === 0;
    label(play, isPaused ? 'play' : 'pause', isPaused ? 'Play' : 'Pause');
    label(mute, isSilent ? 'muted' : 'volume', isSilent ? 'Sound on' : 'Mute');
    const isFull = document.fullscreenElement === frame;
    label(fullscreen, isFull ? 'shrink' : 'expand', isFull ? 'Leave full screen' : 'Full screen');
    label(pip, 'pip', 'Picture in picture');
    fullscreen.hidden = !document.fullscreenEnabled && !('webkitEnterFullscreen' in video);
    pip.hidden = !document.pictureInPictureEnabled || video.videoWidth === 0;
    frame.classList.toggle('paused', isPaused);
    bigPlay.hidden = !isPaused || video.played.length > 0;
    volume.value = String(isSilent ? 0 : video.volume);
    volume.style.setProperty('--played', `${Number(volume.value) * 100}%`);
    speed.value = String(video.playbackRate);
    showPosition();
  }

  function showPosition(): void {
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

  function showQualities(): void {
    const { names = [], current = -1 } = qualities ?? {};
    quality.hidden = names.length < 2;
    const auto = current >= 0 && chosenQuality < 0 ? `Auto (${names[current]}p)` : 'Auto';
    fill(quality, option(-1, auto), ...names.map((name, index) => option(index, `${name}p`)));
    quality.value = String(chosenQuality);
  }
  let chosenQuality = -1;

  function showCaptions(): void {
    const tracks = captionTracks(video);
    captions.hidden = tracks.length === 0;
    fill(
      captions,
      option(-1, 'Captions off'),
      ...tracks.map((track, index) =>
        option(index, track.label || track.language || `Captions ${index + 1}`),
      ),
    );
    captions.value = String(tracks.findIndex(({ mode }) => mode === 'showing'));
  }

  fill(speed, ...SPEEDS.map((rate) => option(rate, `${rate}×`)));
  speed.hidden = false;

  // --- what people do

  const toggle = () => void (video.paused ? video.play().catch(() => undefined) : video.pause());
  const seekBy = (seconds: number) =>
    (video.currentTime = Math.max(0, Math.min(video.duration || 0, video.currentTime + seconds)));
  const changeVolume = (by: number) => {
    video.muted = false;
    video.volume = Math.max(0, Math.min(1, video.volume + by));
  };
  const toggleFullscreen = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (document.fullscreenEnabled) void frame.requestFullscreen().catch(() => undefined);
    // An iPhone knows it for videos only.
    else (video as HTMLVideoElement & { webkitEnterFullscreen?(): void }).webkitEnterFullscreen?.();
  };
  const togglePip = () =>
    void (
      document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture()
    ).catch(() => undefined);
  const changeSpeed = (by: number) => {
    const next = SPEEDS.indexOf(video.playbackRate) + by;
    video.playbackRate = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, next))]!;
  };
  const chooseCaptions = (index: number) =>
    captionTracks(video).forEach((track, each) => (track.mode = each === index ? 'showing' : 'disabled'));

  play.addEventListener('click', toggle);
  bigPlay.addEventListener('click', () => {
    toggle();
    play.focus({ preventScroll: true }); // as the button goes away
  });
  mute.addEventListener('click', () => (video.muted = !video.muted));
  fullscreen.addEventListener('click', toggleFullscreen);
  pip.addEventListener('click', togglePip);
  speed.addEventListener('change', () => (video.playbackRate = Number(speed.value)));
  captions.addEventListener('change', () => chooseCaptions(Number(captions.value)));
  quality.addEventListener('change', () => {
    chosenQuality = Number(quality.value);
    qualities?.choose(chosenQuality);
    showQualities();
  });
  volume.addEventListener('input', () => {
    video.muted = false;
    video.volume = Number(volume.value);
  });

  // Dragging only shows where one would land: each place on the way would have to be encoded if nobody was there before.
  seek.addEventListener('input', () => {
    isDragging = true;
    showPosition();
    preview.show(Number(seek.value));
  });
  seek.addEventListener('change', () => {
    isDragging = false;
    video.currentTime = Number(seek.value);
    preview.hide();
  });

  // A mouse plays and pauses by a click on the picture, a finger brings the bar.
  video.addEventListener('click', (event) => {
    const isTouch = (event as PointerEvent).pointerType === 'touch';
    if (!isTouch) toggle();
    frame.focus({ preventScroll: true });
  });
  video.addEventListener('dblclick', toggleFullscreen);
  frame.tabIndex = -1;

  const keys: Record<string, () => void> = {
    ' ': toggle,
    k: toggle,
    j: () => seekBy(-10),
    l: () => seekBy(10),
    ArrowLeft: () => seekBy(-5),
    ArrowRight: () => seekBy(5),
    ArrowUp: () => changeVolume(0.1),
    ArrowDown: () => changeVolume(-0.1),
    Home: () => (video.currentTime = 0),
    End: () => (video.currentTime = video.duration || 0),
    m: () => (video.muted = !video.muted),
    f: toggleFullscreen,
    i: togglePip,
    c: () => chooseCaptions(captionTracks(video).some(({ mode }) => mode === 'showing') ? -1 : 0),
    '<': () => changeSpeed(-1),
    '>': () => changeSpeed(1),
  };
  (isAloneOnPage ? document : frame).addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event as KeyboardEvent;
    if (ctrlKey || metaKey || altKey || frame.classList.contains('covered')) return;
    const element = target as HTMLElement;
    if (element.matches('input:not(.seek, .volume), textarea, select, summary')) return;
    // These have a meaning of their own for whoever has the focus.
    if (element.matches('button, a') && (key === ' ' || key === 'Enter')) return;
    if (element.matches('.volume') && /^(Arrow|Home|End)/.test(key)) return;
    const isDigit = /^[0-9]$/.test(key);
    const action = isDigit
      ? () => (video.currentTime = (Number(key) / 10) * (video.duration || 0))
      : keys[key];
    if (!action) return;
    event.preventDefault();
    action();
    wake();
  });

  // --- the bar rests while the film runs

  function wake(): void {
    frame.classList.remove('resting');
    clearTimeout(resting);
    resting = setTimeout(() => {
      const isUsed = bar.matches(':has(select:focus), :has(:focus-visible)') || isDragging;
      if (!video.paused && !isUsed) frame.classList.add('resting');
    }, REST_MS);
  }
  for (const name of ['pointermove', 'pointerdown', 'focusin']) frame.addEventListener(name, wake);
  frame.addEventListener('pointerleave', () => !video.paused && frame.classList.add('resting'));

  for (const name of [
    'play',
    'pause',
    'ended',
    'volumechange',
    'ratechange',
    'loadedmetadata',
    'emptied',
    'seeked',
  ])
    video.addEventListener(name, show);
  for (const name of ['timeupdate', 'durationchange', 'progress', 'seeking'])
    video.addEventListener(name, showPosition);
  for (const name of ['waiting', 'seeking'])
    video.addEventListener(name, () => frame.classList.add('waiting'));
  for (const name of ['playing', 'seeked', 'canplay', 'emptied', 'error'])
    video.addEventListener(name, () => frame.classList.remove('waiting'));
  for (const name of ['addtrack', 'removetrack', 'change'])
    video.textTracks.addEventListener(name, showCaptions);
  for (const name of ['play', 'pause']) video.addEventListener(name, wake);
  document.addEventListener('fullscreenchange', show);
  show();

  return {
    setQualities(given) {
      if (!given) chosenQuality = -1;
      qualities = given;
      showQualities();
    },
    setStoryboard: preview.setStoryboard,
  };
}

function label(button: HTMLButtonElement, symbol: string, words: string): void {
  if (button.dataset['symbol'] === symbol) return;
  button.dataset['symbol'] = symbol;
  button.setAttribute('aria-label', words);
  button.title = words;
  fill(button, icon(symbol));
}

const option = (value: number, words: string): HTMLElement => h('option', { value }, words);

const share = (part: number, whole: number): string => `${whole > 0 ? (part / whole) * 100 : 0}%`;

function bufferedUpTo({ buffered, currentTime }: HTMLVideoElement): number {
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= currentTime + 0.5 && buffered.end(index) >= currentTime)
      return buffered.end(index);
  }
  return 0;
}

const captionTracks = ({ textTracks }: HTMLVideoElement): TextTrack[] =>
  [...textTracks].filter(({ kind }) => kind === 'captions' || kind === 'subtitles');
