// Takes files one after another: grants, sends, goes on with what was interrupted, and cleans up after what is given up.

import { contentTypeOf, partsApi } from '../api.ts';
import type { Api, Granted } from '../api.ts';
import * as transitions from '../library/state.ts';
import type { State, Upload } from '../library/state.ts';
import { problemOf } from '../problems.ts';
import { ApiError, patiently } from '../request.ts';
import { UploadInterrupted, putBlob } from './put-blob.ts';
import { forgetUpload, isSameFile, saveUpload, savedUploads, whileHeld } from './saved-uploads.ts';
import type { SavedUpload } from './saved-uploads.ts';
import { withSample } from './transfer-rate.ts';
import { LEAST_BYTES_IN_PARTS, sendInParts } from './upload-parts.ts';

export interface QueueOptions {
  api: Api;
  state(): State;
  update(change: (state: State) => State): void;
  /** Handles failures common to all requests; true if the user has been told. */
  failed(error: unknown): boolean;
}

export interface UploadQueue {
  /** `undefined` is the test clip. A file that an upload waits for goes on with that. */
  add(files: readonly (File | undefined)[]): void;
  /** To be called whenever something has changed. */
  next(): void;
  pause(key: number): void;
  resume(key: number): void;
  cancel(key: number): void;
  /** Finds what earlier visits left unfinished. */
  restore(): Promise<void>;
}

class Paused extends Error {}

