// Reads what a request brings, and refuses what is not as it should be with a sentence that says where.

import type { Context } from 'hono';
import type * as z from 'zod';
import { RequestError } from '../core/errors.ts';

/** The body; undefined, which no schema takes, where it is not JSON. */
export async function jsonOf({ req }: Context, ifEmpty?: string): Promise<unknown> {
  const text = (await req.text()) || ifEmpty;
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws RequestError INVALID_REQUEST */
export function valid<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join('.');
  throw new RequestError(
    400,
    'INVALID_REQUEST',
    `${where ? `${where}: ` : ''}${issue?.message ?? 'not understood'}`,
  );
}
