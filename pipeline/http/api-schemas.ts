// What the API takes: each request is checked by these, and described by them in the OpenAPI document.

import * as z from 'zod';
import { isVideoId } from '../../core/artifacts/keys.ts';
import { UNKNOWN_TYPE } from '../../core/access/media-type.ts';
import { MAX_TOKEN_SECONDS } from '../../core/access/playback-token.ts';
import { MAX_UPLOAD_TOKEN_SECONDS } from '../../core/access/upload-token.ts';
import { MAX_KEY_BYTES, MAX_PARTS, MAX_REQUEST_BYTES } from '../../core/aws-limits.ts';
import { DEFAULT_PAGE, MAX_PAGE } from '../../core/limits.ts';

// Header values go into a signature as they are. Of a file whose type it does not know, a browser says that it is ''.
const contentType = z
  .string()
  .regex(/^(?:[\w.+-]+\/[\w.+-]+(?:;[\x20-\x7e]*)?)?$/, 'is no media type, such as video/mp4')
  .max(255)
  .overwrite((type) => type || UNKNOWN_TYPE);
const filename = z.string().min(1).max(1024);
const group = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'is not 1 to 64 of the characters A-Z, a-z, 0-9, ".", "_" and "-"');

const expiresInSeconds = (most: number, otherwise: number) => z.int().min(1).max(most).default(otherwise);

/** A large file on a slow line takes hours, and whoever holds the key can give out a new token. */
const DEFAULT_UPLOAD_TOKEN_SECONDS = 12 * 3600;
const uploadTokenSeconds = expiresInSeconds(MAX_UPLOAD_TOKEN_SECONDS, DEFAULT_UPLOAD_TOKEN_SECONDS);

const FILE = ['filename', 'contentType', 'sizeBytes'] as const;

// Strict: whoever misspells a limit shall not get an upload without one.
export const uploadRequest = z
  .strictObject({
    filename: filename.optional(),
    contentType: contentType.optional(),
    sizeBytes: z.int().min(0).optional(),
    maxBytes: z.int().min(1).optional(),
    contentTypes: z
      .array(
        z
          .string()
          .regex(
            /^[a-z0-9.+-]+\/(?:\*|[a-z0-9.+-]+)$/,
            'is no media type in small letters, such as video/mp4 or video/*',
          )
          .max(255),
      )
      .min(1)
      .max(20)
      .optional(),
    group: group.optional(),
    expiresInSeconds: uploadTokenSeconds,
  })
  .superRefine((request, context) => {
    const missing = FILE.filter((name) => request[name] === undefined);
    if (missing.length === 0 || missing.length === FILE.length) return;
    const message = `is missing: ${FILE.join(', ')} go together`;
    context.addIssue({ code: 'custom', path: [missing[0]!], message });
  })
  .meta({
    dependentRequired: Object.fromEntries(FILE.map((name) => [name, FILE.filter((other) => other !== name)])),
  });

export const uploadTokenRequest = z.strictObject({ expiresInSeconds: uploadTokenSeconds });

/** S3's are a few hundred long; longer ones make a URL that nobody takes. */
export const MAX_UPLOAD_ID_CHARACTERS = 1024;

const NO_CURSOR = 'is none that a list has answered with';
const pageLimit = z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE);

export const pageQuery = z.object({
  limit: pageLimit,
  cursor: z.string().refine(isVideoId, NO_CURSOR).optional(),
});

export const openUploadsQuery = z.object({
  limit: pageLimit,
  cursor: z
    .string()
    .regex(new RegExp(`^[0-9a-z]{34}/[\\x21-\\x7e]{1,${MAX_UPLOAD_ID_CHARACTERS}}$`), NO_CURSOR)
    .optional(),
});

// What upload libraries send (@uppy/aws-s3 for one). They send more, for others.

const chosenFile = z.object({ filename, type: contentType.default(UNKNOWN_TYPE) });

export const formQuery = chosenFile;

export const multipartRequest = chosenFile;

const partNumber = z.coerce.number().int().min(1).max(MAX_PARTS);
const partSize = z.coerce.number().int().min(0).max(MAX_REQUEST_BYTES);

export const partQuery = z.object({ partNumber, size: partSize.optional() });

export const signRequest = z.object({
  method: z.enum(['GET', 'PUT', 'POST', 'DELETE']),
  key: z.string().min(1).max(MAX_KEY_BYTES),
  uploadId: z.string().min(1).max(MAX_UPLOAD_ID_CHARACTERS).optional(),
  partNumber: partNumber.optional(),
  size: partSize.optional(),
  filename: filename.optional(),
  contentType: contentType.optional(),
});

export const completionRequest = z.object({
  parts: z
    .array(
      z.object({
        PartNumber: partNumber,
        // Libraries pass it on as S3 has it, in quotes, or without them.
        ETag: z
          .string()
          .regex(/^"?[\x21\x23-\x7e]{1,128}"?$/, 'is no ETag, as S3 answers with one to each part'),
      }),
    )
    .min(1)
    .max(MAX_PARTS),
});

/** Long enough for a film with a pause, short enough that a link passed on does not last. */
const DEFAULT_TOKEN_SECONDS = 6 * 3600;

// Strict: whoever misspells the limit shall not get a longer one.
export const tokenRequest = z.strictObject({
  expiresInSeconds: expiresInSeconds(MAX_TOKEN_SECONDS, DEFAULT_TOKEN_SECONDS),
});