export function uploadQueue({ api, state, update, failed }: QueueOptions): UploadQueue {
  let lastKey = 0;
  const running = new Map<number, AbortController>();
  const uploadOf = (key: number): Upload | undefined => state().uploads.find((upload) => upload.key === key);
  const change = (key: number, changes: Partial<Upload>) =>
    update((state) => transitions.uploadChanged(state, key, changes));

  async function sendNext(): Promise<void> {
    const { config, serverGone, keyForm } = state();
    if (!config || serverGone || keyForm !== 'hidden') return;
    const upload = transitions.nextUpload(state());
    if (!upload) return;
    const { key, file } = upload;
    const controller = new AbortController();
    running.set(key, controller);
    // Taken before anything is awaited, so that nobody takes it twice.
    change(key, { phase: file ? 'asking' : 'making' });
    try {
      const granted = file ? await send(upload, file, controller.signal) : await api.makeTestClip();
      const video = transitions.freshVideo(granted, upload, new Date().toISOString());
      forgetUpload(granted.id);
      update((state) => transitions.uploadDone(state, key, video));
    } catch (error) {
      stopped(key, controller.signal.aborted ? controller.signal.reason : error);
    } finally {
      running.delete(key);
    }
  }

  function stopped(key: number, error: unknown): void {
    const { id, saved } = uploadOf(key) ?? {};
    // What has begun is kept for the next attempt; of one single request nothing is.
    if (id !== undefined && !saved) giveUp(id);
    if (error instanceof Paused) {
      update((state) => transitions.uploadPaused(state, key));
    } else if (failed(error) && id === undefined) {
      // Nothing has begun yet: it waits for the server, or for the key.
      update((state) => transitions.uploadResumed(state, key));
    } else if (uploadOf(key)) {
      update((state) => transitions.uploadFailed(state, key, problemOf(error)));
    }
  }

  /** A granted upload that never comes would stay in the list. */
  function giveUp(id: string): void {
    forgetUpload(id);
    void api.deleteVideo(id).catch(() => undefined);
  }

  async function send(
    upload: Upload,
    file: File,
    signal: AbortSignal,
  ): Promise<Pick<Granted, 'id' | 'playbackUrl'>> {
    const { key, saved } = upload;
    const onProgress = (sentBytes: number) => {
      const samples = withSample(uploadOf(key)?.samples ?? [], { atMs: performance.now(), sentBytes });
      change(key, { sentBytes, samples });
    };
    if (saved) {
      change(key, { phase: 'sending' });
      const resumed = await goOn(saved, file, key, { onProgress, signal });
      if (resumed) return resumed;
      // Its parts were thrown away; it begins anew.
      giveUp(saved.id);
      change(key, { saved: undefined, id: undefined, sentBytes: 0 });
    }
    const granted = await api.grantUpload({
      filename: file.name,
      contentType: contentTypeOf(file),
      sizeBytes: file.size,
    });
    const { id, uploadUrl } = granted;
    if (!uploadOf(key)) giveUp(id); // cancelled meanwhile
    change(key, { id, phase: 'sending' });
    if (granted.upload && file.size < LEAST_BYTES_IN_PARTS) {
      const { url, headers } = granted.upload;
      await orArrived(id, putBlob(file, url, { headers, onProgress, signal }));
    } else {
      const kept = { id, uploadUrl, name: file.name, sizeBytes: file.size, lastModified: file.lastModified };
      await parts({ ...kept, begun: undefined }, file, key, { onProgress, signal });
    }
    return granted;
  }

  /** Undefined where its parts were thrown away, as the store does after some days, or its video was. */
  async function goOn(
    saved: SavedUpload,
    file: File,
    key: number,
    sending: Sending,
  ): Promise<Pick<Granted, 'id' | 'playbackUrl'> | undefined> {
    try {
      await parts({ ...saved, begun: saved }, file, key, sending);
    } catch (error) {
      // Gone, or the file has come, and only the answer that said so was lost: there is no token for it any more.
      const isOver = error instanceof ApiError && (error.status === 404 || error.code === 'ALREADY_UPLOADED');
      if (!isOver) throw error;
      const { state } = await api.video(saved.id).catch(absent);
      if (state === 'waiting' || state === 'deleted') return undefined;
    }
    return api.video(saved.id);
  }

  interface Sending {
    onProgress: (sentBytes: number) => void;
    signal: AbortSignal;
  }

  const parts = (
    { begun, ...kept }: Omit<SavedUpload, 'key' | 'uploadId'> & { begun: SavedUpload | undefined },
    file: File,
    key: number,
    sending: Sending,
  ): Promise<void> =>
    whileHeld(kept.id, () =>
      sendInParts(file, partsOf(kept), {
        ...sending,
        begun,
        onBegun: (begun) => {
          const saved: SavedUpload = { ...kept, ...begun };
          saveUpload(saved);
          change(key, { saved });
        },
      }),
    );

  const partsOf = ({ id, uploadUrl }: Pick<SavedUpload, 'id' | 'uploadUrl'>) =>
    partsApi(uploadUrl, async () => (await api.renewUpload(id)).uploadUrl);

  /** The answer may have been lost on its way, and the file not. */
  async function orArrived(id: string, sent: Promise<unknown>): Promise<void> {
    try {
      await sent;
    } catch (error) {
      const hasArrived =
        error instanceof UploadInterrupted &&
        (await api.video(id).then(
          ({ state }) => state !== 'waiting',
          (error) => {
            failed(error);
            return false;
          },
        ));
      if (!hasArrived) throw error;
    }
  }

  return {
    add(files) {
      const fresh: Upload[] = [];
      for (const file of files) {
        const waiting = file && state().uploads.find((upload) => waitsFor(upload, file));
        if (waiting) update((state) => transitions.uploadResumed(state, waiting.key, file));
        else fresh.push(transitions.newUpload((lastKey += 1), file));
      }
      update((state) => transitions.uploadsAdded(state, fresh));
    },

    next: () => void sendNext(),

    pause(key) {
      const controller = running.get(key);
      if (controller) controller.abort(new Paused());
      else if (uploadOf(key)?.phase === 'queued') update((state) => transitions.uploadPaused(state, key));
    },

    resume: (key) => update((state) => transitions.uploadResumed(state, key)),

    cancel(key) {
      const { id } = uploadOf(key) ?? {};
      update((state) => transitions.uploadCancelled(state, key));
      // Where a single request runs, whoever sent it gives it up.
      running.get(key)?.abort(new DOMException('Cancelled', 'AbortError'));
      if (id !== undefined) giveUp(id);
    },

    async restore() {
      for (const saved of await savedUploads()) {
        if (state().uploads.some(({ id }) => id === saved.id)) continue;
        try {
          const { state: found } = await api.video(saved.id).catch(absent);
          if (found !== 'waiting') {
            forgetUpload(saved.id);
            continue;
          }
          const stored = await patiently(() => partsOf(saved).list(saved));
          const sentBytes = stored.reduce((sum, { Size }) => sum + Size, 0);
          const left = transitions.unfinishedUpload((lastKey += 1), saved, sentBytes);
          update((state) => ({ ...state, uploads: [...state.uploads, left] }));
        } catch (error) {
          // Thrown away by the store: the list says that the upload was not finished.
          if (error instanceof ApiError && error.status === 404) forgetUpload(saved.id);
          else failed(error);
        }
      }
    },
  };
}

const waitsFor = ({ phase, saved }: Upload, file: File): boolean =>
  (phase === 'unfinished' || phase === 'paused' || phase === 'failed') &&
  saved !== undefined &&
  isSameFile(saved, file);

/** A video that was deleted meanwhile waits for nothing. */
function absent(error: unknown): { state: 'deleted' } {
  if (error instanceof ApiError && error.status === 404) return { state: 'deleted' };
  throw error;
}
