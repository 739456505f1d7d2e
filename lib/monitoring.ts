// What the owner sees: a dashboard, and alarms for what needs somebody. Each alarm names its entry in
// docs/operations.md; an alarm without one is not worth waking anybody for.

import { Duration, Stack } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { METRICS_NAMESPACE } from './pipeline-function.ts';

/** Where alarms go: to a topic of one's own, or to one that is made here and, if wished, sends mail. */
export type AlarmTarget = { topic: sns.ITopic } | { email: string };

export interface MonitoringProps {
  service: string;
  target?: AlarmTarget | undefined;
  monthlyBudgetUsd?: number | undefined;
  functions: Record<string, lambda.IFunction>;
  /** What was given up of each kind of event. */
  deadLetters: Record<'uploads' | 'cleanups', sqs.IQueue>;
  stateMachine: sfn.StateMachine;
  httpApi: apigateway.HttpApi;
  distribution: cloudfront.Distribution;
}

const RUNBOOK = 'docs/operations.md';
/** Spent, or foreseen for the end of the month, in percent. */
const BUDGET_NOTICES = [
  ['ACTUAL', 80],
  ['ACTUAL', 100],
  ['FORECASTED', 100],
] as const;
const PERIOD = Duration.minutes(5);
const STANDSTILL_SECONDS = 30 * 60;
const OLD_QUEUE_SECONDS = 24 * 3600;

/**
 * An event that is tried again is younger: Lambda does so a minute after an error, and a run takes a quarter of an hour at most.
 * While calls are throttled, it does so every five minutes, for six hours.
 */
const OLD_EVENT_SECONDS = 20 * 60;

