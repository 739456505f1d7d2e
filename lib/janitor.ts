// The janitor: removes what was stored of videos. It is called by S3's own event of a request (core/artifacts/keys.ts):
// at least once and in no order. Lambda queues the call, repeats it while the account is throttled, and twice more after
// an error. What then is left goes to a queue, where an alarm sees it; the request stays, and is made again after hours.

import { Duration } from 'aws-cdk-lib';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { LambdaDestination } from 'aws-cdk-lib/aws-s3-notifications';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { CLEANUPS, TOMBSTONES } from '../core/artifacts/keys.ts';
import { deadLetterQueue } from './dead-letters.ts';
import { PipelineFunction, QUEUED_CALLS } from './pipeline-function.ts';
import type { PipelineFunctionDefaults } from './pipeline-function.ts';
import { bucketNames } from './workers.ts';

export interface Janitor {
  janitor: PipelineFunction;
  /** Each message holds the event that failed, as `requestPayload`. */
  deadLetters: sqs.Queue;
}

export function janitor(
  scope: Construct,
  { uploads, media, defaults }: { uploads: s3.Bucket; media: s3.Bucket; defaults: PipelineFunctionDefaults },
): Janitor {
  const fn = new PipelineFunction(scope, 'Janitor', {
    ...defaults,
    entry: 'lambdas/janitor.ts',
    description: 'Removes deleted videos, and what others do not need any more',
    memoryMb: 512, // waits for S3, which removes a thousand objects by one request
    timeout: Duration.minutes(15),
    environment: bucketNames({ uploads, media }),
  });
  const deadLetters = deadLetterQueue(scope, 'JanitorDeadLetters');
  fn.configureAsyncInvoke({ ...QUEUED_CALLS, onFailure: new SqsDestination(deadLetters) });
  for (const prefix of [TOMBSTONES, CLEANUPS]) {
    media.addEventNotification(s3.EventType.OBJECT_CREATED, new LambdaDestination(fn), {
      prefix,
      suffix: '.json',
    });
  }
  return { janitor: fn, deadLetters };
}
