// The bar rests while the video plays and nobody moves.

const REST_MS = 2500;

/** Returns what wakes it. While `isUsed`, it stays. */
export function restWhilePlaying(
  frame: HTMLElement,
  video: HTMLVideoElement,
  isUsed: () => boolean,
): () => void {
  let resting: ReturnType<typeof setTimeout> | undefined;
  const wake = () => {
    frame.classList.remove('resting');
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (!video.paused && !isUsed()) frame.classList.add('resting');
    }, REST_MS);
  };
  for (const name of ['pointermove', 'pointerdown', 'focusin']) frame.addEventListener(name, wake);
  frame.addEventListener('pointerleave', () => !video.paused && frame.classList.add('resting'));
  for (const name of ['play', 'pause']) video.addEventListener(name, wake);
  return wake;
}
