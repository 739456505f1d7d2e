// An application behind a function URL that streams. Hono's adapter ends an answer without a body by writing nothing, and
// after nothing the function URL may wait until the function's time is up: of answers to HEAD, that is all of them.
// Source: aws/aws-lambda-nodejs-runtime-interface-client, issue 95.

import type { Hono } from 'hono';
import { streamHandle } from 'hono/aws-lambda';

/** To be called with answers whose status may have a body, so none of 204 and 304. */
export function streamed(app: Hono): ReturnType<typeof streamHandle> {
  const answer = app.fetch;
  app.fetch = async (...asked) => neverEmpty(await answer(...asked));
  return streamHandle(app);
}

/** One byte is enough to be ended by. HTTP has no body in an answer to HEAD, so nobody gets it. */
const neverEmpty = (response: Response): Response =>
  response.body ? response : new Response('\n', response);
