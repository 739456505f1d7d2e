// S3 says that an object was created.

import type { S3Event } from 'aws-lambda';
import { RequestError } from '../core/errors.ts';
import { parseSourceKey } from '../core/artifacts/keys.ts';
import { ingest } from '../pipeline/life/ingest.ts';
import { logWarning, withFailureLogged } from '../pipeline/observe.ts';
import { createdKeys } from './created-keys.ts';
import { enqueueFor, workersFromEnvironment } from './prewarm-workers.ts';
import { worldFromEnvironment, worldOfCall } from './world.ts';
import type { CallContext } from './world.ts';

const world = worldFromEnvironment();
const enqueue = enqueueFor(world, workersFromEnvironment());

export async function handler(event: S3Event, context?: CallContext): Promise<void> {
  const own = worldOfCall(world, context);
  for (const key of createdKeys(event)) {
    const id = parseSourceKey(key);
    if (!id) continue;
    await withFailureLogged(id, () => ingest(id, own, enqueue)).catch(ignoreOvertaken(id));
  }
}

/** An event may come after its file was deleted, or another has taken its place, of which there is another event. */
const ignoreOvertaken =
  (id: string) =>
  (error: unknown): void => {
    if (!(error instanceof RequestError)) throw error;
    logWarning(id, error);
  };