export class Monitoring extends Construct {
  readonly topic: sns.ITopic;
  readonly dashboard: cloudwatch.Dashboard;
  private readonly service: string;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.service = props.service;
    this.topic =
      props.target && 'topic' in props.target ? props.target.topic : this.ownTopic(props.target?.email);
    if (props.monthlyBudgetUsd !== undefined) this.budget(props.monthlyBudgetUsd);
    this.dashboard = this.board(props);
    this.alarms(props);
  }

  private alarms({ functions, deadLetters, stateMachine, httpApi }: MonitoringProps): void {
    // What a person waits for. The others are retried until there is room.
    const waitedFor = pick(functions, ['api', 'authorizer', 'origin', 'sandbox']);
    // Their errors are retried, and those that stay fail the prewarm.
    const { transcode: _, prewarmSandbox: __, ...others } = functions;

    this.alarm('DeadLetters', {
      says: 'An upload event failed three times: a video may never be prewarmed.',
      runbook: 'dead-letters',
      metric: messagesIn(deadLetters.uploads),
      threshold: 1,
    });
    this.alarm('CleanupsFailed', {
      says: 'The janitor failed three times: what was deleted is still stored, and may play.',
      runbook: 'cleanups-failed',
      metric: messagesIn(deadLetters.cleanups),
      threshold: 1,
    });
    this.alarm('PrewarmFailed', {
      says: 'A part of a video that was to be made ahead of time could not be.',
      runbook: 'prewarm-failed',
      metric: sum({
        failed: this.ours('VideosFailed', 'Sum'),
        notSucceeded: this.ours('RevisionsFailed', 'Sum'),
      }),
      threshold: 1,
    });
    this.alarm('WorkerFailed', {
      says: 'A worker of the prewarm failed or was ended from outside; another is called in its place.',
      runbook: 'worker-failed',
      metric: sum({
        failed: stateMachine.metricFailed({ period: PERIOD }),
        aborted: stateMachine.metricAborted({ period: PERIOD }),
      }),
      threshold: 1,
    });
    this.alarm('QueueStandsStill', {
      says: 'Videos wait to be made ahead of time, and for half an hour nothing of any has been.',
      runbook: 'queue-stands-still',
      metric: this.ours('QueueStandstill', 'Maximum'),
      threshold: STANDSTILL_SECONDS,
    });
    this.alarm('QueueIsOld', {
      says: 'A video has waited for more than a day to be made ahead of time.',
      runbook: 'queue-is-old',
      metric: this.ours('QueueAge', 'Maximum'),
      threshold: OLD_QUEUE_SECONDS,
    });
    this.alarm('VideosDelayed', {
      says: 'Videos wait for the end of an outage: of S3, of a broken ffmpeg, of a full disk.',
      runbook: 'videos-delayed',
      metric: this.ours('VideosDelayed', 'Sum'),
      // A single video that cannot be helped is delayed again and again, and what was a bad moment is not.
      threshold: 1,
      periods: 6,
      breaching: 3,
    });
    this.alarm('EventsWait', {
      says: 'An event has waited for twenty minutes: of an upload, a deletion or a schedule.',
      runbook: 'events-wait',
      // Those that events are kept for; what warms a sandbox is dropped after a minute.
      metric: greatest(
        metricsOf(pick(functions, ['ingest', 'janitor', 'maintenance']), (fn, label) =>
          fn.metric('AsyncEventAge', { period: PERIOD, statistic: 'Maximum', label }),
        ),
      ),
      threshold: OLD_EVENT_SECONDS * 1000,
    });
    this.alarm('SweepFailed', {
      says: 'A schedule failed three times: revisions that are over stay, or videos that wait are not tried again.',
      runbook: 'sweep-failed',
      // Calls of operators wait for the answer; only what a queue has given up counts here.
      metric: functions['maintenance']!.metric('AsyncEventsDropped', { period: PERIOD, statistic: 'Sum' }),
      threshold: 1,
    });
    this.alarm('FunctionErrors', {
      says: 'A function other than those of the prewarm ends in errors.',
      runbook: 'function-errors',
      metric: sum(metricsOf(others, (fn) => fn.metricErrors({ period: PERIOD }))),
      threshold: 5,
      periods: 3,
      breaching: 2,
    });
    this.alarm('Throttles', {
      says: 'Requests of viewers or uploaders are turned away: the account has no execution free.',
      runbook: 'throttles',
      metric: sum(metricsOf(waitedFor, (fn) => fn.metricThrottles({ period: PERIOD }))),
      threshold: 1,
      periods: 3,
      breaching: 2,
    });
    this.alarm('ApiErrors', {
      says: 'The API answers with 5xx.',
      runbook: 'api-errors',
      metric: httpApi.metricServerError({ period: PERIOD, statistic: 'Sum' }),
      threshold: 5,
    });
    this.alarm('OriginErrors', {
      says: 'Artifacts that viewers ask for cannot be made.',
      runbook: 'origin-errors',
      metric: urlErrors(functions['origin']!),
      threshold: 5,
    });
    this.alarm('DeriveSlow', {
      says: 'One segment in a hundred takes longer than ten seconds to make: players give up soon.',
      runbook: 'derive-slow',
      metric: this.ours('DeriveTime', 'p99', { kind: 'segment' }),
      threshold: SLOW_SECONDS,
      periods: 3,
      breaching: 3,
    });
    this.alarm('PlayableSlow', {
      says: 'One video in ten is not playable ten seconds after its upload.',
      runbook: 'playable-slow',
      metric: this.ours('TimeToPlayable', 'p90'),
      threshold: SLOW_SECONDS,
      periods: 3,
      breaching: 3,
    });
  }

  private alarm(
    id: string,
    {
      says,
      runbook,
      metric,
      threshold,
      periods = 1,
      breaching = 1,
    }: {
      says: string;
      runbook: string;
      metric: cloudwatch.IMetric;
      threshold: number;
      periods?: number;
      breaching?: number;
    },
  ): void {
    const alarm = new cloudwatch.Alarm(this, id, {
      alarmDescription: `${says} Runbook: ${RUNBOOK}#${runbook}`,
      metric,
      threshold,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: breaching,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING, // no traffic is no fault
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
  }

  private board({
    functions,
    deadLetters,
    stateMachine,
    httpApi,
    distribution,
  }: MonitoringProps): cloudwatch.Dashboard {
    const cdn = (metricName: string, statistic: string) =>
      new cloudwatch.Metric({
        namespace: 'AWS/CloudFront',
        metricName,
        statistic,
        dimensionsMap: { DistributionId: distribution.distributionId, Region: 'Global' },
        region: 'us-east-1', // where CloudFront writes, whatever the stack's region
        period: PERIOD,
      });
    const graph = (title: string, left: cloudwatch.IMetric[], right: cloudwatch.IMetric[] = []) =>
      new cloudwatch.GraphWidget({ title, left, right, width: 8, height: 6 });
    return new cloudwatch.Dashboard(this, 'Dashboard', {
      defaultInterval: Duration.days(1),
      widgets: [
        [
          graph('Videos', [
            this.ours('VideosPlayable', 'Sum'),
            this.ours('VideosReady', 'Sum'),
            this.ours('VideosFailed', 'Sum'),
            this.ours('VideosDelayed', 'Sum'),
          ]),
          graph('Time to playable, to ready', [
            this.ours('TimeToPlayable', 'p50'),
            this.ours('TimeToPlayable', 'p90'),
            this.ours('TimeToReady', 'p50'),
          ]),
          graph('Refused sources, by code', [this.byDimension('SourcesRefused', 'code', 'Sum')]),
        ],
        [
          graph('Time to derive, by kind (p50)', [this.byDimension('DeriveTime', 'kind', 'p50')]),
          graph('Time to derive, by kind (p99)', [this.byDimension('DeriveTime', 'kind', 'p99')]),
          graph('Seconds of video per GB-second', [this.ours('VideoSecondsPerGBSecond', 'p50')]),
        ],
        [
          graph(
            'CDN',
            [cdn('Requests', 'Sum')],
            [cdn('5xxErrorRate', 'Average'), cdn('4xxErrorRate', 'Average')],
          ),
          graph('CDN: bytes delivered', [cdn('BytesDownloaded', 'Sum')]),
          graph(
            'API',
            [httpApi.metricCount({ period: PERIOD, statistic: 'Sum' })],
            [
              httpApi.metricServerError({ period: PERIOD, statistic: 'Sum' }),
              httpApi.metricLatency({ period: PERIOD, statistic: 'p99' }),
            ],
          ),
        ],
        [
          graph(
            'Function errors',
            Object.values(metricsOf(functions, (fn, label) => fn.metricErrors({ period: PERIOD, label }))),
          ),
          graph(
            'Throttles',
            Object.values(metricsOf(functions, (fn, label) => fn.metricThrottles({ period: PERIOD, label }))),
          ),
          graph(
            'Duration (p99)',
            Object.values(
              metricsOf(functions, (fn, label) =>
                fn.metricDuration({ period: PERIOD, statistic: 'p99', label }),
              ),
            ),
          ),
        ],
        [
          graph(
            'Prewarm: videos that wait, and how long',
            [this.ours('QueueLength', 'Maximum')],
            [this.ours('QueueAge', 'Maximum'), this.ours('QueueStandstill', 'Maximum')],
          ),
          graph('Workers of the prewarm', [
            stateMachine.metricStarted({ period: PERIOD }),
            stateMachine.metricSucceeded({ period: PERIOD }),
            stateMachine.metricFailed({ period: PERIOD }),
          ]),
        ],
        [
          graph('Origin: answers of 5xx', [urlErrors(functions['origin']!)]),
          graph('Events given up: of uploads, of cleanups', [
            messagesIn(deadLetters.uploads),
            messagesIn(deadLetters.cleanups),
          ]),
        ],
      ],
    });
  }

  /** Of the whole account: bills are told apart by tags only where somebody has had them activated. */
  private budget(usd: number): void {
    this.topic.addToResourcePolicy(this.mayPublish(this.topic, 'budgets.amazonaws.com'));
    const budget = new CfnBudget(this, 'Budget', {
      budget: {
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: usd, unit: 'USD' },
      },
      notificationsWithSubscribers: BUDGET_NOTICES.map(([notificationType, threshold]) => ({
        notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold },
        subscribers: [{ subscriptionType: 'SNS', address: this.topic.topicArn }],
      })),
    });
    // Its policy too, as that is tried when the budget is made.
    budget.node.addDependency(this.topic);
  }

  /** A metric that our functions write. */
  private ours(
    metricName: string,
    statistic: string,
    dimensions: Record<string, string> = {},
  ): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      statistic,
      dimensionsMap: { service: this.service, ...dimensions },
      period: PERIOD,
      label: `${metricName} ${statistic}`,
    });
  }

  /** One line for each value that the dimension has had. */
  private byDimension(metricName: string, dimension: string, statistic: string): cloudwatch.MathExpression {
    const schema = `{${METRICS_NAMESPACE},service,${dimension}}`;
    return new cloudwatch.MathExpression({
      expression: `SEARCH('${schema} MetricName="${metricName}" service="${this.service}"', '${statistic}', 300)`,
      usingMetrics: {},
      period: PERIOD,
      label: '',
    });
  }

  private ownTopic(email: string | undefined): sns.Topic {
    const topic = new sns.Topic(this, 'Topic', {
      displayName: 'Alarms of the video pipeline',
      enforceSSL: true,
    });
    // A topic with a policy of its own has lost the default one, by which alarms are let in.
    topic.addToResourcePolicy(this.mayPublish(topic, 'cloudwatch.amazonaws.com'));
    if (email) topic.addSubscription(new EmailSubscription(email));
    acknowledge(topic, {
      'AwsSolutions-SNS2':
        'Alarms cannot publish to a topic encrypted with the AWS-managed key, and their text holds no secret.',
    });
    return topic;
  }

  private mayPublish(topic: sns.ITopic, service: string): iam.PolicyStatement {
    return new iam.PolicyStatement({
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      principals: [new iam.ServicePrincipal(service)],
      conditions: { StringEquals: { 'AWS:SourceAccount': Stack.of(this).account } },
    });
  }
}

const messagesIn = (queue: sqs.IQueue): cloudwatch.Metric =>
  queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: 'Maximum' });

const SLOW_SECONDS = 10;

const urlErrors = (fn: lambda.IFunction): cloudwatch.Metric =>
  fn.metric('Url5xxCount', { period: PERIOD, statistic: 'Sum' });

const pick = <T>(all: Record<string, T>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));

const metricsOf = (
  functions: Record<string, lambda.IFunction>,
  metric: (fn: lambda.IFunction, name: string) => cloudwatch.Metric,
): Record<string, cloudwatch.Metric> =>
  Object.fromEntries(Object.entries(functions).map(([name, fn]) => [name, metric(fn, name)]));

const greatest = (metrics: Record<string, cloudwatch.Metric>): cloudwatch.MathExpression =>
  new cloudwatch.MathExpression({
    expression: `MAX([${Object.keys(metrics).join(', ')}])`,
    usingMetrics: metrics,
    period: PERIOD,
  });

const sum = (metrics: Record<string, cloudwatch.Metric>): cloudwatch.MathExpression =>
  new cloudwatch.MathExpression({
    expression: Object.keys(metrics).join(' + '),
    usingMetrics: metrics,
    period: PERIOD,
  });
