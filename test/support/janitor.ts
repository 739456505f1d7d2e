// The janitor without a server: what it is asked for is in the store.

import { CLEANUPS, TOMBSTONES, parseCleanupKey } from '../../core/artifacts/keys.ts';
import { deleteVideo } from '../../pipeline/life/deletion.ts';
import { cleanUp } from '../../pipeline/life/janitor.ts';
import type { JanitorWorld } from '../../pipeline/life/janitor.ts';
import type { MultipartStore } from '../../pipeline/uploads/multipart.ts';

type Buckets = Pick<JanitorWorld, 'media' | 'uploads'>;

export const WITHOUT_GRACE = { now: new Date(), graceSeconds: 0 };
const DAY_MS = 24 * 3600_000;

/** Fulfils all requests that there are, as on a day when no link is valid any more. */
export async function cleanedUp(buckets: Buckets, unfinished = NOTHING_UNFINISHED): Promise<void> {
  const now = new Date(WITHOUT_GRACE.now.getTime() + DAY_MS);
  // Each change of a tombstone is an event.
  for (let last = '', requests = await requestsIn(buckets); requests !== last;) {
    for (const line of requests.split('\n').filter(Boolean)) {
      await cleanUp(parseCleanupKey(line.split(' ')[0]!)!, { ...buckets, unfinished }, now);
    }
    [last, requests] = [requests, await requestsIn(buckets)];
  }
}

async function requestsIn({ media }: Buckets): Promise<string> {
  const lines: string[] = [];
  for (const prefix of [TOMBSTONES, CLEANUPS]) {
    for await (const { key, etag } of media.list(prefix)) lines.push(`${key} ${etag}`);
  }
  return lines.join('\n');
}

/** Deletes a video without a grace time, and waits until that is done. */
export async function removeVideo(id: string, buckets: Buckets): Promise<void> {
  await deleteVideo(id, buckets, WITHOUT_GRACE);
  await cleanedUp(buckets);
}

const none = { open: async function* () {} } as unknown as MultipartStore;
export const NOTHING_UNFINISHED: JanitorWorld['unfinished'] = { media: none, uploads: none };
