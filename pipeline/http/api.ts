// The HTTP interface below /api, as Request → Response; the platform's shapes stay in the entry.

import { Hono } from 'hono';
import type { Context } from 'hono';
import { OutageError, RecordError, RequestError, notFound } from '../../core/errors.ts';
import { cardKey, isVideoId, tombstoneKey } from '../../core/artifacts/keys.ts';
import { NO_SESSION_COOKIE, sessionCookie } from '../../core/access/session.ts';
import { admittedUpload, uploadToken } from '../../core/access/upload-token.ts';
import type { UploadGrant } from '../../core/access/upload-token.ts';
import { createUpload, renewUpload } from '../uploads/create-upload.ts';
import { deleteVideo, restoreVideo } from '../life/deletion.ts';
import {
  openUploadsQuery,
  pageQuery,
  tokenRequest,
  uploadRequest,
  uploadTokenRequest,
} from './api-schemas.ts';
import { jsonOf, shortened, valid } from './request.ts';
import { uploadRoutes } from './uploads.ts';
import { openApi } from './openapi/document.ts';
import { grantPlayback, playbackUrl } from '../life/playback.ts';
import type { SignPlayback } from '../life/playback.ts';
import { abortUploads, unfinishedUploads } from '../uploads/upload-file.ts';
import type { UploadStores } from '../uploads/upload-file.ts';
import { logFailure, videoIdIn } from '../observe.ts';
import { listVideos, videoStatus } from '../life/video-status.ts';

export interface ApiOptions {
  /** The buckets, and what they need to take files from browsers. */
  stores: UploadStores;
  /** What upload tokens are made with; asked for at each use, as it may change. */
  uploadSecret(): Promise<string>;
  /** What ids are made with. */
  videoIdKey(): Promise<string>;
  /** Undefined where playback is public. */
  signPlayback: SignPlayback | undefined;
  /** Whether whoever stands before the API (a gateway's authorizer) found that the caller may use all of it. */
  isAuthorized(context: Context): boolean;
  maxUploadBytes: number;
  /** For how long a deletion can be taken back. */
  deletionGraceSeconds: number;
  /** Told that a file of this video will come, or has: what it takes to read it can be made ready meanwhile. */
  expect?(id: string): Promise<void>;
  /** Scheme and host of API and playback, without a slash at the end. */
  publicBaseUrl: string;
}

/** Creating, listing, deleting and tokens need the key; the state of a video needs its id, which nobody guesses. */
export function httpApi(options: ApiOptions): Hono {
  const { stores, uploadSecret, publicBaseUrl, signPlayback } = options;
  const { media, uploads } = stores;
  const buckets = { media, uploads };
  const playbackUrlOf = (id: string) => (signPlayback ? null : playbackUrl(publicBaseUrl, id));
  const statusUrlOf = (id: string) => `${publicBaseUrl}/api/videos/${id}`;
  const tokenAnswer = async (grant: UploadGrant) => {
    const token = uploadToken(grant, await uploadSecret());
    return {
      uploadToken: token,
      uploadUrl: `${publicBaseUrl}/api/u/${token}`,
      uploadExpiresAt: grant.expiresAt.toISOString(),
    };
  };
  const expected = async (id: string) =>
    options.expect?.(id).catch((error: unknown) => logFailure(id, error)); // then it only takes longer
  const app = new Hono().basePath('/api');

  // Status answers change from one second to the next.
  app.use(async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
  });

  app.get('/health', (context) => context.json({ status: 'ok' }));

  app.get('/openapi.json', (context) => context.json(openApi(publicBaseUrl)));

  app.post('/session', (context) => {
    authorize(context, options);
    context.header('Set-Cookie', sessionCookie(context.req.header('Authorization') ?? ''));
    return context.body(null, 204);
  });

  app.delete('/session', (context) => {
    context.header('Set-Cookie', NO_SESSION_COOKIE);
    return context.body(null, 204);
  });

  app.post('/uploads', async (context) => {
    authorize(context, options);
    const request = valid(uploadRequest, await jsonOf(context));
    const { sign } = stores;
    const { maxUploadBytes: maxBytes } = options;
    const key = await options.videoIdKey();
    const { grant, upload } = await createUpload(request, { media, sign, maxBytes, key, now: new Date() });
    const { id } = grant;
    const urls = { playbackUrl: playbackUrlOf(id), statusUrl: statusUrlOf(id) };
    const [tokens] = await Promise.all([tokenAnswer(grant), upload && expected(id)]);
    return context.json({ id, ...urls, ...tokens, upload }, 201);
  });

  app.get('/uploads', async (context) => {
    authorize(context, options);
    const { limit, cursor } = valid(openUploadsQuery, context.req.query());
    return context.json(await unfinishedUploads({ limit, cursor }, stores));
  });

  app.delete('/uploads/:id', async (context) => {
    authorize(context, options);
    await abortUploads(videoId(context), stores);
    return context.body(null, 204);
  });

  app.post('/uploads/:id/tokens', async (context) => {
    authorize(context, options);
    const request = valid(uploadTokenRequest, await jsonOf(context, { ifEmpty: '{}' }));
    const grant = await renewUpload(videoId(context), request, { ...buckets, now: new Date() });
    return context.json(await tokenAnswer(grant), 201);
  });

  const admit = async (token: string) => admittedUpload(token, new Date(), await uploadSecret());
  app.route('/u/:token', uploadRoutes({ stores, admit, expected, locationOf: statusUrlOf }));

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
    // Without a card, one that is being deleted.
    const found = await Promise.all([cardKey(id), tombstoneKey(id)].map((key) => media.head(key)));
    if (!found.some(Boolean)) throw notFound('such video');
    await deleteVideo(id, buckets, { now: new Date(), graceSeconds: options.deletionGraceSeconds });
    return context.body(null, 204);
  });

  app.post('/videos/:id/restore', async (context) => {
    authorize(context, options);
    const id = videoId(context);
    await restoreVideo(id, buckets, new Date());
    return context.json(await videoStatus(id, buckets, playbackUrlOf));
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
    const request = valid(tokenRequest, await jsonOf(context, { ifEmpty: '{}' }));
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

function authorize(context: Context, { isAuthorized }: ApiOptions): void {
  if (isAuthorized(context)) return;
  throw new RequestError(401, 'UNAUTHORIZED', 'The request needs the header Authorization: Bearer API_KEY.');
}

/** Outages of the store and the machine are short, or an alarm has gone off. */
const RETRY_AFTER_SECONDS = 5;

function failure(context: Context, error: Error): Response {
  if (!(error instanceof RequestError)) logFailure(videoIdIn(context.req.path), error);
  if (error instanceof RequestError || error instanceof RecordError || error instanceof OutageError) {
    const { code, message, status } = error;
    if (error instanceof OutageError && status === 503) {
      context.header('Retry-After', String(RETRY_AFTER_SECONDS));
    }
    return context.json({ code, message: shortened(message) }, status);
  }
  return context.json(
    { code: 'INTERNAL', message: 'Something went wrong on our side. Please try again.' },
    500,
  );
}
