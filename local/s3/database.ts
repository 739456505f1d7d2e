// The database behind the indexes: which objects, uploads and parts exist, and which blobs hold their bytes.
// A change is one transaction, so whoever kills this process finds the state before it or the one after.

import type { DatabaseSync, SQLTagStore, StatementSync } from 'node:sqlite';
import { DISK, type Disk } from './disk.ts';

interface DatabaseOptions {
  logBytes: number;
  disk?: Disk;
}

export interface Database {
  /** Statements as template literals, whose values are bound and never part of the text. */
  sql: Pick<SQLTagStore, 'get' | 'all' | 'run'>;
  /** All of `work`, which must not wait for anything, or nothing of it. */
  transaction<T>(work: () => T): T;
  close(): void;
}

// SQLite compares TEXT by the bytes of its UTF-8, which is the order S3 lists keys in.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY,
    created_ms INTEGER NOT NULL,
    cors TEXT -- JSON, as all plurals below
  ) STRICT;

  CREATE TABLE IF NOT EXISTS objects (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: a later write has a higher one
    bucket TEXT NOT NULL REFERENCES buckets,
    key TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    modified_ms INTEGER NOT NULL,
    etag TEXT NOT NULL,
    headers TEXT NOT NULL,
    checksums TEXT NOT NULL,
    upload TEXT, -- the multipart upload it came from
    UNIQUE (bucket, key)
  ) STRICT;

  CREATE TABLE IF NOT EXISTS pieces (
    object INTEGER NOT NULL REFERENCES objects ON DELETE CASCADE,
    first_byte INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (object, first_byte)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES buckets ON DELETE CASCADE,
    key TEXT NOT NULL,
    begun_ms INTEGER NOT NULL,
    headers TEXT NOT NULL
  ) STRICT;

  CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    modified_ms INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksums TEXT NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (upload, number)
  ) STRICT, WITHOUT ROWID;
`;

const SQLITE_BUSY = 5;
const PAGE_BYTES = 4096; // SQLite's default

/**
 * @param options.logBytes how long the write-ahead log may get before its pages go to the database proper; a
 * transaction can make it longer by what it changes
 * @throws Error where another process has it open, or it is no database.
 */
export function openDatabase(path: string, { logBytes, disk = DISK }: DatabaseOptions): Database {
  const database = disk.openDatabase(path);
  try {
    // Exclusive: a second process on this folder would sweep away what the first is writing.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    database.exec(`PRAGMA wal_autocheckpoint = ${Math.ceil(logBytes / PAGE_BYTES)}`);
    database.exec('PRAGMA temp_store = MEMORY'); // the disk of temporary files may be the one that is full
    database.exec(SCHEMA);
  } catch (error) {
    database.close();
    const isLocked = (error as { errcode?: number }).errcode === SQLITE_BUSY;
    const why = isLocked ? 'another process is using it' : String(error);
    throw new Error(`${path} could not be opened: ${why}.`, { cause: error });
  }
  return {
    sql: statementsOf(database),
    transaction(work) {
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        // After some errors, a full disk among them, SQLite may have rolled back by itself.
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => database.close(),
  };
}

// Each statement is prepared once. `createTagStore` does the same, but what it prepared outlives `close` and keeps
// the file locked until it is collected (Node 24).
function statementsOf(database: DatabaseSync): Database['sql'] {
  const prepared = new Map<TemplateStringsArray, StatementSync>();
  const statement = (strings: TemplateStringsArray): StatementSync => {
    const known = prepared.get(strings) ?? database.prepare(strings.join('?'));
    prepared.set(strings, known);
    return known;
  };
  return {
    get: (strings, ...values) => statement(strings).get(...values),
    all: (strings, ...values) => statement(strings).all(...values),
    run: (strings, ...values) => statement(strings).run(...values),
  };
}
