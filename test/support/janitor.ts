// The janitor without a server: what it is asked for is in the store.

import { CLEANUPS, TOMBSTONES, parseCleanupKey } from '../../core/artifacts/keys.ts';
import { deleteVideo } from '../../pipeline/life/cleanup.ts';
import { cleanUp } from '../../pipeline/life/janitor.ts';
import type { JanitorWorld } from '../../pipeline/life/janitor.ts';
import type { MultipartStore } from '../../pipeline/uploads/multipart.ts';

type Buckets = Pick<JanitorWorld, 'media' | 'uploads'>;

/** Fulfils all requests that there are. */
export async function cleanedUp(buckets: Buckets, unfinished = NOTHING_UNFINISHED): Promise<void> {
  for (const prefix of [TOMBSTONES, CLEANUPS]) {
    for await (const { key } of buckets.media.list(prefix)) {
      await cleanUp(parseCleanupKey(key)!, { ...buckets, unfinished });
    }
  }
}

/** Deletes a video, and waits until that is done. */
export async function removeVideo(id: string, buckets: Buckets): Promise<void> {
  await deleteVideo(id, buckets);
  await cleanedUp(buckets);
}

const none = { open: async function* () {} } as unknown as MultipartStore;
export const NOTHING_UNFINISHED: JanitorWorld['unfinished'] = { media: none, uploads: none };
