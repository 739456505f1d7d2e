// That a part of one segment could not be decoded, and what was put in its place. Its key says which segment it is of; the
// ready marker sums up all of them.

import * as z from 'zod';
import { recordKind } from './record.ts';

const schema = z.object({ rescue: z.enum(['held', 'blank']) });

export type LostPart = z.infer<typeof schema>;

export const LOST = recordKind(schema, [(unversioned) => unversioned]);
