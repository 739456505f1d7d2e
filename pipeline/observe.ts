// What is worth knowing of a running system, said where it happens. What becomes of it (a log line, a metric, nothing)
// is for whoever builds the world (pipeline/world.ts) to say.

import type { SourceErrorCode } from '../core/errors.ts';
import type { Rescue } from '../core/encoding/segment-arguments.ts';
import type { Artifact } from '../core/artifacts/keys.ts';
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
  | { event: 'rescued'; id: string; rendition: string; index: number; rescue: Rescue }
  | { event: 'ready'; id: string; secondsSinceUpload: number; durationSeconds: number; storedBytes: number }
  | { event: 'failed'; id: string }
  /** It has to wait for something that is not its source's fault, and is tried again. */
  | { event: 'delayed'; id: string; code: DelayCode }
  /** A video that was planned anew: its next revision is the current one now, or could not be completed. */
  | { event: 'succeeded'; id: string; rev: string; storedBytes: number }
  | { event: 'notSucceeded'; id: string; rev: string };

export type Observe = (observation: Observation) => void;

export const secondsSince = (then: Date, now = new Date()): number =>
  Math.max(0, (now.getTime() - then.getTime()) / 1000);
