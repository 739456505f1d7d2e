// Why a video, or one revision of it, could not be completed.

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

/** A source that is refused stays refused; what failed by itself may be tried again. */
export const isRefusal = (error: StoredError | undefined): error is StoredError & { code: SourceErrorCode } =>
  error !== undefined && error.code !== 'ENCODING_FAILED';
