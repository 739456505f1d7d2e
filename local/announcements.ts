// Events that nobody sends: for videos left unfinished by an earlier run, and for uploads to a store that is not ours
// and does not tell us of them.

import type { S3Event } from 'aws-lambda';
import { SOURCES, parseSourceKey, sourceKey } from '../core/keys.ts';
import { unfinishedVideos } from '../pipeline/unfinished.ts';
import type { World } from '../pipeline/world.ts';

type Buckets = Pick<World, 'uploads' | 'media'>;
type Announce = (event: S3Event) => void;

const POLL_MS = 2000;
/** Ids sort newest first, so that one page of a listing holds all that can be new. */
const NEWEST = 1000;

export async function announceUnfinished(buckets: Buckets, announce: Announce): Promise<void> {
  for await (const id of unfinishedVideos(buckets)) announce(createdEvent(id));
}

/** Announces each upload that appears from now on; returns what stops that. */
export async function watchUploads({ uploads }: Buckets, announce: Announce): Promise<() => void> {
  let known = new Set(await newestUploads(uploads));
  let timer = setTimeout(look, POLL_MS);
  async function look(): Promise<void> {
    try {
      const found = await newestUploads(uploads);
      for (const id of found) if (!known.has(id)) announce(createdEvent(id));
      known = new Set([...known, ...found]);
    } catch (error) {
      console.error(error);
    }
    timer = setTimeout(look, POLL_MS);
  }
  return () => clearTimeout(timer);
}

async function newestUploads(uploads: Buckets['uploads']): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of uploads.list(SOURCES)) {
    const id = parseSourceKey(key);
    if (id) ids.push(id);
    if (ids.length === NEWEST) break;
  }
  return ids;
}

/** The part of S3's event that a function may rely on. */
function createdEvent(id: string): S3Event {
  const s3 = { object: { key: sourceKey(id) } };
  return { Records: [{ eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', s3 }] } as unknown as S3Event;
}
