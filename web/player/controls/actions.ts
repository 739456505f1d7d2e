// What people do with a video that plays, whether by a button or by a key.

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

export interface PlayerActions {
  toggle(): void;
  seekTo(seconds: number): void;
  seekBy(seconds: number): void;
  toggleSound(): void;
  /** 0 to 1. */
  setVolume(volume: number): void;
  changeVolume(by: number): void;
  /** One of SPEEDS further. */
  changeSpeed(by: 1 | -1): void;
  /** -1 shows none. */
  chooseCaptions(index: number): void;
  toggleCaptions(): void;
  togglePip(): void;
  toggleFullscreen(): void;
}

export function playerActions(frame: HTMLElement, video: HTMLVideoElement): PlayerActions {
  const setVolume = (volume: number) => {
    video.muted = false;
    video.volume = volume;
  };
  const seekTo = (seconds: number) => void (video.currentTime = seconds);
  const chooseCaptions = (index: number) =>
    captionTracks(video).forEach((track, each) => (track.mode = each === index ? 'showing' : 'disabled'));
  return {
    toggle: () => void (video.paused ? video.play().catch(() => undefined) : video.pause()),
    seekTo,
    seekBy: (seconds) => seekTo(within(0, video.currentTime + seconds, video.duration || 0)),
    toggleSound: () => void (video.muted = !video.muted),
    setVolume,
    changeVolume: (by) => setVolume(within(0, video.volume + by, 1)),
    changeSpeed(by) {
      const next = SPEEDS.indexOf(video.playbackRate) + by;
      video.playbackRate = SPEEDS[within(0, next, SPEEDS.length - 1)]!;
    },
    chooseCaptions,
    toggleCaptions: () => chooseCaptions(shownCaptions(video) >= 0 ? -1 : 0),
    togglePip: () =>
      void (
        document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture()
      ).catch(() => undefined),
    toggleFullscreen() {
      if (document.fullscreenElement) void document.exitFullscreen();
      else if (document.fullscreenEnabled) void frame.requestFullscreen().catch(() => undefined);
      // An iPhone knows it for videos only.
      else (video as HTMLVideoElement & { webkitEnterFullscreen?(): void }).webkitEnterFullscreen?.();
    },
  };
}

export const captionTracks = ({ textTracks }: HTMLVideoElement): TextTrack[] =>
  [...textTracks].filter(({ kind }) => kind === 'captions' || kind === 'subtitles');

/** An index of `captionTracks`; -1 where none is shown. */
export const shownCaptions = (video: HTMLVideoElement): number =>
  captionTracks(video).findIndex(({ mode }) => mode === 'showing');

const within = (least: number, value: number, most: number): number => Math.max(least, Math.min(most, value));
