// A source as the range server reads it, from the store.

import { OutageError, RequestError } from '../../core/errors.ts';
import { sourceKey } from '../../core/artifacts/keys.ts';
import type { PlannedSource } from '../../core/plan/plan.ts';
import type { GrantedSource } from '../sandbox/sandbox.ts';
import type { ObjectInfo, Store } from '../store.ts';
import type { World } from '../world.ts';

/** What was uploaded, as it stands. Read under its entity tag, it cannot become other bytes. */
export const uploadOf = (
  id: string,
  { sizeBytes, etag }: Pick<ObjectInfo, 'sizeBytes' | 'etag'>,
  { uploads }: Pick<World, 'uploads'>,
): GrantedSource => ({
  ...rangesOf(uploads, sourceKey(id), { sizeBytes, etag }),
  identity: { within: uploads, name: `${id} ${etag}` },
});

/** What segments are cut from. */
export function sourceOf(
  id: string,
  source: PlannedSource,
  world: Pick<World, 'uploads' | 'media'>,
): GrantedSource {
  const { key, sizeBytes, etag } = source;
  if (key === undefined) {
    return etag === undefined
      ? rangesOf(world.uploads, sourceKey(id), source)
      : uploadOf(id, { sizeBytes, etag }, world);
  }
  // Nobody but us writes it, and in the same way each time (core/records/mezzanine.ts).
  const copy = rangesOf(world.media, key, { sizeBytes });
  const lost = (error: unknown): never => {
    if (!(error instanceof RequestError)) throw error;
    throw new OutageError('STORE_UNAVAILABLE', `The copy ${key} is not stored any more.`, { cause: error });
  };
  const identity = { within: world.media, name: `${key} ${sizeBytes}` };
  return { ...copy, identity, isCopy: true, read: (...range) => copy.read(...range).catch(lost) };
}

const rangesOf = (
  store: Store,
  key: string,
  { sizeBytes, etag }: { sizeBytes: number; etag?: string },
): GrantedSource => ({
  ...{ sizeBytes, etag },
  link: () => store.readLink(key),
  read: (first, last, signal) => store.readRange(key, { first, last, etag }, signal),
});
