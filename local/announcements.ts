// Events that nobody sends: for videos left unfinished by an earlier run, and for uploads to a store that is not ours
// and does not tell us of them.

import type { S3Event } from 'aws-lambda';
import {
  CLEANUPS,
  SOURCES,
  TOMBSTONES,
  cleanupKey,
  parseSourceKey,
  sourceKey,
} from '../core/artifacts/keys.ts';
import { MAX_LISTED } from '../core/aws-limits.ts';
import { unfinishedVideos } from '../pipeline/life/unfinished.ts';
import { videosWithoutCard } from '../pipeline/revisions/sweep.ts';
import type { World } from '../pipeline/world.ts';

type Buckets = Pick<World, 'uploads' | 'media'>;
type Announce = (event: S3Event) => void;

const POLL_MS = 2000;

export async function announceUnfinished(buckets: Buckets, announce: Announce): Promise<void> {
  for await (const id of unfinishedVideos(buckets)) announce(eventOf(sourceKey(id)));
}

/** Announces each upload that appears from now on, or takes the place of another; returns what stops that. */
export async function watchUploads({ uploads }: Buckets, announce: Announce): Promise<() => void> {
  const known = await newestUploads(uploads);
  let timer = setTimeout(look, POLL_MS);
  async function look(): Promise<void> {
    try {
      for (const [id, etag] of await newestUploads(uploads)) {
        if (known.get(id) !== etag) announce(eventOf(sourceKey(id)));
        known.set(id, etag);
      }
    } catch (error) {
      console.error(error);
    }
    timer = setTimeout(look, POLL_MS);
  }
  return () => clearTimeout(timer);
}

/**
 * Announces each request to the janitor that is there, or appears from now on; returns what stops that.
 * @param isTold whether the store tells of the latter itself
 */
export function watchCleanups(
  { media }: Pick<Buckets, 'media'>,
  announce: Announce,
  { isTold }: { isTold: boolean },
): () => void {
  let known = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  async function look(): Promise<void> {
    try {
      const found = new Map<string, string>();
      for (const prefix of [TOMBSTONES, CLEANUPS]) {
        for await (const { key, etag } of media.list(prefix)) {
          found.set(key, etag);
          if (known.get(key) !== etag) announce(eventOf(key));
        }
      }
      known = found;
    } catch (error) {
      console.error(error);
    }
    if (!isTold && !isStopped) timer = setTimeout(() => void look(), POLL_MS);
  }
  void look();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/** Announces deletions for which the store had no room to keep a request (pipeline/life/cleanup.ts). */
export async function announceDeleted({ media }: Pick<Buckets, 'media'>, announce: Announce): Promise<void> {
  for await (const id of videosWithoutCard(media)) announce(eventOf(cleanupKey(id)));
}

/** Which file each video has, by its ETag. */
async function newestUploads(uploads: Buckets['uploads']): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key, etag } of uploads.list(SOURCES)) {
    const id = parseSourceKey(key);
    if (id) found.set(id, etag);
    // Ids sort newest first, so that one page of a listing holds all that can be new.
    if (found.size === MAX_LISTED) break;
  }
  return found;
}

/** The part of S3's event that a function may rely on. */
function eventOf(key: string): S3Event {
  const s3 = { object: { key } };
  return { Records: [{ eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', s3 }] } as unknown as S3Event;
}
