// What people do with a video besides watching it: delete it, copy its link.

import type { Api } from '../api.ts';
import { linkEnds, problemOf } from '../problems.ts';
import { ApiError } from '../request.ts';
import { byId } from './pieces.ts';
import { stageVideo, videoGone } from './state.ts';
import type { Failed, Store } from './store.ts';

export interface VideoActionsOptions {
  store: Store;
  api: Api;
  failed: Failed;
}

export function listenToDeleteDialog(options: VideoActionsOptions): void {
  const { store } = options;
  const dialog = byId<HTMLDialogElement>('delete-dialog');
  dialog.addEventListener('close', () => {
    const id = store.state().deleting;
    store.set({ deleting: undefined });
    if (id !== undefined && dialog.returnValue === 'delete') void deleteVideo(id, options);
    dialog.returnValue = ''; // Escape leaves it as it was
  });
}

async function deleteVideo(id: string, { store, api, failed }: VideoActionsOptions): Promise<void> {
  try {
    await api.deleteVideo(id);
  } catch (error) {
    const isGoneAlready = error instanceof ApiError && error.status === 404;
    if (!isGoneAlready) {
      if (!failed(error))
        store.set({ notice: { ...problemOf(error), sentence: 'The video could not be deleted.' } });
      return;
    }
  }
  store.update((state) => videoGone(state, id));
  // Its button is gone and would take the focus with it.
  byId('library-title').focus();
}

export async function copyLink({ store, api, failed }: VideoActionsOptions): Promise<void> {
  const copied = stageVideo(store.state());
  if (!copied) return;
  let url = copied.playbackUrl;
  if (url === null) {
    try {
      const granted = await api.grantPlayback(copied.id);
      url = granted.playbackUrl;
      store.set({ notice: linkEnds(new Date(granted.expiresAt)) });
    } catch (error) {
      if (!failed(error)) store.set({ notice: problemOf(error) });
      return;
    }
  }
  try {
    await navigator.clipboard.writeText(url);
  } catch {
    return store.set({
      notice: { sentence: 'The browser did not allow copying. The link is:', advice: url },
    });
  }
  store.set({ linkCopied: true });
  setTimeout(() => store.set({ linkCopied: false }), 2000);
}
