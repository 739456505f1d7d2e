// Stored records: JSON with a version, parsed when it is read. What an older version wrote is migrated step by step; what a
// newer one wrote is refused, for while a deployment or a rollback runs, old and new functions work side by side.

import * as z from 'zod';
import { RecordError } from '../errors.ts';

export interface RecordKind<T> {
  /**
   * As it is stored: with its version.
   * @throws Error where `parse` could not read it again: it must not be stored
   */
  stored(record: T): { version: number } & T;
  /** Why `parse` could not read a record again; undefined where it can. */
  fault(record: T): string | undefined;
  /**
   * @param stored what is stored, as text or as the JSON value that a text was parsed into
   * @throws RecordError RECORD_UNREADABLE, RECORD_TOO_NEW; both name the record's key
   */
  parse(stored: unknown, key: string): T;
}

/** Makes of a record of one version one of the next. The key tells which video it is of. */
export type Migration = (record: Record<string, unknown>, key: string) => Record<string, unknown>;

/**
 * A kind of record.
 * @param schema of the present version, without `version`
 * @param migrations from version 0 (which had none) to 1, from 1 to 2, and so on: as many as there were versions
 */
export function recordKind<Schema extends z.ZodObject>(
  schema: Schema,
  migrations: readonly Migration[],
): RecordKind<z.infer<Schema>> {
  const version = migrations.length;
  const faultIn = (record: unknown): string | undefined => {
    const { error } = schema.safeParse(record);
    return error && sentenceOf(error);
  };
  return {
    fault: faultIn,
    stored(record) {
      const fault = faultIn(record);
      if (fault !== undefined) throw new Error(`a record that could not be read again: ${fault}`);
      return { version, ...record };
    },
    parse(value, key) {
      const stored = objectIn(value, key);
      const { version: found = 0 } = stored;
      if (typeof found !== 'number' || !Number.isInteger(found) || found < 0) {
        throw unreadable(key, `its version is ${JSON.stringify(found)}`);
      }
      if (found > version) {
        throw new RecordError(
          'RECORD_TOO_NEW',
          key,
          `The record ${key} was written by a newer release (version ${found}, known up to ${version}).`,
        );
      }
      const present = migrations.slice(found).reduce((record, migrate) => migrate(record, key), stored);
      const parsed = schema.safeParse(present);
      if (parsed.success) return parsed.data;
      throw unreadable(key, sentenceOf(parsed.error));
    },
  };
}

const MOST_CHARACTERS = 500;
const sentenceOf = (error: z.ZodError): string =>
  z.prettifyError(error).replaceAll('\n', ' ').slice(0, MOST_CHARACTERS);

function objectIn(stored: unknown, key: string): Record<string, unknown> {
  const value: unknown = typeof stored === 'string' ? jsonIn(stored, key) : stored;
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw unreadable(key, 'it is not an object');
}

function jsonIn(text: string, key: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw unreadable(key, 'it is not JSON');
  }
}

const unreadable = (key: string, reason: string): RecordError =>
  new RecordError('RECORD_UNREADABLE', key, `The record ${key} cannot be read: ${reason}.`);
