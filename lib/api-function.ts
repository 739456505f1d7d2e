// The function behind the HTTP API, and the secrets that it makes tokens with.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { GATEWAY_TIMEOUT_SECONDS } from '../core/aws-limits.ts';
import { acknowledge } from './acknowledge.ts';
import { PipelineFunction } from './pipeline-function.ts';
import type { PipelineFunctionDefaults } from './pipeline-function.ts';
import type { PipelineSettings } from './video-pipeline-props.ts';
import { allowSandbox, sandboxEnvironment } from './sandboxes.ts';
import type { Sandbox } from './sandboxes.ts';
import { bucketNames } from './workers.ts';

export interface ApiFunctionProps {
  buckets: { uploads: s3.Bucket; media: s3.Bucket; page: s3.Bucket };
  defaults: PipelineFunctionDefaults;
  settings: PipelineSettings;
  playbackSecret: secretsmanager.Secret | undefined;
  videoIdKey: secretsmanager.Secret;
  /** To be started for videos whose files are on their way. */
  sandbox: Sandbox;
}

/** It is still to be told `PUBLIC_BASE_URL`, the CDN's address, once there is a CDN. */
export function apiFunction(scope: Construct, props: ApiFunctionProps): PipelineFunction {
  const { buckets, defaults, settings, playbackSecret, videoIdKey, sandbox } = props;
  const uploadSecret = new secretsmanager.Secret(scope, 'UploadSecret', {
    description: 'What upload tokens are made with',
    generateSecretString: { excludePunctuation: true, passwordLength: 64 },
    removalPolicy: RemovalPolicy.DESTROY,
  });
  acknowledge(uploadSecret, {
    'AwsSolutions-SMG4':
      'Only the API reads it. A change ends all tokens at once, which is for its owner to wish, not for a schedule.',
  });
  const api = new PipelineFunction(scope, 'Api', {
    ...defaults,
    entry: 'lambdas/api.ts',
    description: 'The HTTP API: uploads, states, lists, deletions, tokens; and the pages of single videos',
    memoryMb: 1024,
    timeout: Duration.seconds(GATEWAY_TIMEOUT_SECONDS - 1),
    environment: {
      ...bucketNames(buckets),
      PAGE_BUCKET: buckets.page.bucketName,
      MAX_UPLOAD_BYTES: String(settings.maxBytes),
      DELETION_GRACE_HOURS: String(settings.deletionGrace.toHours({ integral: false })),
      UPLOAD_SECRET_ARN: uploadSecret.secretArn,
      VIDEO_ID_KEY_ARN: videoIdKey.secretArn,
      PLAYBACK: settings.playback,
      ...sandboxEnvironment(sandbox),
      ...(playbackSecret ? { PLAYBACK_SECRET_ARN: playbackSecret.secretArn } : {}),
    },
  });
  playbackSecret?.grantRead(api);
  for (const secret of [uploadSecret, videoIdKey]) secret.grantRead(api);
  allowSandbox(api, sandbox);
  return api;
}
