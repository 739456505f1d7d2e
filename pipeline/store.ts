// What the pipeline needs of a bucket. Its promises beyond a map: with `ifAbsent` or `ifMatch`, of all who write a key at
// once one wins; and what is read is whole. Every call throws OutageError where the store is away, or full.

import { OutageError } from '../core/errors.ts';
import type { RecordKind } from '../core/records/record.ts';
import { pause } from '../machine/patience.ts';

export interface ObjectInfo {
  sizeBytes: number;
  lastModified: Date;
  etag: string;
  /** What was stored with it under names of one's own, in ASCII. */
  metadata: Readonly<Record<string, string>>;
}

export interface TaggedObject {
  bytes: Uint8Array;
  etag: string;
  /** They are known to be as many as were written. */
  isProven: boolean;
}

export interface ListedObject {
  key: string;
  sizeBytes: number;
  etag: string;
}

export interface PutOptions {
  contentType: string;
  cacheControl?: string;
  /** Leave what is there, and answer `exists`. */
  ifAbsent?: boolean;
  /** Replace what has this ETag and nothing else; answer `exists` otherwise, also where there is nothing any more. */
  ifMatch?: string;
}

export interface Store {
  head(key: string): Promise<ObjectInfo | undefined>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** The same, with what `ifMatch` takes. */
  getTagged(key: string): Promise<TaggedObject | undefined>;
  /**
   * Bytes `first` to `last`, both included, as they arrive; they may break off.
   * @throws RequestError SOURCE_REPLACED where the object is no longer the one with this `etag`, NOT_FOUND where it is
   *   gone
   */
  readRange(
    key: string,
    range: { first: number; last: number; etag: string | undefined },
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  put(key: string, body: Uint8Array | string, options: PutOptions): Promise<'stored' | 'exists'>;
  /** Begins an object that is sent piece by piece, and is there when it is complete. */
  upload(key: string, options: Pick<PutOptions, 'contentType'>): Promise<ObjectUpload>;
  /** A URL that reads this object, whoever has it. */
  readLink(key: string): Promise<string>;
  /** A request that writes this object where there is none. */
  writeLink(key: string, options: Pick<PutOptions, 'contentType' | 'cacheControl'>): Promise<WriteLink>;
  /** All keys below a prefix in the order of their bytes, from the first after `after`. */
  list(prefix: string, after?: string): AsyncIterable<ListedObject>;
  delete(keys: readonly string[]): Promise<void>;
}

/** A piece that was sent, by its number and the entity tag that the store gave it. */
export interface SentPart {
  number: number;
  etag: string;
}

/** An object in the making. Pieces are numbered from 1, come in any order, and all but the last are of 5 MiB at least. */
export interface ObjectUpload {
  part(number: number, bytes: Uint8Array): Promise<SentPart>;
  /**
   * Makes the object of these parts, and of no others that were sent. Ends all other uploads of the same object as well.
   * @throws OutageError where the store does not have all of its bytes then
   */
  complete(parts: readonly SentPart[], sizeBytes: number): Promise<void>;
  /** For others who send parts with these numbers. */
  partLinks(numbers: readonly number[]): Promise<PartLinks>;
  /** Forgets it; harmless after the end. */
  abort(): Promise<void>;
}

/** A PUT that somebody else may make, with these headers. */
export interface WriteLink {
  url: string;
  headers: Record<string, string>;
}

/** PUTs of parts: one URL, which lacks `partNumber` and `X-Amz-Signature`, and the two for each. */
export interface PartLinks {
  url: string;
  signatures: [number: number, signature: string][];
}

/** @throws RecordError */
export async function readRecord<T>(store: Store, kind: RecordKind<T>, key: string): Promise<T | undefined> {
  const bytes = await store.get(key);
  return bytes && kind.parse(textOf(bytes), key);
}

/** Leaves what is there. */
export const createRecord = <T>(
  store: Store,
  kind: RecordKind<T>,
  key: string,
  record: T,
): Promise<'stored' | 'exists'> => putJson(store, key, kind.stored(record), { ifAbsent: true });

// Records are changed a few times in the life of a video: so many losses in a row say that the store keeps no condition.
const ATTEMPTS = 50;

const PAUSES_MS = { first: 50, longest: 2000 };

/**
 * How long to wait before a change is tried once more of which others were faster: anything from nothing to twice as much as
 * after the time before, so that of a crowd not all come back at once.
 * @param random from 0 to 1
 */
export const pauseAfterLossMs = (losses: number, random: number): number =>
  random * Math.min(PAUSES_MS.longest, PAUSES_MS.first * 2 ** (losses - 1));

/**
 * Changes a record, or writes the first: again until nobody else has changed it meanwhile.
 * @param change undefined leaves it as it is
 * @returns the record as it then stands
 * @throws RecordError where what is there cannot be read: it is not overwritten
 */
export async function updateRecord<T>(
  store: Store,
  kind: RecordKind<T>,
  key: string,
  change: (before: T | undefined) => T | undefined,
): Promise<T | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await store.getTagged(key);
    const before = found && kind.parse(textOf(found.bytes), key);
    const after = change(before);
    if (!after) return before;
    const condition = found ? { ifMatch: found.etag } : { ifAbsent: true };
    if ((await putJson(store, key, kind.stored(after), condition)) === 'stored') return after;
    await pause(pauseAfterLossMs(attempt + 1, Math.random()));
  }
  const message = `change of ${key}: ${ATTEMPTS} conditional writes in a row found it changed`;
  throw new OutageError('STORE_UNAVAILABLE', message);
}

export const putJson = (
  store: Store,
  key: string,
  value: unknown,
  condition: Pick<PutOptions, 'ifAbsent' | 'ifMatch'> = {},
): Promise<'stored' | 'exists'> =>
  store.put(key, JSON.stringify(value), { contentType: 'application/json', ...condition });

export async function deleteBelow(prefix: string, store: Store): Promise<void> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  await store.delete(found);
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
