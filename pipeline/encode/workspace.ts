// The folder that encoders write into. In a function it is what is left of a small disk, and holds what an invocation that
// was cut off has left there until somebody sweeps it; on one machine it shares its disk with everything else, and a file
// keeps some space aside.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OutageError } from '../../core/errors.ts';

/** In a folder for workspaces, a file of this name is there to be given up when the disk is full. */
export const RESERVE_FILE = 'reserve';

const PREFIX = 'encode-';
const inUse = new Set<string>();

export interface Workspace {
  directory: string;
  remove(): Promise<void>;
}

/** @throws OutageError STORAGE_FULL */
export async function openWorkspace(temporaryDirectory: string): Promise<Workspace> {
  const directory = await withRoom(temporaryDirectory, () => mkdtemp(join(temporaryDirectory, PREFIX)));
  inUse.add(directory);
  return {
    directory,
    async remove() {
      await rm(directory, { recursive: true, force: true });
      inUse.delete(directory);
    },
  };
}

/**
 * Does what writes into a workspace; where there is no space, once more after everything that nobody needs is gone.
 * @throws OutageError STORAGE_FULL where there is none even then
 */
export async function withRoom<T>(temporaryDirectory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFull(error) || !(await makeRoom(temporaryDirectory))) throw asOutage(error);
    return work().catch((again: unknown) => {
      throw asOutage(again);
    });
  }
}

/**
 * Removes the workspaces that nobody in this process uses; what is kept aside stays. To be done at the start of a process
 * that has the folder for itself: what is in it then, one that was ended in the middle of its work has left.
 */
export async function sweepWorkspaces(temporaryDirectory: string): Promise<void> {
  await removeUnused(temporaryDirectory, isWorkspace);
}

/** Whether there was anything to remove. */
const makeRoom = (temporaryDirectory: string): Promise<boolean> =>
  removeUnused(temporaryDirectory, (name) => name === RESERVE_FILE || isWorkspace(name));

const isWorkspace = (name: string): boolean => name.startsWith(PREFIX);

/** Whether there was any. */
async function removeUnused(directory: string, isMeant: (name: string) => boolean): Promise<boolean> {
  const names = await readdir(directory);
  const unused = names
    .filter(isMeant)
    .map((name) => join(directory, name))
    .filter((path) => !inUse.has(path));
  for (const path of unused) await rm(path, { recursive: true, force: true });
  return unused.length > 0;
}

const isFull = (error: unknown): boolean =>
  ['STORAGE_FULL', 'ENOSPC', 'EDQUOT'].includes((error as { code?: string }).code ?? '');

const asOutage = (error: unknown): unknown =>
  isFull(error) && !(error instanceof OutageError)
    ? new OutageError('STORAGE_FULL', undefined, { cause: error })
    : error;
