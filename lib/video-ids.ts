// What ids of videos are made with: a key that is generated at deploy and is in no template. Where playback is public, a copy
// of it at the edge, the check there, and the function that makes the copy.

import { Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import { join } from 'node:path';
import type { UncheckedIds } from '../core/access/video-id.ts';
import { acknowledge } from './acknowledge.ts';
import { PipelineFunction } from './pipeline-function.ts';
import type { PipelineFunctionDefaults } from './pipeline-function.ts';
import { allow } from './video-buckets.ts';

export interface IdCheckProps {
  defaults: PipelineFunctionDefaults;
  media: s3.Bucket;
  /** Gives out ids. */
  api: lambda.Function;
  uncheckedIds: UncheckedIds;
}

const TELLING = Duration.minutes(15);

export class VideoIds extends Construct {
  /** There with protected playback as well, so that ids which were made under it are known when it becomes public. */
  readonly key: secretsmanager.Secret;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.key = new secretsmanager.Secret(this, 'Key', {
      description: 'What ids of videos are made and checked with',
      generateSecretString: { excludePunctuation: true, passwordLength: 64 },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(this.key, {
      'AwsSolutions-SMG4':
        'It opens nothing: it tells ids that were given out from others. Ids made with it have to fit for as long as there are videos.',
    });
  }

  /** For the viewer requests of all behaviours below /v/. */
  checkAtEdge({ defaults, media, api, uncheckedIds }: IdCheckProps): cloudfront.Function {
    const store = new cloudfront.KeyValueStore(this, 'KnownIds', {
      // Its name is an account's, whatever the region.
      keyValueStoreName: `${Names.uniqueResourceName(this, { maxLength: 48 })}-${Stack.of(this).region}`,
      comment: 'What ids of videos are checked with, and those of which nothing can be checked',
    });
    const check = new cloudfront.Function(this, 'Check', {
      code: cloudfront.FunctionCode.fromFile({ filePath: join(import.meta.dirname, 'video-id.cf.js') }),
      runtime: cloudfront.FunctionRuntime.JS_2_0,
      keyValueStore: store,
      comment: 'Refuses ids of videos that nobody was given, and paths that no artifact has',
    });

    const telling = new PipelineFunction(this, 'Telling', {
      ...defaults,
      entry: 'lib/video-ids.lambda.ts',
      description: 'Tells the edge the key of video ids, and the ids that it does not fit',
      memoryMb: 512, // SigV4A is elliptic-curve arithmetic in JavaScript
      timeout: TELLING,
      environment: {
        VIDEO_ID_KEY_ARN: this.key.secretArn,
        KEY_VALUE_STORE_ARN: store.keyValueStoreArn,
        MEDIA_BUCKET: media.bucketName,
        UNCHECKED_IDS: uncheckedIds,
      },
    });
    this.key.grantRead(telling);
    allow(telling, media, { list: true });
    telling.addToRolePolicy(
      new iam.PolicyStatement({
        actions: [
          'cloudfront-keyvaluestore:DescribeKeyValueStore',
          'cloudfront-keyvaluestore:GetKey',
          'cloudfront-keyvaluestore:PutKey',
          'cloudfront-keyvaluestore:UpdateKeys',
          'cloudfront-keyvaluestore:DeleteKey',
        ],
        resources: [store.keyValueStoreArn],
      }),
    );
    // Only now the API gives out no id without the key any more. Until then the edge admits all.
    new Trigger(this, 'Tell', { handler: telling, executeAfter: [store, api], timeout: TELLING });
    acknowledge(telling, {
      '@aws-cdk/aws-lambda:addPermissionsToVersionOrAlias':
        'Only the deployment calls it, by a version and a role of its own.',
    });
    return check;
  }
}
