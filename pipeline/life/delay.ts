// Videos whose work could not be done for now: noted, so that everybody can see it, and somebody comes back to it.

import { randomUUID } from 'node:crypto';
import { OutageError, RecordError } from '../../core/errors.ts';
import { DELAYS, delayKey, parseDelayKey } from '../../core/artifacts/keys.ts';
import { DELAY } from '../../core/records/delay.ts';
import type { Delay, DelayCode } from '../../core/records/delay.ts';
import { unlessDeleted } from './cleanup.ts';
import { logFailure } from '../observe.ts';
import { readRecord, updateRecord } from '../store.ts';
import type { World } from '../world.ts';

type Buckets = Pick<World, 'media' | 'uploads'>;

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;

/** Waits double from the first to the longest. */
const WAITS = {
  /** An outage may be over at any moment, and a look costs little. */
  outage: { firstMs: 5 * SECOND_MS, longestMs: HOUR_MS },
  /** A machine that is busy is so for a while; a source that is too heavy for it stays so, and each try is work. */
  slowness: { firstMs: 10 * SECOND_MS, longestMs: 24 * HOUR_MS },
  /** What a healthy ffmpeg did not make of a whole source it will hardly make the next minute. */
  failure: { firstMs: 60 * SECOND_MS, longestMs: 24 * HOUR_MS },
};

const waitsOf = (code: DelayCode) => {
  if (code === 'ENCODING_FAILED') return WAITS.failure;
  return code === 'TIMED_OUT' ? WAITS.slowness : WAITS.outage;
};

/** How long whoever tries a video again is trusted to be at it before its work has begun. */
const LONGEST_BEGINNING_MS = HOUR_MS / 2;

/** And how long after that. Where it takes longer it is tried once more, which does no harm. */
const LONGEST_RUN_MS = 24 * HOUR_MS;

/** What a video waits for after this failure. */
export const delayCodeOf = (error: unknown): DelayCode =>
  error instanceof OutageError ? error.code : 'ENCODING_FAILED';

/**
 * Notes that a video has to wait, for longer with each failure.
 * @throws RequestError NOT_FOUND where it was deleted meanwhile; OutageError
 */
export async function delayVideo(id: string, code: DelayCode, buckets: Buckets, now: Date): Promise<void> {
  await updateRecord(buckets.media, DELAY, delayKey(id), (before) => {
    const failures = (before?.failures ?? 0) + 1;
    const { firstMs, longestMs } = waitsOf(code);
    const waitMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 20));
    return {
      ...{ code, failures, triedUntil: null, triedBy: null },
      since: before?.since ?? now.toISOString(),
      retryAt: after(now, waitMs),
    };
  });
  await unlessDeleted(id, buckets);
}

/** Undefined for a video that waits for nothing, or is being tried again right now. */
export async function delayOf(id: string, { media }: Pick<World, 'media'>): Promise<Delay | undefined> {
  const delay = await readRecord(media, DELAY, delayKey(id)).catch((error: unknown) => {
    // It says when, and nothing of what.
    if (!(error instanceof RecordError)) throw error;
    return logFailure(id, error);
  });
  return delay?.triedUntil === null ? delay : undefined;
}

export const endDelay = (id: string, { media }: Pick<World, 'media'>): Promise<void> =>
  media.delete([delayKey(id)]);

/** Videos that have waited long enough. A record that cannot be read ends nobody else's wait. */
export async function* dueVideos({ media }: Pick<World, 'media'>, now: Date): AsyncGenerator<string> {
  for await (const { key } of media.list(DELAYS)) {
    const id = parseDelayKey(key);
    const delay =
      id && (await readRecord(media, DELAY, key).catch((error: unknown) => logFailure(id, error)));
    if (delay && isDue(delay, now)) yield id;
  }
}

/**
 * Notes that somebody is at it again.
 * @returns false where another has come first, or the video waits no longer
 */
export async function beginTry(id: string, { media }: Pick<World, 'media'>, now: Date): Promise<boolean> {
  const triedBy = randomUUID();
  const delay = await updateRecord(media, DELAY, delayKey(id), (before) =>
    before && isDue(before, now)
      ? { ...before, triedUntil: after(now, LONGEST_BEGINNING_MS), triedBy }
      : undefined,
  );
  return delay?.triedBy === triedBy;
}

/** Notes that the work which somebody is at has begun: it is queued now. */
export async function continueTry(id: string, { media }: Pick<World, 'media'>, now: Date): Promise<void> {
  await updateRecord(media, DELAY, delayKey(id), (before) =>
    // Not what has failed meanwhile.
    before?.triedUntil ? { ...before, triedUntil: after(now, LONGEST_RUN_MS) } : undefined,
  );
}

const isDue = ({ retryAt, triedUntil }: Delay, now: Date): boolean => now >= new Date(triedUntil ?? retryAt);

const after = (now: Date, ms: number): string => new Date(now.getTime() + ms).toISOString();
