// The HTTP interface below /api, as Request → Response; the platform's shapes stay in the entry.

import { Hono } from 'hono';
import type { Context } from 'hono';
import type * as z from 'zod';
import { RequestError, notFound } from '../core/errors.ts';
import { isVideoId } from '../core/keys.ts';
import { createUpload } from './create-upload.ts';
import type { SignUpload } from './create-upload.ts';
import { deleteVideo } from './delete-video.ts';
import { pageQuery, tokenRequest, uploadRequest } from './http-api-schemas.ts';
import { openApi } from './openapi.ts';
import { grantPlayback, playbackUrl } from './playback.ts';
import type { SignPlayback } from './playback.ts';
import { listVideos, videoStatus } from './video-status.ts';
import type { World } from './world.ts';

export interface ApiOptions {
  buckets: Pick<World, 'media' | 'uploads'>;
  sign: SignUpload;
  /** Undefined where playback is public. */
  signPlayback: SignPlayback | undefined;
  /** Whether whoever stands before the API (a gateway's authorizer) found that the caller may use all of it. */
  isAuthorized(context: Context): boolean;
  maxUploadBytes: number;
  /** Scheme and host of API and playback, without a slash at the end. */
  publicBaseUrl: string;
}

/** Creating, listing, deleting and tokens need the key; the state of a video needs its id, which nobody guesses. */
export function httpApi(options: ApiOptions): Hono {
  const { buckets, publicBaseUrl, signPlayback } = options;
  const playbackUrlOf = (id: string) => (signPlayback ? null : playbackUrl(publicBaseUrl, id));
  const app = new Hono().basePath('/api');

  // Status answers change from one second to the next.
  app.use(async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
  });

  app.get('/health', (context) => context.json({ status: 'ok' }));

  app.get('/openapi.json', (context) => context.json(openApi(publicBaseUrl)));

  app.post('/uploads', async (context) => {
    authorize(context, options);
    const request = valid(uploadRequest, await context.req.json().catch(() => undefined));
    const { sign, maxUploadBytes: maxBytes } = options;
    const { id, upload } = await createUpload(request, {
      media: buckets.media,
      sign,
      maxBytes,
      now: new Date(),
    });
    const statusUrl = `${publicBaseUrl}/api/videos/${id}`;
    return context.json({ id, playbackUrl: playbackUrlOf(id), statusUrl, upload }, 201);
  });

  app.get('/videos', async (context) => {
    authorize(context, options);
    const { limit, cursor } = valid(pageQuery, context.req.query());
    return context.json(await listVideos({ limit, after: cursor }, buckets, playbackUrlOf));
  });

  app.get('/videos/:id', async (context) => {
    return context.json(await videoStatus(videoId(context), buckets, playbackUrlOf));
  });

  app.delete('/videos/:id', async (context) => {
    authorize(context, options);
    const id = videoId(context);
    await videoStatus(id, buckets, playbackUrlOf); // 404 for what is not there
    await deleteVideo(id, { ...buckets });
    return context.body(null, 204);
  });

  app.post('/videos/:id/tokens', async (context) => {
    authorize(context, options);
    if (!signPlayback) {
      throw new RequestError(
        409,
        'PLAYBACK_IS_PUBLIC',
        "Playback is public: a video's playbackUrl is open to all.",
      );
    }
    const id = videoId(context);
    const body = (await context.req.text()) || '{}';
    const request = valid(tokenRequest, parsedJson(body));
    const now = new Date();
    return context.json(
      await grantPlayback(id, request, { media: buckets.media, signPlayback, publicBaseUrl, now }),
      201,
    );
  });

  app.notFound((context) => failure(context, notFound('such resource')));
  app.onError((error, context) => failure(context, error));
  return app;
}

function videoId(context: Context): string {
  const id = context.req.param('id') ?? '';
  if (!isVideoId(id)) throw notFound('such video');
  return id;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which no schema takes
  }
}

function authorize(context: Context, { isAuthorized }: ApiOptions): void {
  if (isAuthorized(context)) return;
  throw new RequestError(401, 'UNAUTHORIZED', 'The request needs the header Authorization: Bearer API_KEY.');
}

function valid<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join('.');
  throw new RequestError(
    400,
    'INVALID_REQUEST',
    `${where ? `${where}: ` : ''}${issue?.message ?? 'not understood'}`,
  );
}

function failure(context: Context, error: Error): Response {
  if (error instanceof RequestError) {
    return context.json({ code: error.code, message: error.message }, error.status);
  }
  console.error(error);
  return context.json(
    { code: 'INTERNAL', message: 'Something went wrong on our side. Please try again.' },
    500,
  );
}
