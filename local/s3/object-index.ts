// Which buckets and objects exist. Whoever changes something gets back the blobs that nothing needs any more.

import type { Slice } from './blobs.ts';
import type { CorsRule } from './cors-rules.ts';
import type { Database } from './database.ts';
import { S3Error } from './errors.ts';
import { checkWrite, type Precondition } from './precondition.ts';

export interface Bucket {
  name: string;
  createdMs: number;
  corsRules: CorsRule[] | undefined;
}

export interface StoredObject {
  /** Rises with every write. */
  id: number;
  key: string;
  sizeBytes: number;
  modifiedMs: number;
  etag: string; // without quotes
  headers: Record<string, string>;
  checksums: Record<string, string>;
  upload: string | undefined;
}

export type NewObject = Omit<StoredObject, 'id' | 'sizeBytes'> & {
  pieces: readonly { blob: string; sizeBytes: number }[];
};

export class ObjectIndex {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  bucket(name: string): Bucket | undefined {
    const row = this.#database.sql.get`SELECT * FROM buckets WHERE name = ${name}`;
    return row && bucketOf(row);
  }

  requireBucket(name: string): Bucket {
    const bucket = this.bucket(name);
    if (!bucket) throw new S3Error('NoSuchBucket', undefined, { BucketName: name });
    return bucket;
  }

  buckets(): Bucket[] {
    return this.#database.sql.all`SELECT * FROM buckets ORDER BY name`.map(bucketOf);
  }

  /** Changes nothing if there is one of that name. */
  createBucket(name: string, createdMs: number): void {
    this.#database.sql
      .run`INSERT INTO buckets (name, created_ms) VALUES (${name}, ${createdMs}) ON CONFLICT DO NOTHING`;
  }

  setCorsRules(name: string, rules: readonly CorsRule[]): void {
    this.#database.sql.run`UPDATE buckets SET cors = ${JSON.stringify(rules)} WHERE name = ${name}`;
  }

  deleteBucket(name: string): string[] {
    const { sql, transaction } = this.#database;
    return transaction(() => {
      this.requireBucket(name);
      if (this.objectFrom(name, '')) throw new S3Error('BucketNotEmpty', undefined, { BucketName: name });
      const freed = sql.all`
        SELECT blob FROM parts JOIN uploads ON upload = id WHERE bucket = ${name}`;
      sql.run`DELETE FROM buckets WHERE name = ${name}`;
      return blobsOf(freed);
    });
  }

  object(bucket: string, key: string): StoredObject | undefined {
    const row = this.#database.sql.get`SELECT * FROM objects WHERE bucket = ${bucket} AND key = ${key}`;
    return row && objectOf(row);
  }

  /** The first object whose key is `from`, or `atLeast`, or comes after both in the order of their bytes. */
  objectFrom(bucket: string, from: string, atLeast = ''): StoredObject | undefined {
    const row = this.#database.sql.get`
      SELECT * FROM objects WHERE bucket = ${bucket} AND key >= max(${from}, ${atLeast}) ORDER BY key LIMIT 1`;
    return row && objectOf(row);
  }

  /** Where bytes `first` to `last` of an object are, both included. */
  slices(object: StoredObject, first: number, last: number): Slice[] {
    const rows = this.#database.sql.all`
      SELECT * FROM pieces
      WHERE object = ${object.id} AND first_byte <= ${last} AND first_byte + size_bytes > ${first}
      ORDER BY first_byte`;
    return rows.map((row) => {
      const firstByte = Number(row.first_byte);
      const offset = Math.max(0, first - firstByte);
      const end = Math.min(Number(row.size_bytes), last + 1 - firstByte);
      return { blob: String(row.blob), blobBytes: Number(row.size_bytes), offset, sizeBytes: end - offset };
    });
  }

  /** Of all who write under the condition that nothing is there, the first to come here wins. */
  put(
    bucket: string,
    object: NewObject,
    precondition: Precondition,
  ): { object: StoredObject; freed: string[] } {
    return this.#database.transaction(() => {
      this.requireBucket(bucket);
      return this.replace(bucket, object, precondition);
    });
  }

  /** `put` for those who are in a transaction already. */
  replace(
    bucket: string,
    { pieces, ...object }: NewObject,
    precondition: Precondition,
  ): { object: StoredObject; freed: string[] } {
    const { sql } = this.#database;
    checkWrite(precondition, this.object(bucket, object.key));
    const freed = this.#remove(bucket, object.key);
    const sizeBytes = pieces.reduce((sum, piece) => sum + piece.sizeBytes, 0);
    const { lastInsertRowid } = sql.run`
      INSERT INTO objects (bucket, key, size_bytes, modified_ms, etag, headers, checksums, upload)
      VALUES (${bucket}, ${object.key}, ${sizeBytes}, ${object.modifiedMs}, ${object.etag},
        ${JSON.stringify(object.headers)}, ${JSON.stringify(object.checksums)}, ${object.upload ?? null})`;
    let firstByte = 0;
    for (const { blob, sizeBytes } of pieces) {
      sql.run`
        INSERT INTO pieces (object, first_byte, size_bytes, blob)
        VALUES (${lastInsertRowid}, ${firstByte}, ${sizeBytes}, ${blob})`;
      firstByte += sizeBytes;
    }
    return { object: { ...object, id: Number(lastInsertRowid), sizeBytes }, freed };
  }

  delete(bucket: string, key: string, precondition: Precondition = {}): string[] {
    return this.#database.transaction(() => {
      checkWrite(precondition, this.object(bucket, key));
      return this.#remove(bucket, key);
    });
  }

  blobs(): string[] {
    return blobsOf(this.#database.sql.all`SELECT blob FROM pieces`);
  }

  #remove(bucket: string, key: string): string[] {
    const { sql } = this.#database;
    const freed = sql.all`
      SELECT blob FROM pieces JOIN objects ON object = id WHERE bucket = ${bucket} AND key = ${key}`;
    sql.run`DELETE FROM objects WHERE bucket = ${bucket} AND key = ${key}`;
    return blobsOf(freed);
  }
}

type Row = Record<string, unknown>;

export function blobsOf(rows: readonly Row[]): string[] {
  return rows.map(({ blob }) => String(blob));
}

function bucketOf(row: Row): Bucket {
  return {
    name: String(row.name),
    createdMs: Number(row.created_ms),
    corsRules: row.cors === null ? undefined : JSON.parse(String(row.cors)),
  };
}

function objectOf(row: Row): StoredObject {
  return {
    id: Number(row.id),
    key: String(row.key),
    sizeBytes: Number(row.size_bytes),
    modifiedMs: Number(row.modified_ms),
    etag: String(row.etag),
    headers: JSON.parse(String(row.headers)),
    checksums: JSON.parse(String(row.checksums)),
    upload: row.upload === null ? undefined : String(row.upload),
  };
}
