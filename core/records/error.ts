// Why a video, or one revision of it, could not be completed. A refused source stays refused; what failed by itself may be
// tried again.

import * as z from 'zod';
import { SOURCE_ERROR_SENTENCES } from '../errors.ts';
import type { SourceErrorCode } from '../errors.ts';
import { recordKind } from './record.ts';

const schema = z.object({
  code: z.enum(['ENCODING_FAILED', ...(Object.keys(SOURCE_ERROR_SENTENCES) as SourceErrorCode[])]),
  message: z.string(),
});

export type StoredError = z.infer<typeof schema>;

export const ERROR = recordKind(schema, [(unversioned) => unversioned]);
