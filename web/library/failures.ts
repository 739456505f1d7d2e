// What can befall any request: the server is away, or it wants to know who asks.

import type { Api } from '../api.ts';
import { ApiError, ServerGone } from '../request.ts';
import { askForKey } from './session.ts';
import type { Failed, Store } from './store.ts';

export interface FailuresOptions {
  store: Store;
  api: Api;
  /** The server answers again. */
  onBack(): void;
}

export function commonFailures(options: FailuresOptions): Failed {
  const { store } = options;
  return (error) => {
    if (error instanceof ServerGone) {
      waitForServer(options);
      return true;
    }
    if (error instanceof ApiError && error.isKeyRefused && !store.state().config?.apiKey) {
      // 401: nobody has signed in here, or not for a long time. 403: with a key that has been changed since.
      askForKey(store, error.status === 401 ? 'empty' : 'wrong');
      return true;
    }
    return false;
  };
}

const HEALTH_INTERVAL_MS = 2000;

function waitForServer({ store, api, onBack }: FailuresOptions): void {
  if (store.state().serverGone) return;
  store.set({ serverGone: true });
  const isBack = () => {
    store.set({ serverGone: false });
    onBack();
  };
  const look = async () => {
    try {
      if (!document.hidden) {
        await api.health();
        isBack();
        return;
      }
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) return isBack();
    }
    setTimeout(look, HEALTH_INTERVAL_MS);
  };
  setTimeout(look, HEALTH_INTERVAL_MS);
}
