// Videos whose source is there, but which are neither ready nor refused: what a lost event, or a machine that was
// switched off, leaves behind. Announcing them again brings them to their end.

import { errorKey, parseSourceKey, readyKey, SOURCES, VIDEO_RECORDS } from '../core/keys.ts';
import type { StoredError } from './planning.ts';
import { getJson } from './store.ts';
import type { World } from './world.ts';

/** Two listings, whatever the number of videos; the newest first. */
export async function* unfinishedVideos({
  uploads,
  media,
}: Pick<World, 'uploads' | 'media'>): AsyncGenerator<string> {
  const records = new Set<string>();
  for await (const { key } of media.list(VIDEO_RECORDS)) records.add(key);
  for await (const { key } of uploads.list(SOURCES)) {
    const id = parseSourceKey(key);
    if (!id || records.has(readyKey(id))) continue;
    if (records.has(errorKey(id))) {
      const error = await getJson<StoredError>(media, errorKey(id));
      if (error && error.code !== 'ENCODING_FAILED') continue;
    }
    yield id;
  }
}
