// How a revision ended: everything exists, or why not.

import * as z from 'zod';
import { SOURCE_ERROR_SENTENCES } from '../errors.ts';
import type { SourceErrorCode } from '../errors.ts';
import { recordKind } from './record.ts';

const readySchema = z.object({
  readyAt: z.iso.datetime(),
  storedBytes: z.number(),
  /** Of each rendition that was made ahead of time, as measured. Markers of before there were revisions do not say. */
  bitrates: z.record(z.string(), z.object({ peakBps: z.number(), averageBps: z.number() })).optional(),
});

export type ReadyMarker = z.infer<typeof readySchema>;

export const READY = recordKind(readySchema, [(unversioned) => unversioned]);

const errorSchema = z.object({
  code: z.enum(['ENCODING_FAILED', ...(Object.keys(SOURCE_ERROR_SENTENCES) as SourceErrorCode[])]),
  message: z.string(),
});

/** A refused source stays refused; what failed by itself may be tried again. */
export type StoredError = z.infer<typeof errorSchema>;

export const ERROR = recordKind(errorSchema, [(unversioned) => unversioned]);
