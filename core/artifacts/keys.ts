// The keys of everything but artifacts (artifacts.ts), in both buckets, are built and parsed here and nowhere else. The
// layout is the only state there is.

import { createHash, randomBytes } from 'node:crypto';
import { checkValue } from '../access/video-id.ts';

// In bucket `uploads`.
export const SOURCES = 'uploads/';
export const sourceKey = (id: string): string => `${SOURCES}${id}/source`;

// In bucket `media`; viewers can read what is below v/ and nothing else.
export const CARDS = 'videos/';
export const cardKey = (id: string): string => `${CARDS}${id}.json`;
export const VIDEO_RECORDS = 'plans/';
export const errorKey = (id: string): string => `${VIDEO_RECORDS}${id}.error.json`;
/** All that is recorded of a video's revisions. */
export const revisionsPrefix = (id: string): string => `${VIDEO_RECORDS}${id}/`;
export const revisionsKey = (id: string): string => `${revisionsPrefix(id)}revisions.json`;
export const planKey = (id: string, rev: string): string => `${revisionsPrefix(id)}${rev}.json`;
export const workKey = (id: string, rev: string): string => `${revisionsPrefix(id)}${rev}.work.json`;
export const readyKey = (id: string, rev: string): string => `${revisionsPrefix(id)}${rev}.ready.json`;
/** Why a revision that is not the current one could not be completed. */
export const revisionErrorKey = (id: string, rev: string): string =>
  `${revisionsPrefix(id)}${rev}.error.json`;

/** One for each segment of a revision of which a part could not be decoded. */
export const lostPrefix = (id: string, rev: string): string => `${revisionsPrefix(id)}${rev}/lost/`;
export const lostKey = (id: string, rev: string, rendition: string, index: number): string =>
  `${lostPrefix(id, rev)}${rendition}-${index}.json`;

/** What videos wait for. In a place of their own, so that whoever looks for them need not look at all the others. */
export const DELAYS = `${VIDEO_RECORDS}delayed/`;
export const delayKey = (id: string): string => `${DELAYS}${id}.json`;

/** What is to be made ahead of time, of all videos together. */
export const QUEUE_KEY = 'prewarm/queue.json';

/** What the janitor is asked for: that a video goes, or that it is rid of what it no longer needs. */
export const TOMBSTONES = 'tombstones/';
export const tombstoneKey = (id: string): string => `${TOMBSTONES}${id}.json`;
export const CLEANUPS = 'cleanups/';
export const cleanupKey = (id: string): string => `${CLEANUPS}${id}.json`;

/** What commit 8e3bc33 wrote, when a video had one plan: nothing is written there any more. */
export const firstPlanKey = (id: string): string => `${VIDEO_RECORDS}${id}.json`;
export const firstWorkKey = (id: string): string => `${VIDEO_RECORDS}${id}.work.json`;
export const firstReadyKey = (id: string): string => `${VIDEO_RECORDS}${id}.ready.json`;

/** Nobody but us reads below here. */
export const mezzaninePrefix = (id: string): string => `mezzanine/${id}/`;
/** Named after the ETag, any text, of the file it is of: where that takes another's place, its copy does not. */
export const mezzanineKey = (id: string, etag: string): string => `${mezzanineName(id, etag)}.mkv`;
/** What was found in it, and that it is whole. */
export const mezzanineRecordKey = (id: string, etag: string): string => `${mezzanineName(id, etag)}.json`;
/** The number goes up when copies are made otherwise: one must not take the place of another that a plan reads. */
const mezzanineName = (id: string, etag: string): string => `${mezzaninePrefix(id)}${hashOf(`4 ${etag}`)}`;
/** Where a copy lies that no record tells of: up to commit 8e3bc33; `etag` is undefined before 2661e34. */
export const unrecordedMezzanineKey = (id: string, etag: string | undefined): string =>
  etag === undefined ? firstMezzanineKey(id) : `${mezzaninePrefix(id)}${hashOf(etag)}.mkv`;
export const firstMezzanineKey = (id: string): string => `mezzanine/${id}.mkv`;
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 10);
/** A copy, and what was recorded of it: before that commit, nothing. */
export const keysOfMezzanine = (copy: string): string[] =>
  copy.startsWith(mezzaninePrefix(copy.split('/')[1]!)) ? [copy, copy.replace(/\.mkv$/, '.json')] : [copy];
export const videoPrefix = (id: string): string => `v/${id}/`;

/** As patterns. */
export const VIDEO_ID = '[0-9a-z]{34}';
export const REV = '[0-9a-f]{10}';
export const parseSourceKey = (key: string): string | undefined =>
  new RegExp(`^${SOURCES}(${VIDEO_ID})/source$`).exec(key)?.[1];

export const parseCardKey = (key: string): string | undefined =>
  new RegExp(`^${CARDS}(${VIDEO_ID})\\.json$`).exec(key)?.[1];

export const parseDelayKey = (key: string): string | undefined =>
  new RegExp(`^${DELAYS}(${VIDEO_ID})\\.json$`).exec(key)?.[1];

/** The video that the janitor is asked to look at. */
export const parseCleanupKey = (key: string): string | undefined =>
  new RegExp(`^(?:${TOMBSTONES}|${CLEANUPS})(${VIDEO_ID})\\.json$`).exec(key)?.[1];

const LOST_RECORD = new RegExp(
  `^${VIDEO_RECORDS}${VIDEO_ID}/(?<rev>${REV})/lost/(?<rendition>[0-9a-z-]+)-(?<index>\\d+)\\.json$`,
);

export function parseLostKey(key: string): { rev: string; rendition: string; index: number } | undefined {
  const found = LOST_RECORD.exec(key)?.groups;
  return found && { rev: found['rev']!, rendition: found['rendition']!, index: Number(found['index']) };
}

const REVISION_RECORD = new RegExp(
  `^${VIDEO_RECORDS}(?<id>${VIDEO_ID})(?:/(?<rev>${REV}))?(?:\\.(?<kind>work|ready|error))?\\.json$`,
);

/** What a listing of the records tells: of which video, which revision (none: as 8e3bc33 wrote it), and what kind. */
export function parseRevisionRecord(
  key: string,
): { id: string; rev: string | undefined; kind: 'plan' | 'work' | 'ready' | 'error' } | undefined {
  const found = REVISION_RECORD.exec(key)?.groups;
  return found && { id: found['id']!, rev: found['rev'], kind: (found['kind'] ?? 'plan') as 'plan' };
}

export const isVideoId = (text: string): boolean => new RegExp(`^${VIDEO_ID}$`).test(text);

/**
 * A new id: nine characters that count down with time, so that a plain listing of keys is newest first, 13 random ones
 * (67 bits), and a check value of both. Who lacks the key can guess neither of the last two, which are 129 bits together.
 * @param key what the edge checks ids with; an id without one looks the same and fits no key
 */
export function newVideoId(now: Date, key: string = randomBytes(32).toString('hex')): string {
  const countdown = COUNTDOWN_FROM - now.getTime();
  // The remainder's bias (256 = 7 · 36 + 4) costs well under a bit in all; 32 of 36 letters would cost five.
  const random = Array.from(randomBytes(13), (byte) => (byte % 36).toString(36)).join('');
  const start = countdown.toString(36).padStart(9, '0') + random;
  return start + checkValue(start, key);
}

/** When an id was made. */
export const videoIdDate = (id: string): Date => new Date(COUNTDOWN_FROM - parseInt(id.slice(0, 9), 36));

const COUNTDOWN_FROM = 36 ** 9 - 1;
