// Loads the list of videos, a page at a time, as far as somebody looks.

import type { Api } from '../api.ts';
import { RELOAD_MS, passesByItself } from '../request.ts';
import { byId } from './pieces.ts';
import { listedVideos, pageLoaded } from './state.ts';
import type { Failed, Store } from './store.ts';

export interface ListingOptions {
  store: Store;
  api: Api;
  failed: Failed;
}

export interface Listing {
  load(): Promise<void>;
  loadMore(): Promise<void>;
}

export function listing({ store, api, failed }: ListingOptions): Listing {
  // The list goes on by itself where its end comes into view; the button stays for who comes there otherwise.
  const showMore = byId('show-more');
  const end = new IntersectionObserver(
    (seen) => {
      const { library, nextCursor } = store.state();
      if (seen.at(-1)!.isIntersecting && library === 'loaded' && nextCursor) void loadMore();
    },
    { rootMargin: '400px' },
  );

  async function load(cursor?: string): Promise<void> {
    store.set({ library: 'loading' });
    try {
      const page = await api.videos(cursor);
      store.update((state) => pageLoaded(state, page));
      // It tells of changes only, and on a tall screen the end may still be in view.
      end.unobserve(showMore);
      end.observe(showMore);
    } catch (error) {
      store.set({ library: 'failed' });
      // Of a list that has begun people ask for the rest themselves.
      const isAwaited = !failed(error) && passesByItself(error) && cursor === undefined;
      if (isAwaited) setTimeout(() => store.state().library === 'failed' && void load(), RELOAD_MS);
    }
  }

  /** Whoever stood on the button for it, which moves or goes, goes on at the first of what has come. */
  async function loadMore(): Promise<void> {
    const { library, videos, nextCursor } = store.state();
    if (library === 'loading') return;
    const known = new Set(videos.map(({ id }) => id));
    const stood = document.activeElement?.closest('#show-more, #library-end');
    await load(nextCursor);
    if (!stood) return;
    const first = listedVideos(store.state()).find(({ id }) => !known.has(id));
    const next = first ? `[data-key="${first.id}"] .row-title` : '#library-end button';
    document.querySelector<HTMLElement>(next)?.focus();
  }

  return { load: () => load(), loadMore };
}

/** A poster that does not come leaves the symbol. */
export function listenToPosters({ state, set }: Store): void {
  const onError = ({ target }: Event) => {
    const id = target instanceof HTMLImageElement && target.closest<HTMLElement>('[data-id]')?.dataset['id'];
    if (id) set({ posterless: new Set([...state().posterless, id]) });
  };
  // It does not bubble, but comes by here on its way.
  document.addEventListener('error', onError, { capture: true });
}
