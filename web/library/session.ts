// Signing in and out.

import type { Api } from '../api.ts';
import { problemOf } from '../problems.ts';
import { ApiError } from '../request.ts';
import { byId } from './pieces.ts';
import type { Failed, Store } from './store.ts';

export interface SessionOptions {
  store: Store;
  api: Api;
  failed: Failed;
  onSignedIn(): Promise<void>;
}

export function askForKey(store: Store, keyForm: 'empty' | 'wrong'): void {
  store.set({ keyForm });
  queueMicrotask(() => byId('key').focus());
}

export function listenToKeyForm(options: SessionOptions): void {
  byId('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const field = byId<HTMLInputElement>('key');
    void signIn(field.value.trim(), options).then(() => (field.value = ''));
  });
}

async function signIn(credential: string, { store, api, failed, onSignedIn }: SessionOptions): Promise<void> {
  if (store.state().keyForm === 'trying') return;
  store.set({ keyForm: 'trying' });
  try {
    await api.signIn(credential);
  } catch (error) {
    const isRefused = error instanceof ApiError && error.isKeyRefused;
    askForKey(store, isRefused ? 'wrong' : 'empty');
    if (!isRefused && !failed(error)) store.set({ notice: problemOf(error) });
    return;
  }
  store.set({ keyForm: 'hidden', notice: undefined });
  await onSignedIn();
}

export async function signOut({ store, api, failed }: Omit<SessionOptions, 'onSignedIn'>): Promise<void> {
  try {
    await api.signOut();
    location.reload(); // what was listed leaves the screen, and the memory
  } catch (error) {
    if (!failed(error)) store.set({ notice: problemOf(error) });
  }
}
