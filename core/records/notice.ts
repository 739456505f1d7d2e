// A notice as it is stored within other records.

import * as z from 'zod';
import { NOTICE_CODES } from '../notices.ts';

export const noticeSchema = z.object({
  code: z.enum(NOTICE_CODES),
  track: z.string().nullable(),
  message: z.string(),
});
