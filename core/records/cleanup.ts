// That the janitor is asked to look at a video. What it then does, it reads off from what exists, not from this.

import * as z from 'zod';
import { recordKind } from './record.ts';

const schema = z.object({ askedAt: z.iso.datetime() });

export const CLEANUP = recordKind(schema, [(unversioned) => unversioned]);
