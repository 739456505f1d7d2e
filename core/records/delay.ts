// That a video waits, for something that is not its source's fault, and when it is tried again.

import * as z from 'zod';
import { OUTAGE_CODES } from '../errors.ts';
import { recordKind } from './record.ts';

/** What a video can wait for: an end of an outage; or a better day for what ffmpeg could not make. */
export const DELAY_CODES = [...OUTAGE_CODES, 'ENCODING_FAILED'] as const;
export type DelayCode = (typeof DELAY_CODES)[number];

const schema = z.object({
  code: z.enum(DELAY_CODES),
  /** The first failure of those without a success in between. */
  since: z.iso.datetime(),
  retryAt: z.iso.datetime(),
  /** How often it has failed. */
  failures: z.int().min(1),
  /** Until when whoever tries it again is trusted to be at it; null while it waits. */
  triedUntil: z.iso.datetime().nullable(),
  /** Whose try that is: who did not hear that a write had gone well knows it by this. */
  triedBy: z.string().nullable(),
});

export type Delay = z.infer<typeof schema>;

export const DELAY = recordKind(schema, [(unversioned) => unversioned]);
