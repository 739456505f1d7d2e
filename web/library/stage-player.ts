// Plays in the big frame what the state says that is to be watched.

import type { Api, Video } from '../api.ts';
import { pathOf } from '../format.ts';
import { addControls } from '../player/controls/controls.ts';
import type { Controls } from '../player/controls/controls.ts';
import { preloadPlayer, startPlayer } from '../player/player.ts';
import { rememberPosition, rememberedPosition } from '../player/positions.ts';
import { problemOf, problemOfPlayer } from '../problems.ts';
import type { PlayerFailure, Problem } from '../problems.ts';
import { byId } from './pieces.ts';
import type { Refresh } from './polling.ts';
import { STARTING, stageVideo, videoChosen, videoToPlay } from './state.ts';
import type { PlayerState } from './state.ts';
import type { Failed, Store } from './store.ts';

export interface StagePlayerOptions {
  store: Store;
  api: Api;
  failed: Failed;
  refresh: Refresh;
}

export interface StagePlayer {
  watch(id: string): void;
  retry(): void;
}

/** What playing one video has to do with. */
interface Stage extends StagePlayerOptions {
  video: HTMLVideoElement;
  controls: Controls;
  retry(): void;
}

export function stagePlayer(options: StagePlayerOptions): StagePlayer {
  const { store } = options;
  const video = byId<HTMLVideoElement>('video');
  const controls = addControls(byId('frame'), video, { isAloneOnPage: false });
  const stage: Stage = { ...options, video, controls, retry };
  let stop = (): void => undefined;

  function change(): void {
    stop();
    stop = () => undefined;
    const watched = videoToPlay(store.state());
    const [largest] = watched?.renditions ?? [];
    shapeFrame(largest?.width ?? 0, largest?.height ?? 0);
    if (!watched) return;
    stop =
      watched.playbackUrl === null ? playByToken(stage, watched) : play(stage, watched, watched.playbackUrl);
  }

  function retry(): void {
    store.set({ player: STARTING });
    change();
  }

  store.onChange((before) => {
    const watched = videoToPlay(store.state());
    if (watched?.id !== videoToPlay(before)?.id) change();
    // With protected playback it comes with the token.
    if (watched?.playbackUrl) controls.setStoryboard(watched.storyboardUrl && pathOf(watched.storyboardUrl));
  });
  video.addEventListener('volumechange', () => {
    if (!video.muted && store.state().player.muted) changePlayer(store, { muted: false });
  });
  return {
    retry,
    watch(id) {
      if (stageVideo(store.state())?.id !== id) store.update((state) => videoChosen(state, id));
      else if (store.state().player.phase === 'failed') retry();
      showStage();
    },
  };
}

/** Returns what stops it. */
function play(stage: Stage, watched: Video, url: string): () => void {
  const { store, refresh, video, controls } = stage;
  const { id } = watched;
  const atSeconds = rememberedPosition(id);
  const stopRemembering = rememberPosition(id, video);
  const stopPlayer = startPlayer(
    video,
    { url, atSeconds, isAutoplay: true },
    {
      onStarted: () => {
        changePlayer(store, { phase: 'started' });
        shapeFrame(video.videoWidth, video.videoHeight);
      },
      onMuted: () => changePlayer(store, { muted: true }),
      onQualities: (qualities) => controls.setQualities(qualities),
      onUnanswered: () => void refresh(id),
      onFailed: (failure) => playerFailed(stage, watched, failure),
    },
  );
  return () => {
    stopRemembering();
    stopPlayer();
    controls.setQualities(undefined);
  };
}

/** With protected playback an address is asked for first. Returns what stops it. */
function playByToken(stage: Stage, watched: Video): () => void {
  const { api, failed, controls } = stage;
  let isWanted = true;
  let stopPlayer = (): void => undefined;
  preloadPlayer(); // while the token is on its way
  api.grantPlayback(watched.id).then(
    ({ playbackUrl, storyboardUrl }) => {
      if (!isWanted) return;
      stopPlayer = play(stage, watched, playbackUrl);
      controls.setStoryboard(storyboardUrl && pathOf(storyboardUrl));
    },
    (error: unknown) => {
      if (!isWanted) return;
      failed(error);
      void showFailure(stage, watched.id, problemOf(error));
    },
  );
  return () => {
    isWanted = false;
    stopPlayer();
  };
}

function playerFailed(stage: Stage, { id, playbackUrl }: Video, failure: PlayerFailure): void {
  // The token has ended in the middle of the video: it goes on there with a new one. Only what had begun to play is
  // renewed, so that a server that takes no token is not asked for ever.
  const hasTokenEnded = playbackUrl === null && failure.kind === 'network' && failure.status === 403;
  if (hasTokenEnded && stage.store.state().player.phase === 'started') return stage.retry();
  void showFailure(stage, id, problemOfPlayer(failure));
}

/** Unless the server knows better why it does not play: it may have been deleted. */
async function showFailure({ store, refresh }: Stage, id: string, problem: Problem): Promise<void> {
  await refresh(id);
  if (stageVideo(store.state())?.id !== id) return;
  store.set({ player: { phase: 'failed', muted: false, problem } });
}

const changePlayer = (store: Store, change: Partial<PlayerState>): void =>
  store.update((state) => ({ ...state, player: { ...state.player, ...change } }));

/** Wide pictures fit the frame as it is; a phone held upright gets a taller one. */
function shapeFrame(width: number, height: number): void {
  const { style } = byId('frame');
  if (height > width) style.setProperty('--shape', '4 / 5');
  else style.removeProperty('--shape');
}

/** Once it is drawn: until then it may have no place on the page. */
export function showStage(): void {
  queueMicrotask(() => byId('stage').scrollIntoView({ block: 'nearest' }));
}
