// The ready marker: everything of a revision that is to be made ahead of time exists.

import * as z from 'zod';
import { noticeSchema } from './notice.ts';
import { recordKind } from './record.ts';

const schema = z.object({
  readyAt: z.iso.datetime(),
  storedBytes: z.number(),
  /** Of each rendition that was made ahead of time, as measured. Markers of before there were revisions do not say. */
  bitrates: z.record(z.string(), z.object({ peakBps: z.number(), averageBps: z.number() })).optional(),
  /** What turned out, as it was made, to be missing of the source. */
  notices: z.array(noticeSchema),
});

export type ReadyMarker = z.infer<typeof schema>;

export const READY = recordKind(schema, [(unversioned) => unversioned, withoutNotices]);

/** As of c632366: what could not be decoded was only logged. */
function withoutNotices(marker: Record<string, unknown>): Record<string, unknown> {
  return { ...marker, notices: [] };
}
