// From time to time: calls of `maintenance`. Lambda queues a call, repeats it while the account is throttled (up to six
// hours), and twice more after an error. What is left then is dropped, for the next call does the same; an alarm sees
// it (lib/monitoring.ts).

import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { QUEUED_CALLS } from './pipeline-function.ts';

export class Schedules extends Construct {
  constructor(scope: Construct, id: string, { maintenance }: { maintenance: lambda.Function }) {
    super(scope, id);
    maintenance.configureAsyncInvoke(QUEUED_CALLS);
    // Its event is the schedule's own, as that of the rule before there were two.
    new events.Rule(this, 'Rule', {
      description: 'Sweeps revisions whose grace time is over, and takes up videos that were lost',
      schedule: events.Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(maintenance)],
    });
    // One listing, empty on a good day, and a short call.
    new events.Rule(this, 'Resume', {
      description: 'Tries videos again that wait for the end of an outage',
      schedule: events.Schedule.rate(Duration.minutes(5)),
      targets: [
        new LambdaFunction(maintenance, {
          event: events.RuleTargetInput.fromObject({ command: 'resume' }),
        }),
      ],
    });
  }
}
