// From one day to the next: a call of `maintenance`, which removes revisions whose grace time is over. Lambda queues the
// call, repeats it while the account is throttled (up to six hours), and twice more after an error. What is left then is
// dropped, for tomorrow's call does the same; an alarm sees it (lib/monitoring.ts).

import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export class DailySweep extends Construct {
  constructor(scope: Construct, id: string, { maintenance }: { maintenance: lambda.Function }) {
    super(scope, id);
    maintenance.configureAsyncInvoke({ retryAttempts: 2, maxEventAge: Duration.hours(6) });
    new events.Rule(this, 'Rule', {
      description: 'Sweeps revisions of videos whose grace time is over',
      schedule: events.Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(maintenance)],
    });
  }
}
