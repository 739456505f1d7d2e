// That a part of one segment could not be decoded, and what was put in its place. Its key says which segment it is of; the
// ready marker sums up all of them.

import * as z from 'zod';
import { recordKind } from './record.ts';

/**
 * `held`, `blank`: the whole run was made again that way. `decoder`: decoder and filters went over it themselves, and said so.
 */
export const RESCUES = ['held', 'blank', 'decoder'] as const;
const schema = z.object({ rescue: z.enum(RESCUES) });

export type LostPart = z.infer<typeof schema>;

export const LOST = recordKind(schema, [
  (unversioned) => unversioned,
  // As of 6648bd6: what a decoder went over by itself was not noted.
  (first) => first,
]);
