// The fallback origin, behind a function URL: streams, as a segment may exceed what a buffered answer can carry.

import { httpOrigin } from '../pipeline/http/origin.ts';
import { streamed } from './streamed.ts';
import { worldFromEnvironment } from './world.ts';

/** What runs us may know that nobody waits for the answer any longer. */
interface Environment {
  context?: { hungUp?: AbortSignal; getRemainingTimeInMillis?: () => number };
}

const contextOf = (env: unknown): NonNullable<Environment['context']> => (env as Environment).context ?? {};

export const handler = streamed(
  httpOrigin(
    worldFromEnvironment(),
    ({ env }) => contextOf(env).hungUp,
    ({ env }) => {
      const { getRemainingTimeInMillis } = contextOf(env);
      return getRemainingTimeInMillis && (() => getRemainingTimeInMillis() / 1000);
    },
  ),
);
