// The janitor removes what is stored and no longer needed. It is asked to look at a video, and what it finds decides what
// goes: so it may be asked too often, late, by whoever is not sure, and be cut off at any moment.

import { parseArtifactKey, revPrefix } from '../../core/artifacts/artifacts.ts';
import {
  cardKey,
  cleanupKey,
  delayKey,
  errorKey,
  firstMezzanineKey,
  firstPlanKey,
  firstReadyKey,
  firstWorkKey,
  keysOfMezzanine,
  lostPrefix,
  mezzanineKey,
  mezzaninePrefix,
  parseLostKey,
  parseRevisionRecord,
  revisionsPrefix,
  sourceKey,
  tombstoneKey,
  videoPrefix,
} from '../../core/artifacts/keys.ts';
import { CURRENT } from '../../core/artifacts/artifact.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { isLastLinkOver, isPurgeDue } from '../../core/deletion.ts';
import { ERROR, isRefusal } from '../../core/records/error.ts';
import { TOMBSTONE } from '../../core/records/tombstone.ts';
import type { Stage, Tombstone } from '../../core/records/tombstone.ts';
import { advance, alignCard, evenIfFull } from './deletion.ts';
import { isPlanned, planOf, revisionsOf, revsOf } from '../revisions/revisions.ts';
import { deleteBelow, readRecord } from '../store.ts';
import type { Store } from '../store.ts';
import { abortBelow } from '../uploads/multipart.ts';
import type { MultipartStore } from '../uploads/multipart.ts';
import type { World } from '../world.ts';

export interface JanitorWorld extends Pick<World, 'media' | 'uploads'> {
  /** What has been begun in each of the two and is no object yet. */
  unfinished: Record<'media' | 'uploads', MultipartStore>;
  /** Undefined where nobody keeps what was delivered. */
  cdn?: Cdn | undefined;
}

export interface Cdn {
  /**
   * Has it forget all that it keeps below a path.
   * @returns false where it is at so many that it takes no more for now
   * @throws OutageError
   */
  forget(prefix: string): Promise<boolean>;
}

/**
 * Removes what this video does not need. Who makes something of a video looks afterwards whether it is still wanted, and asks
 * for this if it is not (`unlessDeleted`, `unlessUnplanned`).
 * @throws OutageError; RecordError where what a living video needs cannot be read. The request stays then.
 */
export async function cleanUp(id: string, world: JanitorWorld, now = new Date()): Promise<void> {
  const { media } = world;
  const requests = [tombstoneKey(id), cleanupKey(id)];
  const askedFor = () => Promise.all(requests.map(async (key) => (await media.head(key))?.etag));
  const begun = await askedFor();
  const tombstoneNow = () => readRecord(media, TOMBSTONE, tombstoneKey(id));
  let tombstone = await tombstoneNow();
  const isThere = await media.head(cardKey(id));
  // Without a card it may have been deleted just now.
  if (!tombstone && !isThere) tombstone = await tombstoneNow();
  const isOver = !tombstone || (await bury(id, tombstone, world, now));
  if (!tombstone) await (isThere ? removeUnneeded(id, world) : removeVideo(id, world));
  // What was asked for meanwhile was asked for by somebody who may have written since this looked: that is for the next run.
  const ended = await askedFor();
  const isDone = (at: number) => ended[at] !== undefined && ended[at] === begun[at];
  await media.delete(requests.filter((key, at) => isDone(at) && (isOver || key !== tombstoneKey(id))));
}

/**
 * Brings a deletion as far as it can be brought now.
 * @returns whether nothing of it is left to be done
 */
async function bury(id: string, tombstone: Tombstone, world: JanitorWorld, now: Date): Promise<boolean> {
  const { media } = world;
  switch (tombstone.stage) {
    case 'over':
    case 'restored':
      await alignCard(id, tombstone, media, now);
      return tombstone.stage === 'over';
    case 'asked':
    case 'hidden':
    case 'unreachable':
      if (!isPurgeDue(tombstone, now)) {
        await hide(id, tombstone, world, now);
        if (await advance(id, ['asked'], 'hidden', world, now))
          await forget(id, 'hidden', 'unreachable', world, now);
        return false;
      }
      if (!(await advance(id, [tombstone.stage], 'purging', world, now).catch(evenIfFull(id)))) return false;
  }
  await removeVideo(id, world);
  if (tombstone.stage === 'purged') return isLastLinkOver(tombstone, now);
  if (await advance(id, ['purging'], 'emptied', world, now))
    await forget(id, 'emptied', 'purged', world, now);
  return false;
}

/**
 * Tells the CDN. Each change of a tombstone calls the janitor, so several may be at one video: whoever has brought it to `from`
 * does this, as invalidations are paid for. Where the CDN is busy it is tried again (`goOnWithDeletions`).
 */
