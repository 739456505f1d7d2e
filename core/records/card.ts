// A video's card: what is written when an upload is granted. Of the file, what was known then: all three facts, or none.

import * as z from 'zod';
import { recordKind } from './record.ts';

const schema = z.object({
  filename: z.string().optional(),
  contentType: z.string().optional(),
  sizeBytes: z.number().optional(),
  /** What tokens for this video allow. */
  maxBytes: z.number(),
  contentTypes: z.array(z.string()).readonly().optional(),
  /** For whom the video is, such as a customer or a course. */
  group: z.string().optional(),
  createdAt: z.iso.datetime(),
});

export type Card = z.infer<typeof schema>;

/** Before there were tokens a card said nothing of a limit: its upload was of just this size. */
export const CARD = recordKind(schema, [(card) => ({ maxBytes: card['sizeBytes'], ...card })]);
