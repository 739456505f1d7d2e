// The page of all videos: wires the state to those who change it, and to those who act when it has changed.

import { httpApi } from './api.ts';
import { commonFailures } from './library/failures.ts';
import { listenToPosters, listing } from './library/listing.ts';
import { byId } from './library/pieces.ts';
import { pollVideos, refreshing } from './library/polling.ts';
import { listenToKeyForm, signOut } from './library/session.ts';
import { showStage, stagePlayer } from './library/stage-player.ts';
import { stageClosed } from './library/state.ts';
import { stateStore } from './library/store.ts';
import { copyLink, listenToDeleteDialog } from './library/video-actions.ts';
import { scheduledRender } from './library/view.ts';
import { preloadPlayer } from './player/player.ts';
import { problemOf } from './problems.ts';
import { RELOAD_MS, ServerGone, passesByItself } from './request.ts';
import { listenToFiles } from './upload/choosing-files.ts';
import { uploadQueue } from './upload/upload-queue.ts';

const store = stateStore();
const { state, set, update } = store;
const api = httpApi(() => state().config?.apiKey);
const failed = commonFailures({ store, api, onBack: serverIsBack });
const common = { store, api, failed };

const list = listing(common);
const refresh = refreshing(common);
const queue = uploadQueue({ api, state, update, failed });
const render = scheduledRender(state);

// In this order whenever the state has changed.
const player = stagePlayer({ ...common, refresh });
store.onChange(render);
pollVideos(store, refresh);
store.onChange(queue.next);

// Without this, a connection that stalls would go on showing its last rate.
setInterval(() => state().uploads.some(({ phase }) => phase === 'sending') && render(), 1000);

async function start(): Promise<void> {
  set({ startProblem: undefined });
  try {
    const config = await api.config();
    set({ config });
    await enter();
  } catch (error) {
    failed(error);
    if (error instanceof ServerGone) return;
    set({ startProblem: problemOf(error) });
    if (passesByItself(error)) setTimeout(() => state().startProblem && void start(), RELOAD_MS);
  }
}

async function enter(): Promise<void> {
  await list.load();
  if (state().keyForm === 'hidden') await queue.restore();
}

function serverIsBack(): void {
  if (!state().config) void start();
  else if (state().library === 'failed') void list.load();
  if (state().player.phase === 'failed') player.retry();
}

/** `undefined` is the test clip. */
function addFiles(files: readonly (File | undefined)[]): void {
  // Met here, the player's code arrives while the file leaves.
  preloadPlayer();
  queue.add(files);
  showStage();
}

const actions: Record<string, (id: string) => void> = {
  start: () => void start(),
  'sign-out': () => void signOut(common),
  'dismiss-notice': () => set({ notice: undefined }),
  'test-clip': () => addFiles([undefined]),
  'cancel-upload': (key) => queue.cancel(Number(key)),
  'pause-upload': (key) => queue.pause(Number(key)),
  'resume-upload': (key) => queue.resume(Number(key)),
  'choose-file': () => byId('file-input').click(),
  'close-stage': () => update(stageClosed),
  'retry-player': player.retry,
  'copy-link': () => void copyLink(common),
  watch: player.watch,
  'ask-delete': (id) => set({ deleting: id }),
  'load-more': () => void list.loadMore(),
};

document.addEventListener('click', ({ target }) => {
  const element = (target as Element).closest<HTMLElement>('[data-action]');
  if (element) actions[element.dataset['action']!]?.(element.dataset['id'] ?? '');
});
listenToPosters(store);
listenToFiles({ store, onFiles: addFiles });
listenToKeyForm({ ...common, onSignedIn: enter });
listenToDeleteDialog(common);

window.addEventListener('beforeunload', (event) => {
  if (state().uploads.some(({ phase }) => phase === 'queued' || phase === 'asking' || phase === 'sending'))
    event.preventDefault();
});

void start();
