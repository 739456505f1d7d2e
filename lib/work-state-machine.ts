// Keeps a worker of the prewarm at work: calls it again until it says that nothing is left. It knows nothing of video, nor of
// the queue. Calling once more is harmless, so whatever went wrong is repaired by the next call.

import { Duration, RemovalPolicy, Names } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { OUTAGE_CODES } from '../core/errors.ts';
import { acknowledge, logicalId, wildcards } from './acknowledge.ts';
import { LOG_RETENTION } from './pipeline-function.ts';

/** Input: `WorkerInput` (adapters/executions.ts). An execution is named after its call, so that it is started once. */
export class WorkStateMachine extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { transcode }: { transcode: lambda.IFunction }) {
    super(scope, id);

    const shift = new LambdaInvoke(this, 'Transcode', {
      lambdaFunction: transcode,
      retryOnServiceExceptions: false, // CDK's list lacks the one error that a new account is sure to meet
      outputPath: '$.Payload',
    });
    retryPatiently(shift);
    const pause = new sfn.Wait(this, 'Pause', { time: sfn.WaitTime.secondsPath('$.waitSeconds') });
    const isMoreLeft = new sfn.Choice(this, 'MoreLeft')
      .when(sfn.Condition.booleanEquals('$.more', true), pause)
      .otherwise(new sfn.Succeed(this, 'Done'));
    pause.next(shift);

    const logGroup = new logs.LogGroup(this, 'Log', {
      // With this prefix the log's policy does not grow with every state machine of the account, up to its limit.
      logGroupName: `/aws/vendedlogs/states/${Names.uniqueResourceName(this, { maxLength: 80 })}`,
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineType: sfn.StateMachineType.STANDARD, // an express execution ends after five minutes
      definitionBody: sfn.DefinitionBody.fromChainable(shift.next(isMoreLeft)),
      tracingEnabled: true,
      logs: { destination: logGroup, level: sfn.LogLevel.ERROR, includeExecutionData: true },
    });
    acknowledge(this.stateMachine, {
      'AwsSolutions-SF1': 'What went well is in the history that Step Functions keeps for 90 days.',
      ...wildcards(
        [`Resource::<${logicalId(transcode)}.Arn>:*`],
        'All versions of the function, as CDK grants it.',
      ),
      ...wildcards(['Resource::*'], 'Deliveries of logs and traces belong to no resource.'),
    });
  }
}

/**
 * Waits long for a free execution, and for the end of an outage of the store. A worker that died is called a few times
 * more; then somebody else is called in its place (lib/schedules.ts).
 */
function retryPatiently(task: LambdaInvoke): void {
  task.addRetry({
    errors: [
      'Lambda.TooManyRequestsException',
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      ...OUTAGE_CODES,
    ],
    interval: Duration.seconds(1),
    backoffRate: 2,
    maxDelay: Duration.minutes(1),
    jitterStrategy: sfn.JitterType.FULL,
    // With half a minute between two on average, about four hours: a new account runs ten executions at a time, which
    // others may take.
    maxAttempts: 500,
  });
  task.addRetry({
    errors: ['States.ALL'],
    interval: Duration.seconds(2),
    backoffRate: 3,
    jitterStrategy: sfn.JitterType.FULL,
    maxAttempts: 3,
  });
}
