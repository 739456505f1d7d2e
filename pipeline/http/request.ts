// Reads what a request brings, within bounds, and refuses what is not as it should be with a sentence that says where.

import type { Context } from 'hono';
import type * as z from 'zod';
import { RequestError } from '../../core/errors.ts';

export interface BodyLimits {
  maxBytes: number;
  /** Values, and so the complaints there can be of them, each of which takes more memory than the value. */
  maxValues: number;
}

/** A file name of a thousand characters, the types a token allows, and what libraries send beside that fit many times. */
const USUAL: BodyLimits = { maxBytes: 64 * 1024, maxValues: 5000 };

/** Ours have three levels; libraries send what their users keep with a file. */
const MAX_DEPTH = 32;

export interface JsonOptions {
  /** What an empty body stands for. */
  ifEmpty?: string;
  limits?: BodyLimits;
}

/**
 * The body; undefined, which no schema takes, where it is not JSON.
 * @throws RequestError TOO_LARGE, INVALID_REQUEST
 */
export async function jsonOf(
  { req }: Context,
  { ifEmpty, limits = USUAL }: JsonOptions = {},
): Promise<unknown> {
  const { maxBytes } = limits;
  const tooLarge = () =>
    new RequestError(413, 'TOO_LARGE', `The body of the request is larger than ${maxBytes} bytes.`);
  if (Number(req.header('content-length') ?? 0) > maxBytes) throw tooLarge();
  const bytes = await req.arrayBuffer();
  if (bytes.byteLength > maxBytes) throw tooLarge();
  const text = new TextDecoder().decode(bytes) || ifEmpty;
  if (text === undefined) return undefined;
  checkShape(text, limits);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Counts brackets and commas outside of strings, as parsing would build what they stand for. */
function checkShape(text: string, { maxValues }: BodyLimits): void {
  let [depth, values, isInString] = [0, 1, false];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isInString) {
      if (character === '\\') index += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === ',') values += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === '{' || character === '[') [depth, values] = [depth + 1, values + 1];
    if (depth > MAX_DEPTH) {
      throw new RequestError(400, 'INVALID_REQUEST', `The body is nested deeper than ${MAX_DEPTH} levels.`);
    }
    if (values > maxValues) {
      throw new RequestError(400, 'INVALID_REQUEST', `The body holds more than ${maxValues} values.`);
    }
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

/** A message may repeat what a client sent. It says enough with this much of it. */
const MAX_MESSAGE_CHARACTERS = 300;

export const shortened = (message: string): string =>
  message.length <= MAX_MESSAGE_CHARACTERS
    ? message
    : `${message.slice(0, MAX_MESSAGE_CHARACTERS - 1).toWellFormed()}…`;
