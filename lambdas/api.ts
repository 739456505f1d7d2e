// The API and the pages of single videos, behind API Gateway (payload version 2).

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { s3Multipart } from '../adapters/s3-multipart.ts';
import { signUploads } from '../adapters/sign-upload.ts';
import { DEFAULT_DELETION_GRACE_HOURS, DEFAULT_MAX_UPLOAD_BYTES } from '../core/limits.ts';
import { httpApi } from '../pipeline/http/api.ts';
import { watchPages } from '../pipeline/http/watch-pages.ts';
import { bucketsFromEnvironment, s3Client } from './buckets.ts';
import { numberFromEnv, requireEnv } from './environment.ts';
import { pageFilesFromEnvironment } from './page-files.ts';
import { warmSandboxFromEnvironment } from './sandbox-client.ts';
import { secretFromEnvironment } from './secret.ts';
import { signPlaybackFromEnvironment } from './sign-playback.ts';

const client = s3Client();

const buckets = bucketsFromEnvironment(client);
const signPlayback = signPlaybackFromEnvironment();
const publicBaseUrl = requireEnv('PUBLIC_BASE_URL');
const uploadsBucket = requireEnv('UPLOADS_BUCKET');

const expect = warmSandboxFromEnvironment();

const api = httpApi({
  stores: {
    ...buckets,
    multipart: s3Multipart(client, uploadsBucket),
    sign: signUploads(client, uploadsBucket),
  },
  uploadSecret: secretFromEnvironment('UPLOAD_SECRET_ARN'),
  videoIdKey: secretFromEnvironment('VIDEO_ID_KEY_ARN'),
  signPlayback,
  isAuthorized: ({ env }) => 'authorizer' in (env.event as APIGatewayProxyEventV2).requestContext,
  deletionGraceSeconds:
    3600 * numberFromEnv('DELETION_GRACE_HOURS', DEFAULT_DELETION_GRACE_HOURS, { isZeroFine: true }),
  maxUploadBytes: numberFromEnv('MAX_UPLOAD_BYTES', DEFAULT_MAX_UPLOAD_BYTES),
  publicBaseUrl,
  ...(expect && { expect }),
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
