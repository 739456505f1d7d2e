import { DatabaseSync } from 'node:sqlite';
import type { Slice } from './blobs.ts';
export interface StoredObject {
  key: string;
  slices: Slice[];
  sizeBytes: number;
  etag: string;
  lastModifiedMs: number;
  headers: Record<string, string>;
}
export class ObjectIndex {
  #db: DatabaseSync;
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(
      'pragma journal_mode=wal; pragma synchronous=normal; create table if not exists buckets(name text primary key, cors text) ; create table if not exists objects(bucket text, key text, data text, primary key(bucket,key)) without rowid',
    );
  }
  hasBucket(name: string) {
    return this.#db.prepare('select 1 from buckets where name=?').get(name) !== undefined;
  }
  createBucket(name: string) {
    this.#db.prepare('insert or ignore into buckets(name) values(?)').run(name);
  }
  get(bucket: string, key: string): StoredObject | undefined {
    const row = this.#db.prepare('select data from objects where bucket=? and key=?').get(bucket, key);
    return row && JSON.parse(String(row['data']));
  }
  put(bucket: string, o: StoredObject) {
    this.#db
      .prepare('insert into objects values(?,?,?) on conflict do update set data=excluded.data')
      .run(bucket, o.key, JSON.stringify(o));
  }
  delete(bucket: string, key: string) {
    this.#db.prepare('delete from objects where bucket=? and key=?').run(bucket, key);
  }
  list(bucket: string, prefix: string, after: string, limit: number): StoredObject[] {
    return this.#db
      .prepare(
        'select data from objects where bucket=? and key>? and key>=? and substr(key,1,?)=? order by key limit ?',
      )
      .all(bucket, after, prefix, prefix.length, prefix, limit)
      .map((r) => JSON.parse(String(r['data'])));
  }
  blobs() {
    return new Set(
      this.#db
        .prepare('select data from objects')
        .all()
        .flatMap((r) => (JSON.parse(String(r['data'])) as StoredObject).slices.map((s) => s.blob)),
    );
  }
  close() {
    this.#db.close();
  }
}
