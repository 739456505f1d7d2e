// Runs a video's list of work: every chunk through `transcode`, then `finish`. It knows nothing of video. Doing a list
// again is harmless, so whatever went wrong is repaired by starting it again.

import { Duration, RemovalPolicy, Names } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { OUTAGE_CODES, SANDBOX_BUSY } from '../core/errors.ts';
import { LONGEST_EXECUTION_SECONDS } from '../core/limits.ts';
import { acknowledge, logicalId, wildcards } from './acknowledge.ts';
import { LOG_RETENTION } from './pipeline-function.ts';

export interface WorkStateMachineProps {
  /** Holds the lists of work, below plans/. */
  media: s3.IBucket;
  transcode: lambda.IFunction;
  finish: lambda.IFunction;
  /** Chunks of one video that are encoded at the same time. */
  concurrency: number;
}

/** Input: `{ id, rev, bucket, workKey }`. Its name is made from id and rev, so that a list is started once. */
export class WorkStateMachine extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(
    scope: Construct,
    id: string,
    { media, transcode, finish, concurrency }: WorkStateMachineProps,
  ) {
    super(scope, id);

    const encode = new LambdaInvoke(this, 'Transcode', {
      lambdaFunction: transcode,
      retryOnServiceExceptions: false, // CDK's list lacks the one error that a new account is sure to meet
      // All that is kept of a chunk: the results of all children together may have 256 KiB.
      resultSelector: { outcome: 'done' },
    });
    retryPatiently(encode);
    encode.addCatch(new sfn.Pass(this, 'VideoDeleted', { parameters: { outcome: 'done' } }), {
      errors: ['RequestError'], // deleted meanwhile: nobody's failure
    });
    // The others go on: what they make will be watched, and is there when the list is run again.
    encode.addCatch(new sfn.Pass(this, 'ChunkDelayed', { parameters: { 'outcome.$': '$.error.Error' } }), {
      errors: OUTAGE_CODES,
      resultPath: '$.error',
    });
    encode.addCatch(new sfn.Pass(this, 'ChunkFailed', { parameters: { outcome: 'failed' } }), {
      errors: ['States.ALL'],
    });

    const chunks = new sfn.DistributedMap(this, 'Chunks', {
      itemReader: new sfn.S3JsonItemReader({ bucket: media, key: sfn.JsonPath.stringAt('$.workKey') }),
      mapExecutionType: sfn.StateMachineType.STANDARD, // an express execution ends after five minutes
      maxConcurrency: concurrency,
      toleratedFailurePercentage: 100, // what no Catch can see must not stop the others either
      resultSelector: {
        'outcomes.$': 'States.ArrayUnique($[*].outcome)',
        'failed.$': "States.ArrayContains($[*].outcome, 'failed')",
      },
      resultPath: '$.chunks',
    }).itemProcessor(encode);
    chunks.addRetry({ errors: ['States.ItemReaderFailed'], ...OUTAGE_WAITS, maxAttempts: A_WHILE });

    const tellFinish = (name: string, outcomes: unknown, outageAttempts?: number): LambdaInvoke => {
      const task = new LambdaInvoke(this, name, {
        lambdaFunction: finish,
        payload: sfn.TaskInput.fromObject({
          id: sfn.JsonPath.stringAt('$.id'),
          rev: sfn.JsonPath.stringAt('$.rev'),
          outcomes,
        }),
        retryOnServiceExceptions: false,
        resultPath: sfn.JsonPath.DISCARD,
      });
      retryPatiently(task, outageAttempts);
      task.addCatch(done, { errors: ['RequestError'], resultPath: '$.error' }); // deleted meanwhile
      return task;
    };
    const done = new sfn.Succeed(this, 'Done');
    const finishing = tellFinish('Finish', sfn.JsonPath.objectAt('$.chunks.outcomes'));
    // Reached where `finish` met an outage itself: nothing has become known of the video, which is only late.
    const delaying = tellFinish(
      'FinishDelayed',
      sfn.JsonPath.array(sfn.JsonPath.stringAt('$.error.Error')),
      UNTIL_IT_IS_OVER,
    );
    delaying.next(done);
    // Reached where the list could not be read or `finish` itself gave up: the video must not look unfinished for ever.
    const failing = tellFinish('FinishFailed', ['failed'], UNTIL_IT_IS_OVER);
    failing.next(
      new sfn.Fail(this, 'ListFailed', { error: 'ListFailed', cause: 'The list of work was not completed.' }),
    );
    chunks.addCatch(failing, { errors: ['States.ALL'], resultPath: '$.error' });
    finishing.addCatch(delaying, { errors: OUTAGE_CODES, resultPath: '$.error' });
    finishing.addCatch(failing, { errors: ['States.ALL'], resultPath: '$.error' });
    const chunksFailed = new sfn.Fail(this, 'ChunksFailed', {
      error: 'ChunksFailed',
      cause: 'At least one chunk failed for good; see the log of `transcode`.',
    });
    const outcome = new sfn.Choice(this, 'AnyChunkFailed')
      .when(sfn.Condition.booleanEquals('$.chunks.failed', true), chunksFailed)
      .otherwise(done);

    const logGroup = new logs.LogGroup(this, 'Log', {
      // With this prefix the log's policy does not grow with every state machine of the account, up to its limit.
      logGroupName: `/aws/vendedlogs/states/${Names.uniqueResourceName(this, { maxLength: 80 })}`,
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineType: sfn.StateMachineType.STANDARD,
      definitionBody: sfn.DefinitionBody.fromChainable(chunks.next(finishing).next(outcome)),
      timeout: Duration.seconds(LONGEST_EXECUTION_SECONDS),
      tracingEnabled: true,
      logs: { destination: logGroup, level: sfn.LogLevel.ERROR, includeExecutionData: true },
    });
    this.acknowledgeFindings(media, [transcode, finish]);
  }

  private acknowledgeFindings(media: s3.IBucket, functions: readonly lambda.IFunction[]): void {
    const itself = logicalId(this.stateMachine);
    const execution = `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{"Fn::Select":[6,{"Fn::Split":[":",{"Ref":"${itself}"}]}]}`;
    acknowledge(this.stateMachine, {
      'AwsSolutions-SF1': 'What went well is in the history that Step Functions keeps for 90 days.',
      ...wildcards(
        [`Resource::arn:<AWS::Partition>:s3:::<${logicalId(media)}>/*`],
        'Reads any list of work.',
      ),
      ...wildcards(
        functions.map((fn) => `Resource::<${logicalId(fn)}.Arn>:*`),
        'All versions of the two functions, as CDK grants it.',
      ),
      ...wildcards(
        [`Resource::${execution}:*`, `Resource::${execution}/*:*`],
        'The children of its own executions.',
      ),
      ...wildcards(['Resource::*'], 'Deliveries of logs and traces belong to no resource.'),
    });
  }
}

