// A bucket in memory, for tests of what is done with one.

import { createHash } from 'node:crypto';
import { notFound, sourceReplaced } from '../../core/errors.ts';
import type { Store } from '../../pipeline/store.ts';

export type MemoryStore = Store & { keys(): string[] };

export function memoryStore(): MemoryStore {
  const objects = new Map<string, Uint8Array>();
  return {
    keys: () => [...objects.keys()].sort(),
    head: async (key) => {
      const found = objects.get(key);
      return (
        found && { sizeBytes: found.length, lastModified: new Date(0), etag: etagOf(found), metadata: {} }
      );
    },
    get: async (key) => objects.get(key),
    getTagged: async (key) => {
      const bytes = objects.get(key);
      return bytes && { bytes, etag: etagOf(bytes), isProven: true };
    },
    readRange: async (key, { first, last, etag }) => {
      const object = objects.get(key);
      if (!object) throw notFound('such source');
      if (etag !== undefined && etagOf(object) !== etag) throw sourceReplaced();
      const found = object.subarray(first, last + 1);
      return (async function* () {
        yield found;
      })();
    },
    put: async (key, body, { ifAbsent, ifMatch }) => {
      const there = objects.get(key);
      if (ifAbsent && there) return 'exists';
      if (ifMatch && (!there || etagOf(there) !== ifMatch)) return 'exists';
      objects.set(key, Buffer.from(body));
      return 'stored';
    },
    upload: async (key) => {
      const parts = new Map<number, Uint8Array>();
      return {
        part: async (number, bytes) => {
          parts.set(number, Buffer.from(bytes));
          return { number, etag: etagOf(bytes) };
        },
        complete: async (listed) => {
          const inOrder = [...listed]
            .sort((a, b) => a.number - b.number)
            .map(({ number }) => parts.get(number)!);
          objects.set(key, Buffer.concat(inOrder));
        },
        partLinks: unlinked,
        abort: async () => parts.clear(),
      };
    },
    readLink: unlinked,
    writeLink: unlinked,
    list: async function* (prefix, after = '') {
      // As it is now, whatever is removed while somebody reads it.
      const listed = [...objects].map(([key, bytes]) => ({
        key,
        sizeBytes: bytes.length,
        etag: etagOf(bytes),
      }));
      for (const object of listed.sort((a, b) => (a.key < b.key ? -1 : 1))) {
        if (object.key.startsWith(prefix) && object.key > after) yield object;
      }
    },
    delete: async (keys) => keys.forEach((key) => objects.delete(key)),
  };
}

/** A sandbox in the same process is handed objects, not links. */
const unlinked = (): Promise<never> => Promise.reject(new Error('nobody can link to memory'));

const etagOf = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** With the same bytes under the same keys. */
export async function copyOfStore(store: MemoryStore): Promise<MemoryStore> {
  const copy = memoryStore();
  for (const key of store.keys()) {
    await copy.put(key, (await store.get(key))!, { contentType: 'application/json' });
  }
  return copy;
}
