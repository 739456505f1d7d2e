// Videos whose source is there, but of which a revision is neither complete nor refused: what a lost event, or a machine that
// was switched off, leaves behind. Announcing them again brings them to their end.

import {
  SOURCES,
  VIDEO_RECORDS,
  errorKey,
  parseRevisionRecord,
  parseSourceKey,
} from '../../core/artifacts/keys.ts';
import { ERROR, isRefusal } from '../../core/records/error.ts';
import { readyMarkerOf, revisionsOf } from '../revisions/revisions.ts';
import { logFailure } from '../observe.ts';
import { readRecord } from '../store.ts';
import type { World } from '../world.ts';

/** Two listings, whatever the number of videos; the newest first. A record that cannot be read ends nobody else's work. */
export async function* unfinishedVideos({
  uploads,
  media,
}: Pick<World, 'uploads' | 'media'>): AsyncGenerator<string> {
  const records = new Map<string, Records>();
  for await (const { key } of media.list(VIDEO_RECORDS)) {
    const record = parseRevisionRecord(key);
    if (!record) continue;
    const { id, rev = '', kind } = record;
    const of = records.get(id) ?? { plan: new Set(), ready: new Set(), error: new Set(), work: new Set() };
    records.set(id, of);
    of[kind].add(rev);
  }
  for await (const { key } of uploads.list(SOURCES)) {
    const id = parseSourceKey(key);
    if (!id) continue;
    const failed = (error: unknown) => logFailure(id, error);
    if (await isUnfinished(id, records.get(id), media).catch(failed)) yield id;
  }
}

/** Of one video, the revisions that have each kind of record; the empty text stands for records of before there were any. */
type Records = Record<'plan' | 'ready' | 'error' | 'work', Set<string>>;

async function isUnfinished(
  id: string,
  records: Records | undefined,
  media: World['media'],
): Promise<boolean> {
  if (!records) return true;
  if (records.error.has('')) {
    const error = await readRecord(media, ERROR, errorKey(id));
    if (isRefusal(error)) return false;
  }
  const incomplete = [...records.plan].filter((rev) => !records.ready.has(rev));
  if (records.plan.size > 0 && incomplete.length === 0) return false;
  const revisions = await revisionsOf(id, media);
  if (!revisions) return true;
  // A former one need not be complete.
  for (const rev of [revisions.current, revisions.next?.rev]) {
    if (rev !== undefined && !(await readyMarkerOf(id, rev, media))) return true;
  }
  return false;
}
