// Which revisions a video has. The only record that is rewritten, and then only if nobody else has rewritten it.

import * as z from 'zod';
import { REV } from '../artifacts/keys.ts';
import { recordKind } from './record.ts';

const rev = z.string().regex(new RegExp(`^${REV}$`));

const schema = z.object({
  /** What `master.m3u8` names. */
  current: rev,
  /** Planned anew, and not yet complete: it becomes the current one when it is. */
  next: z.object({ rev, askedAt: z.iso.datetime() }).nullable(),
  /** Still derivable, for those who are watching; one of them may be the next one, too, if it is to come back. */
  former: z.array(
    z.object({
      rev,
      supersededAt: z.iso.datetime(),
      /** When the current one held everything that this one held; from then on its grace time runs. */
      graceFrom: z.iso.datetime().nullable(),
      /** Where the copy lies that it was made from, if it was: swept with it, unless another revision is, too. */
      copy: z.string().nullable(),
      /** Whether it is being removed, which nothing stops any more. */
      isSwept: z.boolean(),
    }),
  ),
});

export type Revisions = z.infer<typeof schema>;

export type NextRevision = NonNullable<Revisions['next']>;
export type FormerRevision = Revisions['former'][number];

export const REVISIONS = recordKind(schema, [(unversioned) => unversioned]);