const OUTAGE_WAITS = {
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.minutes(2),
  jitterStrategy: sfn.JitterType.FULL, // halves them, on average
};
/** Six minutes of attempts; then the video is tried again as a whole (lib/schedules.ts). */
const A_WHILE = 10;
/** Eight hours of them: of a list whose end could not be noted, nobody would hear for a day. */
const UNTIL_IT_IS_OVER = 500;

/**
 * Waits long for a free execution, and for the end of an outage as long as it is told. A worker that died is tried
 * twice more, a refusal never.
 */
function retryPatiently(task: LambdaInvoke, outageAttempts = A_WHILE): void {
  task.addRetry({ errors: ['SourceError', 'RequestError'], maxAttempts: 0 });
  task.addRetry({
    errors: [
      'Lambda.TooManyRequestsException',
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      SANDBOX_BUSY,
    ],
    interval: Duration.seconds(1),
    backoffRate: 2,
    maxDelay: Duration.minutes(1),
    jitterStrategy: sfn.JitterType.FULL,
    // With half a minute between two on average, about four hours: a new account runs ten executions at a time, and
    // several films may wait for them.
    maxAttempts: 500,
  });
  task.addRetry({
    // What took too long has waited by itself, for up to eleven minutes of a paid processor: that is tried as a failure
    // is.
    errors: OUTAGE_CODES.filter((code) => code !== 'TIMED_OUT'),
    ...OUTAGE_WAITS,
    maxAttempts: outageAttempts,
  });
  task.addRetry({
    errors: ['States.ALL'],
    interval: Duration.seconds(2),
    backoffRate: 3,
    jitterStrategy: sfn.JitterType.FULL,
    maxAttempts: 2,
  });
}
