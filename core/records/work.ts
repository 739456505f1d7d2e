// One item of a list of work, as it is stored: each has its version.

import * as z from 'zod';
import { RecordError } from '../errors.ts';
import { recordKind } from './record.ts';

const schema = z.object({
  id: z.string(),
  rev: z.string(),
  what: z.discriminatedUnion('kind', [
    /** Segments `from` up to, not including, `to`, of some renditions; null for those that the plan names in `prewarm`. */
    z.object({
      kind: z.literal('chunk'),
      from: z.int().min(0),
      to: z.int().min(1),
      renditions: z.array(z.string()).nullable(),
    }),
    /** The poster, the whole storyboard, and thumbnails of some moments: a few seconds' work, whatever the film's length. */
    z.object({ kind: z.literal('stills'), thumbs: z.array(z.int().min(0)) }),
  ]),
});

export type Work = z.infer<typeof schema>;

/** Lists of 8e3bc33 may lie half done when functions are replaced. */
export const WORK = recordKind(schema, [
  ({ id, rev, from, to, stills }) => ({
    id,
    rev,
    what: stills ? { kind: 'stills', thumbs: [] } : { kind: 'chunk', from, to, renditions: null },
  }),
]);

/** A whole list: an array, as the state machine's map reads no other. @throws RecordError */
export function parseWorkList(text: string, key: string): Work[] {
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch {
    items = undefined;
  }
  if (Array.isArray(items)) return items.map((item) => WORK.parse(item, key));
  throw new RecordError(
    'RECORD_UNREADABLE',
    key,
    `The record ${key} cannot be read: it is not a JSON array.`,
  );
}
