// What the API takes: each request is checked by these, and described by them in the OpenAPI document.

import * as z from 'zod';
import { isVideoId } from '../core/keys.ts';
import { MAX_TOKEN_SECONDS } from '../core/playback-token.ts';

export const uploadRequest = z.object({
  filename: z.string().min(1).max(1024),
  // Header values go into a signature as they are.
  contentType: z
    .string()
    .regex(/^[\w.+-]+\/[\w.+-]+(?:;[\x20-\x7e]*)?$/)
    .max(255),
  sizeBytes: z.int().min(0),
});

export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
  cursor: z.string().refine(isVideoId).optional(),
});

/** Long enough for a film with a pause, short enough that a link passed on does not last. */
const DEFAULT_TOKEN_SECONDS = 6 * 3600;

// Strict: whoever misspells the limit shall not get a longer one.
export const tokenRequest = z.strictObject({
  expiresInSeconds: z.int().min(1).max(MAX_TOKEN_SECONDS).default(DEFAULT_TOKEN_SECONDS),
});
