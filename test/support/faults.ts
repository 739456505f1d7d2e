// A bucket that misbehaves as a test says: each call of a Store may be answered otherwise.

import type { Store } from '../../pipeline/store.ts';

type Method = 'head' | 'getTagged' | 'readRange' | 'put' | 'delete';
type Answer<M extends Method> = ReturnType<Store[M]>;
export type Faults = {
  /** Undefined leaves the call to the bucket. */
  [M in Method]?: (...call: Parameters<Store[M]>) => Answer<M> | undefined;
};

/** The same bucket, in which `faults`, which may be changed at any time, come first. */
export function faultyStore<T extends Store>(store: T, faults: Faults): T {
  const methods = ['head', 'getTagged', 'readRange', 'put', 'delete'] as const;
  const faulty = Object.fromEntries(
    methods.map((method) => [
      method,
      (...call: never[]) =>
        (faults[method] as ((...args: never[]) => unknown) | undefined)?.(...call) ??
        (store[method] as (...args: never[]) => unknown)(...call),
    ]),
  ) as Partial<Store>;
  return {
    ...store,
    ...faulty,
    get: async (key: string) => (await (faulty.getTagged as Store['getTagged'])(key))?.bytes,
  };
}
