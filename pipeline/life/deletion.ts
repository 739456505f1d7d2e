// Deleting a video, and taking that back. A tombstone says that it is deleted; the janitor (janitor.ts) does the rest.

import { cardKey, parseCleanupKey, tombstoneKey, TOMBSTONES } from '../../core/artifacts/keys.ts';
import {
  isBack,
  isPurgeDue,
  isRestorable,
  isStuck,
  nextCallAt,
  stageBefore,
  tombstoneOf,
} from '../../core/deletion.ts';
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
 * it. Harmless to do twice, and for a video that is not there, or only half; no record of it but its tombstone has to be readable.
 * @throws OutageError, and then it may happen all the same; RecordError
 */
export async function deleteVideo(
  id: string,
  { media }: Media,
  times: { now: Date; graceSeconds: number },
): Promise<void> {
  const stored = await media.get(cardKey(id));
  const card = stored ? Buffer.from(stored).toString('utf8') : null;
  const bury = (before: Tombstone | undefined): Tombstone => {
    const anew = tombstoneOf(card ?? before?.card ?? null, times);
    if (!before || isBack(before)) return anew;
    // The grace time of the first, unless this one's is over sooner.
    const purgeAt = anew.purgeAt < before.purgeAt ? anew.purgeAt : before.purgeAt;
    return { ...before, card: anew.card, purgeAt, calledAt: anew.calledAt };
  };
  // Where there is no room for it, `videosWithoutCard` finds what is left.
  await updateRecord(media, TOMBSTONE, tombstoneKey(id), bury).catch(evenIfFull(id));
  // The janitor does that as well. Whoever asks for the video next should not have to wait for it.
  await media.delete([cardKey(id)]);
}

/** A full disk, of all things, must not keep anybody from deleting. */
export const evenIfFull =
  (id: string) =>
  (error: unknown): true => {
    if (!(error instanceof OutageError && error.code === 'STORAGE_FULL')) throw error;
    logFailure(id, error);
    return true;
  };

/**
 * Takes a deletion back, within its grace time. What was stopped goes on within minutes (`goOnWithDeletions`). Harmless to do twice.
 * @throws RequestError NOT_FOUND where it is too late; OutageError; RecordError
 */
export async function restoreVideo(id: string, { media }: Media, now: Date): Promise<void> {
  const tombstone = await updateRecord(media, TOMBSTONE, tombstoneKey(id), (before) =>
    before && isRestorable(before, now) ? { ...before, ...called('restored', now) } : undefined,
  );
  if (tombstone?.stage === 'restored') return putBack(id, tombstone, media);
  if (!(await media.head(cardKey(id)))) throw notFound('such video');
}

async function putBack(id: string, { card }: Tombstone, media: Store): Promise<void> {
  if (card === null) return;
  await media.put(cardKey(id), card, { contentType: 'application/json', ifAbsent: true });
}

/**
 * Puts the card of a video back where it was asked for back, and removes it where it is deleted. Whatever is decided
 * meanwhile holds: it looks again afterwards.
 * @param tombstone as it was found
 */
export async function alignCard(id: string, tombstone: Tombstone, media: Store, now: Date): Promise<void> {
  for (let at = tombstone; ;) {
    if (isBack(at)) await putBack(id, at, media);
    else await media.delete([cardKey(id)]);
    const latest = await readRecord(media, TOMBSTONE, tombstoneKey(id));
    // It was taken back, and that is over: nobody else would put back what was removed just now.
    if (!latest && !isBack(at) && !isPurgeDue(at, now)) await putBack(id, at, media);
    if (!latest || isBack(latest) === isBack(at)) return;
    at = latest;
  }
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

/** Tombstones that are looked at together: of emptied stacks there are tens of thousands. */
const AT_ONCE = 16;

/**
 * Looks at all deletions: calls the janitor for each whose time has come, and takes up again what was stopped of those that were
 * taken back. One that cannot be read or written keeps no other waiting.
 * @param takeUp of a video that is back
 * @throws Error where the CDN has not taken an invalidation for a day
 */
export async function goOnWithDeletions(
  { media }: Media,
  { now, isTimeUp }: { now: Date; isTimeUp(): boolean },
  takeUp: (id: string) => Promise<void>,
): Promise<void> {
  let turnedAway = 0;
  const stuck: string[] = [];
  const back: string[] = [];
  const look = async (key: string): Promise<void> => {
    const id = parseCleanupKey(key)!;
    let isTakenBack = false;
    await updateRecord(media, TOMBSTONE, key, (before) => {
      isTakenBack = before?.stage === 'restored';
      if (!before || nextCallAt(before) > now) return undefined;
      if (isStuck(before, now)) stuck.push(id);
      const stage = stageBefore(before.stage);
      if (stage !== before.stage && ++turnedAway > MOST_CALLS) return undefined;
      return { ...before, ...called(stage, now) };
    });
    if (isTakenBack && (await media.head(cardKey(id)))) back.push(id);
  };
  let some: Promise<void>[] = [];
  for await (const { key } of media.list(TOMBSTONES)) {
    if (isTimeUp()) break;
    some.push(look(key).catch((error: unknown) => logFailure(parseCleanupKey(key), error)));
    if (some.length < AT_ONCE) continue;
    await Promise.all(some);
    some = [];
  }
  await Promise.all(some);
  // One after the other, as each may want a machine.
  for (const id of back) {
    if (isTimeUp()) break;
    await takeUp(id);
    await advance(id, ['restored'], 'over', { media }, now);
  }
  if (stuck.length === 0) return;
  throw new Error(
    `Deleted videos of which the CDN was not told for a day: ${stuck.length}. The first: ${stuck[0]}`,
  );
}
