// Whether this machine's clock and the store's agree: requests are signed with the time, and stores refuse what is
// signed with another than theirs.

import { MAX_CLOCK_SKEW_MS } from '../core/aws-limits.ts';

/** @throws Error with a sentence where they do not; a store that cannot be asked is another matter. */
export async function checkClock(storeUrl: string): Promise<void> {
  const answer = await fetch(storeUrl, { method: 'HEAD', signal: AbortSignal.timeout(PATIENCE_MS) }).catch(
    () => undefined,
  );
  const date = Date.parse(answer?.headers.get('date') ?? '');
  const skewMs = Date.now() - date;
  if (Number.isNaN(skewMs) || Math.abs(skewMs) < MAX_CLOCK_SKEW_MS) return;
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  throw new Error(
    `The clock of this machine is ${minutes} minutes ${skewMs > 0 ? 'ahead of' : 'behind'} that of ${storeUrl}. ` +
      'Set it right: the store refuses requests that are signed with another time than its own.',
  );
}

const PATIENCE_MS = 10_000;
