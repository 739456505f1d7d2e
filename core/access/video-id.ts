// The end of a video's id is a check value of what stands before it. An id that nobody was given does not fit, so it can be
// refused before a store or a function is asked. lib/video-id.cf.js makes the same check at the edge and cannot import this.

import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * What becomes of an id that fits no key, such as those from before there were keys: it is admitted where it is `listed`,
 * as those are that videos had at the update, or in any case.
 */
export const UNCHECKED_IDS = ['listed', 'all'] as const;
export type UncheckedIds = (typeof UNCHECKED_IDS)[number];

/** Base-36 digits, 62 bits: 2^61 requests on average until a made-up id fits. */
export const CHECK_CHARACTERS = 12;

/** One digit of two bytes of HMAC-SHA256 each: 65,536 is so large that the remainder's bias is no help to anybody. */
export function checkValue(start: string, key: string): string {
  const hash = createHmac('sha256', key).update(start).digest();
  return Array.from({ length: CHECK_CHARACTERS }, (_, index) =>
    (hash.readUInt16BE(2 * index) % 36).toString(36),
  ).join('');
}

/** Whether an id was made with this key. Ids from before there were keys fit none, but are as good anywhere else. */
export function fitsKey(id: string, key: string): boolean {
  const start = id.slice(0, -CHECK_CHARACTERS);
  return timingSafeEqual(Buffer.from(id.slice(start.length)), Buffer.from(checkValue(start, key)));
}
