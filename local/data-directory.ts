// The folder of one running system. A second process on it would sweep away what the first is writing.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

/**
 * Makes the folder and holds it until this process ends, however it ends: the lock is the operating system's.
 * @throws Error with a sentence where another process holds it.
 */
export async function claimDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const lock = new DatabaseSync(join(path, 'lock'));
  try {
    // Nothing is written: a journal on the disk would not fit on a full one, which must not keep us from starting.
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new Error(`${path} is in use by another process. Stop it, or set DATA_DIR to another folder.`, {
      cause: error,
    });
  }
  held.push(lock);
}

/** Closing would give the lock back, and so would being collected as garbage. */
const held: DatabaseSync[] = [];

/** What an earlier run left there helps nobody. */
export async function emptyDirectory(path: string): Promise<string> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  return path;
}
