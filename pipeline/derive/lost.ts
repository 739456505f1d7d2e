// Notes which segments a part of could not be decoded, when they are made, so that the video says so. Segments are made in
// any order, by several at once, and before or after the video is ready: so each has a note of its own, and whoever
// writes one, or the ready marker, goes on until the marker sums up all notes that there are.

import { lostKey, lostPrefix, parseLostKey, readyKey } from '../../core/artifacts/keys.ts';
import { lostNotices } from '../../core/plan/lost.ts';
import type { LostSegment } from '../../core/plan/lost.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { LOST } from '../../core/records/lost.ts';
import type { LostPart } from '../../core/records/lost.ts';
import { READY } from '../../core/records/ready.ts';
import { unlessUnplanned } from './artifacts.ts';
import { createRecord, updateRecord } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

/** Where something was put in a segment's place, says so to whoever watches us, and in the video. @throws as `noteLost` */
export async function noteRescue(
  id: string,
  plan: Plan,
  { rendition, index, rescue }: LostSegment & { rescue?: LostPart['rescue'] | undefined },
  { media, observe }: Pick<World, 'media' | 'observe'>,
): Promise<void> {
  if (!rescue) return;
  observe({ event: 'rescued', id, rendition, index, rescue });
  await noteLost(id, plan, { rendition, index }, rescue, media);
}

/**
 * Before the segment is stored: whoever finds it stored makes no note.
 * @throws RequestError NOT_FOUND where the revision is no more
 */
export async function noteLost(
  id: string,
  plan: Plan,
  { rendition, index }: LostSegment,
  rescue: LostPart['rescue'],
  media: Store,
): Promise<void> {
  const key = lostKey(id, plan.rev, rendition, index);
  await createRecord(media, LOST, key, { rescue });
  await unlessUnplanned(id, plan.rev, media);
  // Whoever writes the marker sums up afterwards, and finds this note.
  if (await media.head(readyKey(id, plan.rev))) await sumUpLost(id, plan, media);
}

/** Makes a ready marker say what is noted; where there is none yet, whoever writes it does so. */
export async function sumUpLost(id: string, plan: Plan, media: Store): Promise<void> {
  for (;;) {
    const notices = lostNotices(plan, await lostSegments(id, plan.rev, media));
    let isNews = false;
    await updateRecord(media, READY, readyKey(id, plan.rev), (marker) => {
      isNews = marker !== undefined && JSON.stringify(marker.notices) !== JSON.stringify(notices);
      return marker && isNews ? { ...marker, notices } : undefined;
    });
    // What was listed before another's write may have gone over it: only a look that finds nothing to do ends this.
    if (!isNews) return;
  }
}

async function lostSegments(id: string, rev: string, media: Store): Promise<LostSegment[]> {
  const segments: LostSegment[] = [];
  for await (const { key } of media.list(lostPrefix(id, rev))) {
    const segment = parseLostKey(key);
    if (segment) segments.push(segment);
  }
  return segments;
}
