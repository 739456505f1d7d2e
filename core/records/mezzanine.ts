// What was found in a source while it was copied into its mezzanine. It is written when the copy is whole, so whoever plans
// the video again need not copy it again.

import * as z from 'zod';
import { PICTURE_WAYS, READINGS, SOUND_WAYS } from '../source/copy-ways.ts';
import { noticeSchema } from './notice.ts';
import { recordKind } from './record.ts';

const schema = z.object({
  sizeBytes: z.number(),
  tracks: z.array(
    z.object({
      kind: z.enum(['video', 'audio']),
      frameCount: z.number(),
      firstSeconds: z.number(),
      endSeconds: z.number(),
      keyframeSeconds: z.number(),
      // Copies of earlier releases were not counted.
      rate: z
        .object({
          usualPerSecond: z.number(),
          needed: z.object({ num: z.int().min(1), den: z.int().min(1) }),
        })
        .optional(),
    }),
  ),
  /** What the copy lacks of the source. */
  notices: z.array(noticeSchema),
  /** In which the same copy can be made again; null where that is not known, or the copy was cut short by time. */
  way: z
    .object({
      reading: z.enum(READINGS),
      picture: z.enum(PICTURE_WAYS),
      sound: z.enum(SOUND_WAYS),
    })
    .nullable(),
});

export type Mezzanine = z.infer<typeof schema>;

export const MEZZANINE = recordKind(schema, [
  (unversioned) => unversioned,
  // Copies were not compared with their sources, and all were made in one way.
  (first) => ({ notices: [], way: null, ...first }),
  // As of 6648bd6: there was no `retimed`.
  (second) => second,
]);
