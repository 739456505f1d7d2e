// Asks the janitor (janitor.ts), which alone removes what was stored of videos. A request is an object: it is there until
// it is fulfilled, and the store's own event of it calls the janitor. (A deletion is one as well: deletion.ts.)

import { CLEANUPS, cardKey, cleanupKey, parseCleanupKey } from '../../core/artifacts/keys.ts';
import { MAX_EVENT_AGE_SECONDS } from '../../core/aws-limits.ts';
import { notFound } from '../../core/errors.ts';
import { CLEANUP } from '../../core/records/cleanup.ts';
import { logFailure } from '../observe.ts';
import { putJson } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

type Media = Pick<World, 'media'>;

/** Has the janitor remove what a video does not need: all that was made of a refused or deleted one, among others. */
export const requestCleanup = (id: string, { media }: Media): Promise<void> => ask(cleanupKey(id), media);

/**
 * For whoever has just written a record of a video. Where the video was deleted meanwhile, what it wrote goes as well: the
 * card is gone before the janitor looks for records, so either it finds the record, or this finds the card gone.
 * @throws RequestError NOT_FOUND
 */
export async function unlessDeleted(id: string, { media }: Media): Promise<void> {
  if (await media.head(cardKey(id))) return;
  await requestCleanup(id, { media });
  throw notFound('such video');
}

/** For so long an event is tried; a request that is older has been given up, or its event was lost. */
const PATIENCE_MS = MAX_EVENT_AGE_SECONDS * 1000;

/** Asks again for what was asked for long ago and has not been done. One that cannot be written keeps no other waiting. */
export async function repeatRequests(
  { media }: Media,
  { now, isTimeUp }: { now: Date; isTimeUp(): boolean },
): Promise<void> {
  for await (const { key } of media.list(CLEANUPS)) {
    if (isTimeUp()) return;
    const asked = await media.head(key);
    if (!asked || now.getTime() - asked.lastModified.getTime() <= PATIENCE_MS) continue;
    await ask(key, media).catch((error: unknown) => logFailure(parseCleanupKey(key), error));
  }
}

const ask = async (key: string, media: Store): Promise<void> =>
  void (await putJson(media, key, CLEANUP.stored({ askedAt: new Date().toISOString() })));
