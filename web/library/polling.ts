// What the server says of single videos, while there is something to wait for.

import { POLL_MS } from '../api.ts';
import type { Api } from '../api.ts';
import { VIDEO_DELETED } from '../problems.ts';
import { ApiError } from '../request.ts';
import { stageVideo, videoGone, videoSeen, videoToPoll } from './state.ts';
import type { Failed, Store } from './store.ts';

export interface PollingOptions {
  store: Store;
  api: Api;
  failed: Failed;
}

/** Asks for a video's state; once at a time. */
export type Refresh = (id: string) => Promise<void>;

export function refreshing({ store, api, failed }: PollingOptions): Refresh {
  const running = new Map<string, Promise<void>>();
  const look = async (id: string) => {
    try {
      const seen = await api.video(id);
      // Not one that was deleted here meanwhile.
      store.update((state) =>
        state.videos.some((video) => video.id === id) ? videoSeen(state, seen) : state,
      );
    } catch (error) {
      if (failed(error) || !(error instanceof ApiError) || error.status !== 404) return;
      if (stageVideo(store.state())?.id === id) store.set({ notice: VIDEO_DELETED });
      store.update((state) => videoGone(state, id));
    }
  };
  return (id) => {
    if (store.state().serverGone) return Promise.resolve();
    const going = running.get(id) ?? look(id).finally(() => running.delete(id));
    running.set(id, going);
    return going;
  };
}

/** One request a second at most, however many videos there are; none while nobody looks. */
export function pollVideos(store: Store, refresh: Refresh): void {
  let polling: ReturnType<typeof setTimeout> | undefined;
  let polledAtMs = -Infinity;
  /** In the order they were last asked for. */
  const polled = new Set<string>();

  function schedule(): void {
    const { serverGone, keyForm } = store.state();
    if (polling !== undefined || document.hidden || serverGone || keyForm !== 'hidden') return;
    if (videoToPoll(store.state(), polled) === undefined) return;
    polling = setTimeout(poll, Math.max(0, polledAtMs + POLL_MS - performance.now()));
  }

  async function poll(): Promise<void> {
    polledAtMs = performance.now();
    const id = videoToPoll(store.state(), polled);
    if (id !== undefined && !document.hidden) {
      polled.delete(id);
      polled.add(id);
      await refresh(id);
    }
    polling = undefined;
    schedule();
  }

  store.onChange(schedule);
  document.addEventListener('visibilitychange', schedule);
}
