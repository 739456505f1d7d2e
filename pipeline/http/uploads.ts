// What upload libraries call below /api/u/{token}: the routes that @uppy/aws-s3 knows as those of Companion, to the
// letter, so that it needs no more than this address (docs/integrate.md).

import { Hono } from 'hono';
import type { Context } from 'hono';
import { MAX_PARTS } from '../../core/aws-limits.ts';
import { RequestError, notFound } from '../../core/errors.ts';
import { sourceKey } from '../../core/artifacts/keys.ts';
import type { UploadGrant } from '../../core/access/upload-token.ts';
import {
  MAX_UPLOAD_ID_CHARACTERS,
  completionRequest,
  formQuery,
  multipartRequest,
  partQuery,
  signRequest,
} from './api-schemas.ts';
import { jsonOf, valid } from './request.ts';
import { SIGNED_SECONDS } from '../../core/limits.ts';
import {
  beginParts,
  completeParts,
  partUrl,
  signedRequest,
  storedParts,
  uploadForm,
} from '../uploads/upload-file.ts';
import type { UploadStores } from '../uploads/upload-file.ts';

export interface UploadRoutes {
  stores: UploadStores;
  /** What a token in the path allows. @throws RequestError */
  admit(token: string): Promise<UploadGrant>;
  /** Told that a video's file will soon be there. Never rejects. */
  expected(id: string): Promise<void>;
  /** Where an uploaded video is to be found. */
  locationOf(id: string): string;
}

export function uploadRoutes({ stores, admit, expected, locationOf }: UploadRoutes): Hono {
  const app = new Hono();
  const grantOf = (context: Context) => admit(context.req.param('token') ?? '');

  app.get('/s3/params', async (context) => {
    const grant = await grantOf(context);
    const { filename, type } = valid(formQuery, context.req.query());
    const { url, fields } = await uploadForm(grant, { filename, type }, stores);
    return context.json({ method: 'POST', url, fields, expires: SIGNED_SECONDS });
  });

  // What @uppy/aws-s3 6 calls signRequest: it speaks to S3 itself, and has each request signed here.
  app.post('/s3/sign', async (context) => {
    const grant = await grantOf(context);
    const request = valid(signRequest, await jsonOf(context));
    const key = sourceKey(grant.id);
    // Until it has begun, a library does not know what the file is called here.
    if (request.uploadId !== undefined && request.key !== key) throw otherVideo();
    const [signed] = await Promise.all([
      signedRequest(grant, request, stores),
      request.method === 'POST' && request.uploadId !== undefined ? expected(grant.id) : undefined, // to complete it
    ]);
    return context.json({ key, ...signed });
  });

  app.post('/s3/multipart', async (context) => {
    const grant = await grantOf(context);
    const { filename, type } = valid(multipartRequest, await jsonOf(context));
    const uploadId = await beginParts(grant, { filename, type }, stores);
    return context.json({ key: sourceKey(grant.id), uploadId });
  });

  app.get('/s3/multipart/:uploadId/:partNumber', async (context) => {
    const grant = await grantOf(context);
    const { uploadId } = uploadNamedBy(context, grant.id);
    const { partNumber: number, size: sizeBytes } = valid(partQuery, {
      partNumber: context.req.param('partNumber'),
      size: context.req.query('size'),
    });
    const url = await partUrl(grant, uploadId, { number, sizeBytes }, stores);
    return context.json({ url, expires: SIGNED_SECONDS });
  });

  app.get('/s3/multipart/:uploadId', async (context) => {
    const grant = await grantOf(context);
    const { uploadId } = uploadNamedBy(context, grant.id);
    const parts = await storedParts(grant, uploadId, stores);
    return context.json(
      parts.map(({ number, etag, sizeBytes }) => ({ PartNumber: number, ETag: etag, Size: sizeBytes })),
    );
  });

  app.post('/s3/multipart/:uploadId/complete', async (context) => {
    const grant = await grantOf(context);
    const { key, uploadId } = uploadNamedBy(context, grant.id);
    const { parts } = valid(completionRequest, await jsonOf(context, { limits: COMPLETION }));
    const named = parts.map(({ PartNumber, ETag }) => ({
      number: PartNumber,
      etag: ETag.replaceAll('"', ''),
    }));
    await Promise.all([completeParts(grant, uploadId, named, stores), expected(grant.id)]);
    return context.json({ location: locationOf(grant.id), key });
  });

  app.delete('/s3/multipart/:uploadId', async (context) => {
    const { id } = await grantOf(context);
    const { key, uploadId } = uploadNamedBy(context, id);
    await stores.multipart.abort(key, uploadId);
    return context.json({});
  });

  return app;
}

/** @throws RequestError FORBIDDEN for the key of another video than the token's */
function uploadNamedBy(context: Context, id: string): { key: string; uploadId: string } {
  const key = context.req.query('key');
  const uploadId = context.req.param('uploadId');
  if (!uploadId || uploadId.length > MAX_UPLOAD_ID_CHARACTERS) throw notFound('such upload');
  if (key !== sourceKey(id)) throw otherVideo();
  return { key, uploadId };
}

/** Room for all parts as a list of them tells them, by a library that writes more of each. */
const COMPLETION = { maxBytes: MAX_PARTS * 256, maxValues: MAX_PARTS * 10 };

const otherVideo = (): RequestError =>
  new RequestError(403, 'FORBIDDEN', 'The upload token is for another video.');
