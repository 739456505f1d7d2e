// What answers below /v when the store has nothing yet: the one artifact is made, stored, and sent.

import { Hono } from 'hono';
import type { Context } from 'hono';
import { parseByteRange } from '../../core/byte-range.ts';
import {
  OUTAGE_SENTENCES,
  OutageError,
  RecordError,
  RequestError,
  SourceError,
  UnlistedError,
} from '../../core/errors.ts';
import { artifactKey, parseArtifactKey } from '../../core/artifacts/artifacts.ts';
import { SETTLED, UNLISTED, contentHeaders } from '../../core/artifacts/artifacts.ts';
import { derive } from '../derive/derive.ts';
import { newPlaceOf } from '../derive/lasting.ts';
import { logFailure, videoIdIn } from '../observe.ts';
import type { World } from '../world.ts';

/**
 * @param hungUp fires when nobody waits for the answer to a request any longer
 * @param secondsLeft until this process is ended in the middle of it
 */
export function httpOrigin(
  world: World,
  hungUp: (context: Context) => AbortSignal | undefined = () => undefined,
  secondsLeft: (context: Context) => (() => number) | undefined = () => undefined,
): Hono {
  const app = new Hono();

  // Hono answers HEAD by GET and leaves the body away.
  app.get('/v/*', async (context) => {
    const parsed = parseArtifactKey(context.req.path.slice(1));
    if (!parsed) throw new UnlistedError();
    const { id, artifact } = parsed;
    const left = secondsLeft(context);
    const own = left ? { ...world, secondsLeft: left } : world;
    const bytes = await derive(id, artifact, own, hungUp(context)).catch(async (error: unknown) => {
      const isMissing = error instanceof RequestError && error.status === 404;
      const newPlace = isMissing ? await newPlaceOf(id, artifact, world.media) : undefined;
      if (newPlace === undefined) throw error;
      return newPlace;
    });
    if (typeof bytes === 'string') return moved(context, bytes);
    const { contentType, cacheControl } = contentHeaders(artifact);
    context.header('Content-Type', contentType);
    context.header('Cache-Control', cacheControl);
    context.header('Access-Control-Allow-Origin', '*');
    context.header('Accept-Ranges', 'bytes');
    const range = parseByteRange(context.req.header('Range'), bytes.length);
    if (range === 'unsatisfiable') {
      throw new RequestError(416, 'RANGE', `${artifactKey(id, artifact)} has ${bytes.length} bytes.`);
    }
    const { first, last } = range ?? { first: 0, last: bytes.length - 1 };
    // In an answer to HEAD there is nothing that could be counted.
    if (context.req.method === 'HEAD') context.header('Content-Length', String(last + 1 - first));
    if (!range) return context.body(bytes as Uint8Array<ArrayBuffer>);
    context.header('Content-Range', `bytes ${first}-${last}/${bytes.length}`);
    return context.body(bytes.slice(first, last + 1), 206);
  });

  app.notFound((context) => failure(context, new UnlistedError()));
  app.onError((error, context) => {
    if (hungUp(context)?.aborted) return context.body(null, 503); // to nobody
    return failure(context, error);
  });
  return app;
}

/** For as long as a playlist lives; relative, so that a playback token in the path stays in it. */
function moved(context: Context, location: string): Response {
  context.header('Access-Control-Allow-Origin', '*');
  context.header('Cache-Control', SETTLED);
  context.header('Location', location);
  return context.text('The picture has moved.', 302);
}

function failure(context: Context, error: Error): Response {
  context.header('Access-Control-Allow-Origin', '*');
  // The edge keeps an error for as long as this says, where that is longer than the distribution's own minimum, which is 0.
  context.header('Cache-Control', error instanceof UnlistedError ? UNLISTED : 'no-store');
  if (error instanceof SourceError) return context.json({ code: error.code, message: error.message }, 422);
  if (error instanceof RequestError || error instanceof RecordError) {
    if (error instanceof RecordError) logFailure(videoIdIn(context.req.path), error);
    return context.json({ code: error.code, message: error.message }, error.status);
  }
  logFailure(videoIdIn(context.req.path), error);
  if (error instanceof OutageError) {
    // Players try again by themselves.
    context.header('Retry-After', '2');
    return context.json({ code: error.code, message: OUTAGE_SENTENCES[error.code] }, error.status);
  }
  return context.json(
    { code: 'INTERNAL', message: 'This part of the video could not be made. Please try again.' },
    500,
  );
}
