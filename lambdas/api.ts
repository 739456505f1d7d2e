// The API, behind API Gateway (payload version 2).

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { handle } from 'hono/aws-lambda';
import { signUploads } from '../adapters/sign-upload.ts';
import { MAX_PUT_BYTES } from '../pipeline/create-upload.ts';
import { httpApi } from '../pipeline/http-api.ts';
import { bucketsFromEnvironment, s3Client } from './buckets.ts';
import { numberFromEnv, requireEnv } from './environment.ts';
import { signPlaybackFromEnvironment } from './sign-playback.ts';

const client = s3Client();

export const handler = handle(
  httpApi({
    buckets: bucketsFromEnvironment(client),
    sign: signUploads(client, requireEnv('UPLOADS_BUCKET')),
    signPlayback: signPlaybackFromEnvironment(),
    isAuthorized: ({ env }) => 'authorizer' in (env.event as APIGatewayProxyEventV2).requestContext,
    maxUploadBytes: numberFromEnv('MAX_UPLOAD_BYTES', MAX_PUT_BYTES),
    publicBaseUrl: requireEnv('PUBLIC_BASE_URL'),
  }),
);
