// The functions of lambdas/, loaded into this process with the environment that a deployment gives them. They read it
// as they load, so it has to be complete before: nothing else here may import an entry, or what entries share.

import type { Playback } from '../core/access/playback-token.ts';
import type { ApiFunctions } from './api-gateway.ts';
import { provideStreaming } from './function-url.ts';
import type { StreamingHandler } from './function-url.ts';
import { sandboxHere } from './sandbox.ts';
import type { SandboxHandler } from './sandbox.ts';

export interface FunctionEnvironment {
  UPLOADS_BUCKET: string;
  MEDIA_BUCKET: string;
  PUBLIC_BASE_URL: string;
  STATE_MACHINE_ARN: string;
  PREWARM_CONCURRENCY: string;
  API_KEY: string;
  ENCODE_DIRECTORY: string;
  AWS_ENDPOINT_URL_S3: string;
  AWS_ENDPOINT_URL_SFN: string;
  PLAYBACK: Playback;
  PAGE_DIRECTORY: string;
}

/** A person reads this terminal: what went wrong, and no metrics. Whoever wants to hear more says so in the environment. */
const QUIET = {
  POWERTOOLS_LOG_LEVEL: 'WARN',
  POWERTOOLS_METRICS_DISABLED: 'true',
  // Even so it warns of names that are missing.
  POWERTOOLS_METRICS_NAMESPACE: 'InstantHLS',
  POWERTOOLS_SERVICE_NAME: 'local',
};

/** What may be set otherwise. */
const DEFAULTS = {
  ...QUIET,
  DELETION_GRACE_HOURS: '0', // whoever deletes wants room on this disk
};

/** @param nobodyWaits resolves when nobody waits for something to be made */
export async function loadFunctions(environment: FunctionEnvironment, nobodyWaits: () => Promise<void>) {
  Object.assign(process.env, { ...DEFAULTS, ...process.env, ...environment });
  provideStreaming();
  const [sandbox, client, api, authorizer, ingest, origin, transcode, janitor, maintenance, world] =
    await Promise.all([
      import('../lambdas/sandbox.ts'),
      import('../lambdas/sandbox-client.ts'),
      import('../lambdas/api.ts'),
      import('../lambdas/authorizer.ts'),
      import('../lambdas/ingest.ts'),
      import('../lambdas/origin.ts'),
      import('../lambdas/transcode.ts'),
      import('../lambdas/janitor.ts'),
      import('../lambdas/maintenance.ts'),
      import('../lambdas/world.ts'),
    ]);
  client.runSandboxHere(sandboxHere(sandbox.handler as unknown as SandboxHandler, nobodyWaits));
  return {
    // Hono has types of its own for the same events and contexts.
    api: api.handler as unknown as ApiFunctions['api'],
    authorizer: authorizer.handler,
    ingest: ingest.handler,
    origin: origin.handler as unknown as StreamingHandler,
    transcode: transcode.handler,
    janitor: janitor.handler,
    maintenance: maintenance.handler,
    /** What those that plan and have things made are given. */
    world: world.worldFromEnvironment,
  };
}
