// The queue of what is to be made ahead of time, of all videos together: one record, changed by conditional writes only.
// What it says is decided in core/work/admission.ts.

import * as z from 'zod';
import { OUTAGE_CODES } from '../errors.ts';
import { recordKind } from './record.ts';

const index = z.int().min(0);

/** A list of work (core/records/work.ts), of one revision of a video. */
const listSchema = z.object({
  id: z.string(),
  rev: z.string(),
  /** For whom it is; the empty text stands for all who do not say. */
  group: z.string(),
  queuedAt: z.iso.datetime(),
  /** Items that it has. After the last one comes its end, which has their number as its index. */
  count: z.int().min(1),
  /** CPU seconds of one item, as estimated. */
  secondsPerItem: z.number().min(0),
  /** The first item that nobody has taken yet. */
  next: index,
  /** Items to be taken again. */
  returned: z.array(
    z.object({
      index,
      failures: z.int().min(0),
      /** Failures that say nothing of the video. */
      outages: z.int().min(0),
      notBefore: z.iso.datetime().nullable(),
    }),
  ),
  /** What the items failed with that are not tried any more. */
  givenUp: z.array(z.enum(['failed', ...OUTAGE_CODES])),
});

const runningSchema = z.object({
  /** No two have had the same. */
  ticket: z.int().min(0),
  id: z.string(),
  rev: z.string(),
  group: z.string(),
  index,
  failures: z.int().min(0),
  outages: z.int().min(0),
  /** Who is at it: the worker's number, and which call of it. */
  worker: index,
  by: z.string(),
});

const workerSchema = z.object({
  /** How often it has been called. */
  run: z.int().min(0),
  /** Until when it is trusted to be alive, if it does not say so again; null while it sleeps. */
  until: z.iso.datetime().nullable(),
  /** Who has called it, or which call of it is at work. */
  by: z.string(),
});

const schema = z.object({
  lists: z.array(listSchema),
  running: z.array(runningSchema),
  /** By their numbers. */
  workers: z.array(workerSchema),
  /** How many items have been handed out. */
  turns: z.int().min(0),
  /** Of each group: how many of them it was given, and how many had been handed out before the last. */
  served: z.array(z.object({ group: z.string(), times: z.int().min(0), last: z.int().min(0) })),
  /** When something was last done; null before. */
  movedAt: z.iso.datetime().nullable(),
});

export type Queue = z.infer<typeof schema>;
export type QueuedList = z.infer<typeof listSchema>;
export type RunningItem = z.infer<typeof runningSchema>;

export const QUEUE = recordKind(schema, [(unversioned) => unversioned]);

export const EMPTY_QUEUE: Queue = {
  lists: [],
  running: [],
  workers: [],
  turns: 0,
  served: [],
  movedAt: null,
};
