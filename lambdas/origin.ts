// The fallback origin, behind a function URL: streams, as a segment may exceed what a buffered answer can carry.

import { streamHandle } from 'hono/aws-lambda';
import { httpOrigin } from '../pipeline/http/origin.ts';
import { worldFromEnvironment } from './world.ts';

/** What runs us may know that nobody waits for the answer any longer. */
interface Environment {
  context?: { hungUp?: AbortSignal };
}

export const handler = streamHandle(
  httpOrigin(worldFromEnvironment(), ({ env }) => (env as Environment).context?.hungUp),
);
