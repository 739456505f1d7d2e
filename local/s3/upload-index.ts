// Multipart uploads that have begun, and the parts of them that have come.

import type { Database } from './database.ts';
import { S3Error } from './errors.ts';
import { blobsOf, type NewObject, type ObjectIndex, type StoredObject } from './object-index.ts';
import type { Precondition } from './precondition.ts';

export interface MultipartUpload {
  id: string;
  bucket: string;
  key: string;
  begunMs: number;
  headers: Record<string, string>;
}

export interface Part {
  number: number;
  sizeBytes: number;
  modifiedMs: number;
  etag: string;
  checksums: Record<string, string>;
  blob: string;
}

export class UploadIndex {
  readonly #database: Database;
  readonly #objects: ObjectIndex;

  constructor(database: Database, objects: ObjectIndex) {
    this.#database = database;
    this.#objects = objects;
  }

  begin({ id, bucket, key, begunMs, headers }: MultipartUpload): void {
    this.#database.sql.run`
      INSERT INTO uploads (id, bucket, key, begun_ms, headers)
      VALUES (${id}, ${bucket}, ${key}, ${begunMs}, ${JSON.stringify(headers)})`;
  }

  /** Throws NoSuchUpload unless it is one, and of this key. */
  require(bucket: string, key: string, id: string): MultipartUpload {
    const row = this.#database.sql.get`
      SELECT * FROM uploads WHERE id = ${id} AND bucket = ${bucket} AND key = ${key}`;
    if (!row) throw new S3Error('NoSuchUpload', undefined, { UploadId: id });
    return uploadOf(row);
  }

  /** Those whose key and id come after the given ones, by both. */
  after(bucket: string, prefix: string, key: string, id: string, limit: number): MultipartUpload[] {
    const rows = this.#database.sql.all`
      SELECT * FROM uploads
      WHERE bucket = ${bucket} AND (key, id) > (${key}, ${id}) AND substr(key, 1, length(${prefix})) = ${prefix}
      ORDER BY key, id LIMIT ${limit}`;
    return rows.map(uploadOf);
  }

  /** Returns the blobs of a part of the same number that it replaces. */
  putPart({ bucket, key, id }: MultipartUpload, part: Part): string[] {
    const { sql, transaction } = this.#database;
    return transaction(() => {
      this.require(bucket, key, id); // completed or aborted while the part came in?
      const freed = sql.all`SELECT blob FROM parts WHERE upload = ${id} AND number = ${part.number}`;
      sql.run`
        INSERT OR REPLACE INTO parts (upload, number, size_bytes, modified_ms, etag, checksums, blob)
        VALUES (${id}, ${part.number}, ${part.sizeBytes}, ${part.modifiedMs}, ${part.etag},
          ${JSON.stringify(part.checksums)}, ${part.blob})`;
      return blobsOf(freed);
    });
  }

  parts(id: string, afterNumber = 0, limit = -1): Part[] {
    const rows = this.#database.sql.all`
      SELECT * FROM parts WHERE upload = ${id} AND number > ${afterNumber} ORDER BY number LIMIT ${limit}`;
    return rows.map(partOf);
  }

  /** The object that `assemble` makes of the parts takes the place of the upload. */
  complete(
    { bucket, key, id }: MultipartUpload,
    precondition: Precondition,
    assemble: (parts: Part[]) => NewObject,
  ): { object: StoredObject; freed: string[] } {
    const { sql, transaction } = this.#database;
    return transaction(() => {
      this.require(bucket, key, id);
      const parts = this.parts(id);
      const assembled = assemble(parts);
      const { object, freed } = this.#objects.replace(bucket, assembled, precondition);
      sql.run`DELETE FROM uploads WHERE id = ${id}`;
      const used = new Set(assembled.pieces.map(({ blob }) => blob));
      return {
        object,
        freed: [...freed, ...parts.map(({ blob }) => blob).filter((blob) => !used.has(blob))],
      };
    });
  }

  abort({ bucket, key, id }: MultipartUpload): string[] {
    const { sql, transaction } = this.#database;
    return transaction(() => {
      this.require(bucket, key, id);
      const freed = this.parts(id).map(({ blob }) => blob);
      sql.run`DELETE FROM uploads WHERE id = ${id}`;
      return freed;
    });
  }

  blobs(): string[] {
    return blobsOf(this.#database.sql.all`SELECT blob FROM parts`);
  }
}

function uploadOf(row: Record<string, unknown>): MultipartUpload {
  return {
    id: String(row.id),
    bucket: String(row.bucket),
    key: String(row.key),
    begunMs: Number(row.begun_ms),
    headers: JSON.parse(String(row.headers)),
  };
}

function partOf(row: Record<string, unknown>): Part {
  return {
    number: Number(row.number),
    sizeBytes: Number(row.size_bytes),
    modifiedMs: Number(row.modified_ms),
    etag: String(row.etag),
    checksums: JSON.parse(String(row.checksums)),
    blob: String(row.blob),
  };
}
