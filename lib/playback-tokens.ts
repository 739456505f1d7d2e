// Protected playback: two secrets that are generated at deploy and are in no template, a copy of them at the edge, the
// check there, and the function that keeps both copies equal and rotates them.

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import { join } from 'node:path';
import { acknowledge } from './acknowledge.ts';
import { PipelineFunction } from './pipeline-function.ts';
import type { PipelineFunctionDefaults } from './pipeline-function.ts';

// Must be longer than any token lives (core/access/playback-token.ts: a week): a rotation ends the tokens of the one before
// the last.
const ROTATION = Duration.days(90);

export class PlaybackTokens extends Construct {
  /** JSON as in core/access/playback-token.ts; who reads it can make tokens. */
  readonly secret: secretsmanager.Secret;
  /** For the viewer requests of all behaviours below /v/. */
  readonly check: cloudfront.Function;
  readonly rotation: PipelineFunction;

  constructor(scope: Construct, id: string, defaults: PipelineFunctionDefaults) {
    super(scope, id);
    this.secret = new secretsmanager.Secret(this, 'Secret', {
      description: 'The secrets that playback tokens are made with',
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ current: 'a' }),
        generateStringKey: 'a',
        excludePunctuation: true,
        passwordLength: 64,
      },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const store = new cloudfront.KeyValueStore(this, 'EdgeSecrets', {
      comment: 'The secrets that playback tokens are checked with',
    });
    this.check = new cloudfront.Function(this, 'Check', {
      code: cloudfront.FunctionCode.fromFile({ filePath: join(import.meta.dirname, 'playback-token.cf.js') }),
      runtime: cloudfront.FunctionRuntime.JS_2_0,
      keyValueStore: store,
      comment: 'Checks the playback token and takes it out of the path',
    });

    this.rotation = new PipelineFunction(this, 'Rotation', {
      ...defaults,
      entry: 'lib/playback-secret.lambda.ts',
      description: 'Copies the playback secrets to the edge, and rotates them',
      memoryMb: 512, // SigV4A is elliptic-curve arithmetic in JavaScript
      timeout: Duration.minutes(2),
      environment: {
        PLAYBACK_SECRET_ARN: this.secret.secretArn,
        KEY_VALUE_STORE_ARN: store.keyValueStoreArn,
      },
    });
    this.rotation.addToRolePolicy(
      new iam.PolicyStatement({
        actions: [
          'cloudfront-keyvaluestore:DescribeKeyValueStore',
          'cloudfront-keyvaluestore:GetKey',
          'cloudfront-keyvaluestore:PutKey',
        ],
        resources: [store.keyValueStoreArn],
      }),
    );
    // A deployment fails here rather than hand out tokens that no edge knows.
    const seed = new Trigger(this, 'Seed', { handler: this.rotation, executeAfter: [store] });
    const schedule = this.secret.addRotationSchedule('Schedule', {
      rotationLambda: this.rotation,
      automaticallyAfter: ROTATION,
      rotateImmediatelyOnUpdate: false, // the first secret is as fresh as any
    });
    schedule.node.addDependency(seed); // Secrets Manager tries the test step when it is told the schedule
    // CDK lets Secrets Manager call it on behalf of whatever account.
    for (const permission of this.rotation.node.findAll()) {
      if (permission instanceof lambda.CfnPermission) permission.sourceAccount = Stack.of(this).account;
    }

    acknowledge(this.rotation, {
      '@aws-cdk/aws-lambda:addPermissionsToVersionOrAlias':
        'Secrets Manager calls the function itself; only the deployment calls a version, by a role of its own.',
    });
    acknowledge(this.rotation.role!, {
      'AwsSolutions-IAM5[Resource::*]':
        'X-Ray and secretsmanager:GetRandomPassword (which CDK grants to every rotation) know no resources.',
    });
  }
}
