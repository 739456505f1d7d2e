// From "an object was created" to a call of `ingest`. S3 calls at least once and in no order; Lambda queues the call,
// repeats it while the account is throttled (up to six hours), and twice more after an error. What then is left goes
// to a queue, where an alarm sees it. A video whose event is lost still plays: `origin` plans it when it is watched.

import { Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { LambdaDestination } from 'aws-cdk-lib/aws-s3-notifications';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { SOURCES } from '../core/artifacts/keys.ts';
import { WRITES_ANY_LOG, acknowledge } from './acknowledge.ts';
import { deadLetterQueue } from './dead-letters.ts';
import { QUEUED_CALLS } from './pipeline-function.ts';

export class UploadEvents extends Construct {
  /** Each message holds the event that failed, as `requestPayload`. */
  readonly deadLetters: sqs.Queue;

  constructor(
    scope: Construct,
    id: string,
    { uploads, ingest }: { uploads: s3.Bucket; ingest: lambda.Function },
  ) {
    super(scope, id);
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    ingest.configureAsyncInvoke({
      ...QUEUED_CALLS,
      onFailure: new SqsDestination(this.deadLetters),
    });
    uploads.addEventNotification(s3.EventType.OBJECT_CREATED, new LambdaDestination(ingest), {
      prefix: SOURCES,
      suffix: '/source',
    });
    const configurer = Stack.of(this).node.children.find(({ node }) =>
      node.id.startsWith('BucketNotificationsHandler'),
    );
    acknowledge(configurer!, {
      [WRITES_ANY_LOG]:
        "This is CDK's own function that sets a bucket's notifications; it runs during a deployment only.",
    });
  }
}
