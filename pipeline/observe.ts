// What is worth knowing of a running system, said where it happens. What becomes of it (a log line, a metric, nothing)
// is for whoever builds the world (pipeline/world.ts) to say.

import { RequestError } from '../core/errors.ts';
import type { SourceErrorCode } from '../core/errors.ts';
import { isVideoId } from '../core/artifacts/keys.ts';
import type { LostPart } from '../core/records/lost.ts';
import type { Artifact } from '../core/artifacts/artifact.ts';
import type { PlannedSource } from '../core/plan/plan.ts';
import type { DelayCode } from '../core/records/delay.ts';

export type Observation =
  | {
      event: 'playable';
      id: string;
      secondsSinceUpload: number;
      durationSeconds: number;
      /** What segments are cut from; where that is a copy, why. */
      source: PlannedSource;
      sourceBytesRead: number;
    }
  | { event: 'refused'; id: string; code: SourceErrorCode }
  /** One artifact was made because it was asked for. */
  | {
      event: 'derived';
      id: string;
      key: string;
      kind: Artifact['kind'];
      seconds: number;
      sourceBytesRead: number;
    }
  /** A run of segments was made ahead of time. */
  | {
      event: 'prewarmed';
      id: string;
      from: number;
      to: number;
      seconds: number;
      videoSeconds: number;
      sourceBytesRead: number;
    }
  /** The source is damaged there: a picture was held, or nothing is to be seen or heard. */
  | { event: 'rescued'; id: string; rendition: string; index: number; rescue: LostPart['rescue'] }
  | { event: 'ready'; id: string; secondsSinceUpload: number; durationSeconds: number; storedBytes: number }
  | { event: 'failed'; id: string }
  /** Of all lists that are to be made ahead of time: how long the oldest has waited, and since when none has moved. */
  | { event: 'queued'; lists: number; secondsWaited: number; secondsStill: number }
  /** It has to wait for something that is not its source's fault, and is tried again. */
  | { event: 'delayed'; id: string; code: DelayCode }
  /** A video that was planned anew: its next revision is the current one now, or could not be completed. */
  | { event: 'succeeded'; id: string; rev: string; storedBytes: number }
  | { event: 'notSucceeded'; id: string; rev: string };

export type Observe = (observation: Observation) => void;

/**
 * A failure that ends here, with its stack. The id ties it to the rest of the video's life, over all functions; it is
 * undefined where no video is concerned, or nobody knows which.
 * @param during what was being done, where the stack does not say it
 */
export function logFailure(id: string | undefined, error: unknown, during?: string): undefined {
  if (id === undefined) console.error(error);
  else console.error(`video ${id}${during === undefined ? '' : `, ${during}`}:`, error);
}

/** The same for what is nobody's failure. */
export const logWarning = (id: string, { code, message }: RequestError): void =>
  console.warn(`video ${id}: ${code}: ${message}`);

/**
 * Does what Lambda or Step Functions call for. What that fails with passes through, as they decide what becomes of it; but they
 * know nothing of videos, so it is logged here. A RequestError is nobody's failure: the video was deleted meanwhile.
 */
export async function withFailureLogged<T>(id: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RequestError)) logFailure(id, error);
    throw error;
  }
}

/** The video that a path or a key is of. Upload tokens begin with the id of theirs. */
export const videoIdIn = (path: string): string | undefined =>
  path
    .split('/')
    .map((part) => part.split('.')[0]!)
    .find(isVideoId);

export const secondsSince = (then: Date, now = new Date()): number =>
  Math.max(0, (now.getTime() - then.getTime()) / 1000);
