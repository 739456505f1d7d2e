// What the pipeline needs of a bucket. Its only promise beyond a map: with `ifAbsent`, of all who write a key one wins.

export interface ObjectInfo {
  sizeBytes: number;
  lastModified: Date;
  etag: string;
  /** What was stored with it under names of one's own, in ASCII. */
  metadata: Readonly<Record<string, string>>;
}

export interface ListedObject {
  key: string;
  sizeBytes: number;
}

export interface PutOptions {
  contentType: string;
  cacheControl?: string;
  /** Leave what is there, and answer `exists`. */
  ifAbsent?: boolean;
}

export interface Store {
  head(key: string): Promise<ObjectInfo | undefined>;
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Bytes `first` to `last`, both included, as they arrive.
   * @throws RequestError SOURCE_REPLACED where the object is no longer the one with this `etag`
   */
  readRange(
    key: string,
    range: { first: number; last: number; etag: string | undefined },
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  put(key: string, body: Uint8Array | string, options: PutOptions): Promise<'stored' | 'exists'>;
  /** Begins an object that is sent piece by piece, and is there when it is complete. */
  upload(key: string, options: Pick<PutOptions, 'contentType'>): Promise<ObjectUpload>;
  /** All keys below a prefix in the order of their bytes, from the first after `after`. */
  list(prefix: string, after?: string): AsyncIterable<ListedObject>;
  delete(keys: readonly string[]): Promise<void>;
}

/** An object in the making. Pieces are numbered from 1, come in any order, and all but the last are of 5 MiB at least. */
export interface ObjectUpload {
  part(number: number, bytes: Uint8Array): Promise<void>;
  complete(): Promise<void>;
  /** Forgets it; harmless after the end. */
  abort(): Promise<void>;
}

export async function getJson<T>(store: Store, key: string): Promise<T | undefined> {
  const bytes = await store.get(key);
  return bytes && (JSON.parse(Buffer.from(bytes).toString('utf8')) as T);
}

export const putJson = (
  store: Store,
  key: string,
  value: unknown,
  options: { ifAbsent?: boolean } = {},
): Promise<'stored' | 'exists'> =>
  store.put(key, JSON.stringify(value), { contentType: 'application/json', ...options });
