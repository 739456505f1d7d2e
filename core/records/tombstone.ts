// That a video was deleted: what it takes to have it back, for as long as that can be done, and how far its removal is.

import * as z from 'zod';
import { recordKind } from './record.ts';

/** In order, but for the last two. */
const STAGES = [
  'asked',
  /** No playlist of it is stored any more, and somebody is about to tell the CDN. */
  'hidden',
  /** The CDN has been told. */
  'unreachable',
  /** It cannot be had back any more: it is being removed. */
  'purging',
  /** Nothing of it is stored any more, and somebody is about to tell the CDN once more. */
  'emptied',
  /** The CDN has been told. */
  'purged',
  /** It was asked for back. */
  'restored',
  /** It is back, and what was stopped goes on. */
  'over',
] as const;

export type Stage = (typeof STAGES)[number];

const schema = z.object({
  askedAt: z.iso.datetime(),
  /** When the janitor was last called for it. */
  calledAt: z.iso.datetime(),
  /** The text of the video's card; null where it had none. */
  card: z.string().nullable(),
  /** Before, it can be had back; then it goes. */
  purgeAt: z.iso.datetime(),
  stage: z.enum(STAGES),
});

export type Tombstone = z.infer<typeof schema>;

export const TOMBSTONE = recordKind(schema, [
  (unversioned) => unversioned,
  // A deletion without a grace time.
  ({ askedAt }) => ({ askedAt, calledAt: askedAt, card: null, purgeAt: askedAt, stage: 'asked' }),
]);
