// The API, behind API Gateway (payload version 2).

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { handle } from 'hono/aws-lambda';
import { s3Store } from '../adapters/s3-store.ts';
import { signUploads } from '../adapters/sign-upload.ts';
import { MAX_PUT_BYTES } from '../pipeline/create-upload.ts';
import { httpApi } from '../pipeline/http-api.ts';
import { numberFromEnv, requireEnv } from './environment.ts';
import { s3Client } from './world.ts';

const client = s3Client();
const uploads = requireEnv('UPLOADS_BUCKET');

export const handler = handle(
  httpApi({
    buckets: { media: s3Store(client, requireEnv('MEDIA_BUCKET')), uploads: s3Store(client, uploads) },
    sign: signUploads(client, uploads),
    isAuthorized: ({ env }) => 'authorizer' in (env.event as APIGatewayProxyEventV2).requestContext,
    maxUploadBytes: numberFromEnv('MAX_UPLOAD_BYTES', MAX_PUT_BYTES),
    publicBaseUrl: requireEnv('PUBLIC_BASE_URL'),
  }),
);
