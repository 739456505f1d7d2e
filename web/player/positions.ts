// Where one stopped watching, kept in this browser only.

const PREFIX = 'instant-hls.position.';
const STEP_SECONDS = 3;
/** Whoever stopped so close to an end has seen it, or nothing yet. */
const MARGIN_SECONDS = 5;

/** Exactly where, as long as this page is open: after a failure it goes on there. */
let last = { id: '', seconds: 0 };

export function rememberedPosition(id: string): number {
  if (last.id === id) return last.seconds;
  return Number(read(PREFIX + id) ?? 0) || 0;
}

/** Follows a <video>; returns what stops that. */
export function rememberPosition(id: string, video: HTMLVideoElement): () => void {
  let written = -Infinity;
  const stopping = new AbortController();
  const look = () => {
    const { currentTime, duration } = video;
    if (video.ended) last = { id, seconds: 0 };
    else if (currentTime > 0) last = { id, seconds: currentTime };
    if (video.ended || currentTime > duration - MARGIN_SECONDS) return write(PREFIX + id, undefined);
    if (currentTime < MARGIN_SECONDS || Math.abs(currentTime - written) < STEP_SECONDS) return;
    written = currentTime;
    write(PREFIX + id, String(Math.floor(currentTime)));
  };
  // Also where a seek goes: what is asked for there may be refused before the picture has arrived.
  for (const name of ['timeupdate', 'seeking', 'ended', 'pause'])
    video.addEventListener(name, look, { signal: stopping.signal });
  return () => stopping.abort();
}

// Storage may be switched off, or full: then nothing is remembered.

function read(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // see above
  }
}
