// One item of the work list.

import { isThrottled } from '../adapters/lambda-sandbox.ts';
import { SANDBOX_BUSY } from '../core/errors.ts';
import { WORK } from '../core/records/work.ts';
import { deriveWork } from '../pipeline/derive/derive.ts';
import { withFailureLogged } from '../pipeline/observe.ts';
import { worldFromEnvironment } from './world.ts';

// Whoever waits for an execution keeps one: so it gives up soon, and the state machine waits instead.
const world = worldFromEnvironment({ sandboxAttempts: 2 });

export async function handler(item: unknown): Promise<void> {
  const busy = await withFailureLogged((item as { id?: string } | null)?.id, async () => {
    const work = WORK.parse(item, `in a list of work (${JSON.stringify(item).slice(0, 100)})`);
    try {
      await deriveWork(work, world, { background: true });
      return undefined;
    } catch (error) {
      if (isThrottled(error)) return error as Error;
      throw error;
    }
  });
  if (busy) throw Object.assign(new Error(busy.message, { cause: busy }), { name: SANDBOX_BUSY });
}
