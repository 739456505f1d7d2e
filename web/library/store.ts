// The one state of the page, and who is told when it changes.

import { INITIAL } from './state.ts';
import type { State } from './state.ts';

export interface Store {
  state(): State;
  update(change: (state: State) => State): void;
  set(change: Partial<State>): void;
  /** Listeners are told in the order in which they came, and may change the state themselves. */
  onChange(listener: (before: State) => void): void;
}

export function stateStore(): Store {
  let state = INITIAL;
  const listeners: ((before: State) => void)[] = [];
  const update = (change: (state: State) => State) => {
    const before = state;
    state = change(state);
    for (const listener of listeners) listener(before);
  };
  return {
    state: () => state,
    update,
    set: (change) => update((state) => ({ ...state, ...change })),
    onChange: (listener) => void listeners.push(listener),
  };
}

/** Handles failures common to all requests; true if the user has been told. */
export type Failed = (error: unknown) => boolean;
