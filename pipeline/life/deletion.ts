// Deleting a video, and taking that back. A tombstone says that it is deleted; the janitor (janitor.ts) does the rest.

import { cardKey, parseCleanupKey, tombstoneKey, TOMBSTONES } from '../../core/artifacts/keys.ts';
import { isRestorable, nextCallAt, stageBefore, tombstoneOf } from '../../core/deletion.ts';
import { OutageError, notFound } from '../../core/errors.ts';
import { TOMBSTONE } from '../../core/records/tombstone.ts';
import type { Stage, Tombstone } from '../../core/records/tombstone.ts';
import { logFailure } from '../observe.ts';
import { readRecord, updateRecord } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

type Media = Pick<World, 'media'>;

/**
 * Has a video removed, when its grace time is over. From now on it is in no list and has no state, and nobody makes anything of
 * it. Harmless to do twice, and for a video that is not there, or only half; no record of it has to be readable.
 * @throws OutageError, and then it may happen all the same
 */
export async function deleteVideo(
  id: string,
  { media }: Media,
  times: { now: Date; graceSeconds: number },
): Promise<void> {
  const stored = await media.get(cardKey(id));
  const card = stored ? Buffer.from(stored).toString('utf8') : null;
  const bury = (before: Tombstone | undefined): Tombstone => {
    const isBack = before?.stage === 'restored' || before?.stage === 'over';
    if (!before || (isBack && card !== null)) return tombstoneOf(card, times);
    return { ...before, card: before.card ?? card, calledAt: times.now.toISOString() };
  };
  await updateRecord(media, TOMBSTONE, tombstoneKey(id), bury).catch((error: unknown) => {
    // A full disk, of all things, must not keep anybody from deleting. `videosWithoutCard` finds what is left.
    if (!(error instanceof OutageError && error.code === 'STORAGE_FULL')) throw error;
    logFailure(id, error);
  });
  // The janitor does that as well. Whoever asks for the video next should not have to wait for it.
  await media.delete([cardKey(id)]);
}

/**
 * Takes a deletion back, within its grace time. What was stopped goes on within minutes (`restoredVideos`). Harmless to do twice.
 * @throws RequestError NOT_FOUND where it is too late; OutageError; RecordError
 */
export async function restoreVideo(id: string, { media }: Media, now: Date): Promise<void> {
  const tombstone = await updateRecord(media, TOMBSTONE, tombstoneKey(id), (before) =>
    before && isRestorable(before, now) ? { ...before, ...called('restored', now) } : undefined,
  );
  if (tombstone?.stage === 'restored') return putBack(id, tombstone, media);
  if (!(await media.head(cardKey(id)))) throw notFound('such video');
}

/** Whoever finds that a video was asked for back makes that true. */
export async function putBack(id: string, { card }: Tombstone, media: Store): Promise<void> {
  if (card !== null) await media.put(cardKey(id), card, { contentType: 'application/json', ifAbsent: true });
}

/**
 * Says how far a deletion is, unless it was taken back meanwhile.
 * @param from as far as it was
 * @returns whether it was this call that did
 */
export async function advance(
  id: string,
  from: readonly Stage[],
  stage: Stage,
  { media }: Media,
  now: Date,
): Promise<boolean> {
  let isOwn = false;
  await updateRecord(media, TOMBSTONE, tombstoneKey(id), (before) => {
    isOwn = before !== undefined && from.includes(before.stage);
    return isOwn ? { ...before!, ...called(stage, now) } : undefined;
  });
  return isOwn;
}

const called = (stage: Stage, now: Date): Pick<Tombstone, 'stage' | 'calledAt'> => ({
  stage,
  calledAt: now.toISOString(),
});

/** At once, of those that the CDN may have turned away: it takes fifteen or so, and the rest would be turned away again. */
const MOST_CALLS = 30;

/** Has the janitor called for each deletion whose time has come. One that cannot be written keeps no other waiting. */
export async function repeatDeletions(
  { media }: Media,
  { now, isTimeUp }: { now: Date; isTimeUp(): boolean },
): Promise<void> {
  let turnedAway = 0;
  for await (const { key } of media.list(TOMBSTONES)) {
    if (isTimeUp()) return;
    const callAgain = (before: Tombstone | undefined): Tombstone | undefined => {
      if (!before || nextCallAt(before) > now) return undefined;
      const stage = stageBefore(before.stage);
      if (stage !== before.stage && ++turnedAway > MOST_CALLS) return undefined;
      return { ...before, ...called(stage, now) };
    };
    await updateRecord(media, TOMBSTONE, key, callAgain).catch((error: unknown) =>
      logFailure(parseCleanupKey(key), error),
    );
  }
}

/** Videos that are back, and of which nobody has taken up yet what was stopped. */
export async function* restoredVideos({ media }: Media): AsyncGenerator<string> {
  for await (const { key } of media.list(TOMBSTONES)) {
    const id = parseCleanupKey(key)!;
    const isBack = async () =>
      (await readRecord(media, TOMBSTONE, key))?.stage === 'restored' && (await media.head(cardKey(id)));
    if (await isBack().catch((error: unknown) => logFailure(id, error))) yield id;
  }
}
