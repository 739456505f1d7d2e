// What S3 answers, told apart: what was asked for, a refusal that means something, and a store that is not itself.

import type { Readable } from 'node:stream';
import { S3ServiceException } from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { OutageError, RequestError } from '../core/errors.ts';
import { persistently } from '../machine/patience.ts';

/**
 * Statuses by which a store says something about what was asked for. All others are about itself: 403 of a key or a clock
 * that is wrong for a while, 400 of a body that did not come whole.
 */
const MEANT = new Set([404, 409, 412, 416]);

const isMeant = (error: unknown): boolean =>
  MEANT.has(statusOf(error) ?? 0) && (error as S3ServiceException).name !== 'NoSuchBucket';

export const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

/**
 * One request, which the SDK has tried again by itself where that could help.
 * @throws S3ServiceException for a refusal that means something; OutageError STORAGE_FULL, STORE_UNAVAILABLE
 */
export async function asked<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw isMeant(error) || error instanceof RequestError ? error : outage(error);
  }
}

function outage(error: unknown): OutageError {
  if (error instanceof OutageError) return error;
  // What the embedded store says of a full disk.
  if (statusOf(error) === 507) return new OutageError('STORAGE_FULL', undefined, { cause: error });
  const { name, message } = error as Error;
  return new OutageError('STORE_UNAVAILABLE', `The store does not answer: ${name}: ${message}`, {
    cause: error,
  });
}

const ATTEMPTS = 4;

/**
 * An answer with its body, all of it: the SDK tries a request again, but not a body that breaks off.
 * @param request what `wholeBody` throws of is asked again
 * @throws as `asked`
 */
export const askedWhole = <T>(request: () => Promise<T>): Promise<T> =>
  persistently(() => asked(request), {
    attempts: ATTEMPTS,
    passes: (error) => error instanceof OutageError && error.code === 'STORE_UNAVAILABLE',
  });

/**
 * The bytes of a body. The SDK compares them with a checksum where the store has one, and gives up where none come.
 * @param sizeBytes as the answer's head has it
 * @throws Error where there are fewer or more
 */
export async function wholeBody(body: Readable, sizeBytes: number | undefined): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body as AsyncIterable<Uint8Array>) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  if (sizeBytes !== undefined && bytes.length !== sizeBytes) {
    throw new Error(`the answer has ${bytes.length} bytes of ${sizeBytes}`);
  }
  return bytes;
}

/** What we say of an object when we write it, as metadata: whoever cuts it, or puts a part in its place, is found out. */
const LENGTH = 'length';

export const lengthMetadata = (body: Uint8Array | string): Record<string, string> => ({
  [LENGTH]: String(Buffer.byteLength(body)),
});

/**
 * Whether these bytes are known to be all that we wrote. That they are the very same is for the SDK to see, which
 * compares them with a checksum where the store has one.
 */
export const isProven = (
  bytes: Uint8Array,
  { Metadata }: Pick<GetObjectCommandOutput, 'Metadata'>,
): boolean => Metadata?.[LENGTH] === String(bytes.length);
