// Deletions: first the index forgets, then the blobs go. They work on a full disk too.

import type { Storage } from './call.ts';

/** Each deletion changes the index in one transaction, and returns the blobs that nothing needs any more. */
export async function runDeletions(
  { space, blobs }: Storage,
  deletions: readonly (() => string[])[],
): Promise<void> {
  try {
    for (const deletion of deletions) await blobs.remove(space.freeing(deletion));
  } finally {
    space.restore();
  }
}
