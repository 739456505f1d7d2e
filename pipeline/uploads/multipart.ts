// What uploads need of a bucket beyond a Store: objects that a browser sends in parts, over several visits perhaps.

export interface StoredPart {
  number: number;
  /** Without quotes. */
  etag: string;
  sizeBytes: number;
}

export interface OpenUpload {
  key: string;
  uploadId: string;
  begunAt: Date;
}

export type UploadPosition = Pick<OpenUpload, 'key' | 'uploadId'>;

export interface MultipartStore {
  begin(key: string, object: { contentType: string; metadata: Record<string, string> }): Promise<string>;
  /** All parts that have come, in their order; undefined where there is no such upload (any more). */
  parts(key: string, uploadId: string): Promise<StoredPart[] | undefined>;
  /** The first thousand of them, by one request. */
  firstParts(key: string, uploadId: string): Promise<StoredPart[] | undefined>;
  /**
   * Makes the object of these parts, unless its key is taken.
   * @throws RequestError INVALID_REQUEST where the store does not take these parts
   */
  complete(
    key: string,
    uploadId: string,
    parts: readonly Omit<StoredPart, 'sizeBytes'>[],
  ): Promise<'completed' | 'exists' | 'gone'>;
  /** Harmless where there is no such upload. */
  abort(key: string, uploadId: string): Promise<void>;
  /** Uploads that are neither completed nor aborted, by the order of their keys, from the first after `after`. */
  open(prefix: string, after?: UploadPosition): AsyncIterable<OpenUpload>;
}

/** Forgets all that was sent of objects below a prefix, or of the one with this key, and is not complete. */
export async function abortBelow(prefix: string, multipart: MultipartStore): Promise<void> {
  for await (const { key, uploadId } of multipart.open(prefix)) await multipart.abort(key, uploadId);
}
