// Limits of an upload in parts that hold before its bytes are stored. S3 knows no limit for the sum of parts, so each
// part is checked by what is stored when its URL is signed. That takes one ListParts, which costs as much as the part's
// own PUT, and tells of a thousand parts.
//
// This stops every client that is told to stop. One that signs all its parts before it sends any can still store more, in
// five uploads and for three days at most, as S3 then forgets what is not complete:
//  - A URL for a size takes that many bytes and no others. The limit divided by its number is the most a part can say, so
//    all parts together hold less than ten limits (1 + 1/2 + … + 1/10,000 = 9.8).
//  - A URL without a size takes up to 5 GiB, as S3 does. There is one for every 5 MiB of the limit. Only Uppy's own routes
//    need such URLs, as it tells no sizes. The next request for a part of the upload finds the excess and aborts it.

import { sourceKey } from '../../core/artifacts/keys.ts';
import { MIN_PART_BYTES } from '../../core/aws-limits.ts';
import type { MultipartStore, OpenUpload, StoredPart } from './multipart.ts';

export interface IntendedPart {
  number: number;
  /** Undefined where whoever sends it does not tell. */
  sizeBytes: number | undefined;
}

/**
 * The least size of a file that has this part and those that are stored. Parts are numbered without gaps; all but the
 * last have 5 MiB; those that say their sizes are equal, but for the last, which is smaller. Of the stored parts not
 * all need be known.
 */
export function leastFileBytes(stored: readonly StoredPart[], { number, sizeBytes }: IntendedPart): number {
  const others = stored.filter((part) => part.number !== number); // it takes the place of the one of its number
  const before = others.filter((part) => part.number < number);
  const unseen = number - 1 - before.length;
  const bytesBefore = sum(before.map((part) => Math.max(part.sizeBytes, MIN_PART_BYTES)));
  const bytesAfter = sum(others.filter((part) => part.number > number).map((part) => part.sizeBytes));
  const adjoining = bytesBefore + unseen * MIN_PART_BYTES + (sizeBytes ?? 1) + bytesAfter;
  return Math.max(adjoining, number * (sizeBytes ?? 0));
}

/** A browser that has crashed four times can still go on with any of its uploads. */
export const MAX_OPEN_UPLOADS = 5;

const ABORTS_AT_ONCE = 5;
/** A store may list for a while what has been aborted. */
const MOST_ROUNDS = 100;

/**
 * Aborts the oldest uploads of a video until there is room for one more, or for `own`, which stays whatever its age: S3
 * tells times by the second.
 */
export async function makeRoom(
  id: string,
  own: string | undefined,
  multipart: MultipartStore,
): Promise<void> {
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds += 1) {
    const others: OpenUpload[] = [];
    for await (const upload of multipart.open(sourceKey(id)))
      if (upload.uploadId !== own) others.push(upload);
    const newestFirst = others.sort((a, b) => b.begunAt.getTime() - a.begunAt.getTime());
    const excess = newestFirst.slice(MAX_OPEN_UPLOADS - 1);
    // Any of them: of hundreds that begin at once, each aborts others, and not all the same.
    const some = shuffled(excess).slice(0, ABORTS_AT_ONCE);
    await Promise.all(some.map(({ key, uploadId }) => multipart.abort(key, uploadId)));
    if (some.length === excess.length) return;
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
