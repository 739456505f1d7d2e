// The API and the pages of single videos, behind API Gateway (payload version 2).

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { signUploads } from '../adapters/sign-upload.ts';
import { MAX_PUT_BYTES } from '../pipeline/create-upload.ts';
import { httpApi } from '../pipeline/http-api.ts';
import { watchPages } from '../pipeline/watch-pages.ts';
import { bucketsFromEnvironment, s3Client } from './buckets.ts';
import { numberFromEnv, requireEnv } from './environment.ts';
import { pageFilesFromEnvironment } from './page-files.ts';
import { signPlaybackFromEnvironment } from './sign-playback.ts';

const client = s3Client();

const buckets = bucketsFromEnvironment(client);
const signPlayback = signPlaybackFromEnvironment();
const publicBaseUrl = requireEnv('PUBLIC_BASE_URL');

const api = httpApi({
  buckets,
  sign: signUploads(client, requireEnv('UPLOADS_BUCKET')),
  signPlayback,
  isAuthorized: ({ env }) => 'authorizer' in (env.event as APIGatewayProxyEventV2).requestContext,
  maxUploadBytes: numberFromEnv('MAX_UPLOAD_BYTES', MAX_PUT_BYTES),
  publicBaseUrl,
});
const pages = watchPages({
  buckets,
  pageFile: pageFilesFromEnvironment(client),
  isProtected: signPlayback !== undefined,
  publicBaseUrl,
});

const whole = { replaceRequest: (request: Request) => request };
export const handler = handle(
  new Hono()
    .mount('/watch', pages.fetch, whole)
    .mount('/embed', pages.fetch, whole)
    .mount('/', api.fetch, whole),
);