async function forget(id: string, from: Stage, to: Stage, world: JanitorWorld, now: Date): Promise<void> {
  const { cdn } = world;
  if (cdn === undefined || (await cdn.forget(`/${videoPrefix(id)}`)))
    await advance(id, [from], to, world, now);
}

/** Nobody can begin to watch it any more. All that goes can be made again in a moment. */
async function hide(
  id: string,
  tombstone: Tombstone,
  { media, unfinished }: JanitorWorld,
  now: Date,
): Promise<void> {
  await alignCard(id, tombstone, media, now);
  if (await media.head(cardKey(id))) return; // taken back meanwhile
  await abortBelow(sourceKey(id), unfinished.uploads);
  const entrances: string[] = [];
  for await (const { key } of media.list(videoPrefix(id))) {
    const artifact = parseArtifactKey(key)?.artifact;
    if (artifact && isEntrance(artifact)) entrances.push(key);
  }
  await media.delete(entrances);
}

/** What has to be known to find anything else, or has an address that anybody could guess from the video's. */
const isEntrance = (artifact: Artifact): boolean =>
  artifact.kind === 'multivariant' || artifact.kind === 'playlist' || artifact.rev === CURRENT;

/** What it is made from goes first, so that nothing is made anew. No record has to be readable for it. */
async function removeVideo(id: string, world: JanitorWorld): Promise<void> {
  const { media, uploads, unfinished } = world;
  await media.delete([cardKey(id)]);
  await removePlans(id, media);
  await uploads.delete([sourceKey(id)]);
  await abortBelow(sourceKey(id), unfinished.uploads);
  await media.delete([errorKey(id), firstWorkKey(id), firstReadyKey(id)]);
  await removeMade(id, world);
  await media.delete([delayKey(id)]);
}

async function removeUnneeded(id: string, world: JanitorWorld): Promise<void> {
  const { media, uploads } = world;
  const error = await readRecord(media, ERROR, errorKey(id));
  if (isRefusal(error)) {
    await media.delete([delayKey(id)]);
    await removePlans(id, media);
    if (error.code === 'TOO_LARGE') await uploads.delete([sourceKey(id)]);
    return removeMade(id, world);
  }
  await removeUnplanned(id, media);
  await removeUnusedCopies(id, world);
}

/** With all that is recorded of them. Whoever records something looks for the plan afterwards, so the plans go first. */
async function removePlans(id: string, media: Store): Promise<void> {
  await media.delete([firstPlanKey(id)]);
  await deleteBelow(revisionsPrefix(id), media);
  await deleteBelow(revisionsPrefix(id), media); // what was recorded while the plans went
}

/** What was made of a video's source. */
async function removeMade(id: string, { media, unfinished }: JanitorWorld): Promise<void> {
  await media.delete([firstMezzanineKey(id)]);
  await abortBelow(mezzaninePrefix(id), unfinished.media);
  for (const prefix of [mezzaninePrefix(id), videoPrefix(id)]) await deleteBelow(prefix, media);
}

/**
 * What was made of revisions that are no more, or never came to be. A plan is stored before anything is made of it, and
 * removed before that is.
 */
async function removeUnplanned(id: string, media: Store): Promise<void> {
  const revs = new Set<string>();
  for await (const { key } of media.list(videoPrefix(id))) {
    const artifact = parseArtifactKey(key)?.artifact;
    if (artifact && 'rev' in artifact && artifact.rev !== CURRENT) revs.add(artifact.rev);
  }
  for await (const { key } of media.list(revisionsPrefix(id))) {
    const lost = parseLostKey(key);
    if (lost) revs.add(lost.rev);
  }
  for (const rev of revs) {
    if (await isPlanned(id, rev, media)) continue;
    for (const prefix of [revPrefix(id, rev), lostPrefix(id, rev)]) await deleteBelow(prefix, media);
  }
}

/**
 * Copies that no plan reads. That of the file as it is now may be in the making: a file that comes after the listing has
 * no copy in it.
 */
async function removeUnusedCopies(id: string, { media, uploads }: JanitorWorld): Promise<void> {
  const copies: string[] = [];
  for await (const { key } of media.list(mezzaninePrefix(id))) copies.push(key);
  const source = await uploads.head(sourceKey(id));
  const needed = new Set(source && keysOfMezzanine(mezzanineKey(id, source.etag)));
  const revisions = await revisionsOf(id, media);
  const revs = new Set(revisions && revsOf(revisions));
  for await (const { key } of media.list(revisionsPrefix(id))) {
    const record = parseRevisionRecord(key);
    if (record?.rev !== undefined) revs.add(record.rev);
  }
  for (const rev of revs) {
    const copy = (await planOf(id, rev, media))?.source.key;
    if (copy !== undefined) keysOfMezzanine(copy).forEach((key) => needed.add(key));
  }
  await media.delete(copies.filter((key) => !needed.has(key)));
}
