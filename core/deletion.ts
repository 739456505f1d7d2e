// The times of a deletion: until when it can be taken back, when the janitor has to look again, and when it is over.

import { MAX_EVENT_AGE_SECONDS } from './aws-limits.ts';
import { SIGNED_SECONDS } from './limits.ts';
import type { Stage, Tombstone } from './records/tombstone.ts';

const SECOND_MS = 1000;

/** What was begun with the last link may arrive a little later. */
const ARRIVAL_SECONDS = 15 * 60;
/** What the CDN did not take, as it was at others, is tried again after so long. */
const RETRY_SECONDS = 4 * 60;
/** It takes thousands in a day. */
const STUCK_SECONDS = 24 * 3600;

export const tombstoneOf = (
  card: string | null,
  { now, graceSeconds }: { now: Date; graceSeconds: number },
): Tombstone => ({
  askedAt: now.toISOString(),
  calledAt: now.toISOString(),
  card,
  purgeAt: after(now, graceSeconds).toISOString(),
  stage: 'asked',
});

/** Whether it was taken back. */
export const isBack = ({ stage }: Tombstone): boolean => stage === 'restored' || stage === 'over';

export const isPurgeDue = ({ purgeAt }: Tombstone, now: Date): boolean => new Date(purgeAt) <= now;

/** Whether the deletion can be taken back. */
export const isRestorable = (tombstone: Tombstone, now: Date): boolean =>
  ['asked', 'hidden', 'unreachable'].includes(tombstone.stage) &&
  tombstone.card !== null &&
  !isPurgeDue(tombstone, now);

/** Whether nothing that was allowed before the deletion can arrive any more. */
export const isLastLinkOver = ({ askedAt }: Tombstone, now: Date): boolean => lastLinkOver(askedAt) <= now;

const lastLinkOver = (askedAt: string): Date => after(new Date(askedAt), SIGNED_SECONDS + ARRIVAL_SECONDS);

/** Whether the CDN should have been told for a day, and was not. */
export const isStuck = ({ stage, askedAt, purgeAt }: Tombstone, now: Date): boolean =>
  (stage === 'hidden' && after(new Date(askedAt), STUCK_SECONDS) < now) ||
  (stage === 'emptied' && after(new Date(purgeAt), STUCK_SECONDS) < now);

/** The stage from which what was not brought to its end is tried again. */
export const stageBefore = (stage: Stage): Stage =>
  stage === 'hidden' ? 'asked' : stage === 'emptied' ? 'purging' : stage;

/** When the janitor is to be called for it again, if it has not come further. */
export function nextCallAt({ stage, calledAt, askedAt, purgeAt }: Tombstone): Date {
  const called = new Date(calledAt);
  switch (stage) {
    case 'asked': // their events are tried for so long
    case 'purging':
    case 'over':
      return after(called, MAX_EVENT_AGE_SECONDS);
    case 'hidden':
    case 'emptied':
    case 'restored': // its card may have been removed just afterwards
      return after(called, RETRY_SECONDS);
    case 'unreachable':
      return later(new Date(purgeAt), called);
    case 'purged':
      return later(lastLinkOver(askedAt), called);
  }
}

const after = (date: Date, seconds: number): Date => new Date(date.getTime() + seconds * SECOND_MS);
const later = (one: Date, other: Date): Date => (one > other ? one : other);
