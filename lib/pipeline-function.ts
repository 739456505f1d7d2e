// A function as all of ours are: Node 24, one bundled file, its own log group, traced, and named to Powertools.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { Size } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { MAX_EVENT_AGE_SECONDS } from '../core/aws-limits.ts';
import { acknowledge } from './acknowledge.ts';
import { bundled } from './bundle.ts';

export const METRICS_NAMESPACE = 'InstantHLS';

/** Long enough to look into last quarter's complaint; what must be kept longer does not belong into logs. */
export const LOG_RETENTION = logs.RetentionDays.THREE_MONTHS;

/** Of calls that wait in Lambda's own queue: as long as it keeps them, and two attempts more after an error. */
export const QUEUED_CALLS = { retryAttempts: 2, maxEventAge: Duration.seconds(MAX_EVENT_AGE_SECONDS) };

/** What all functions of one pipeline share. */
export interface PipelineFunctionDefaults {
  architecture: lambda.Architecture;
  /** Sets this pipeline's metrics and logs apart from those of others in the account. */
  service: string;
}

export interface PipelineFunctionProps extends PipelineFunctionDefaults {
  /** The module that exports `handler`, from the root of the package. */
  entry: string;
  description: string;
  memoryMb: number;
  timeout: Duration;
  environment: Record<string, string>;
  layers?: lambda.ILayerVersion[];
  tenancyConfig?: lambda.TenancyConfig;
  /** Where it runs in a network of ours. */
  network?: Pick<lambda.FunctionProps, 'vpc' | 'vpcSubnets' | 'securityGroups'>;
  /** @default 512 MiB, which are free */
  temporaryStorage?: Size;
}

/** May write its own log and its traces, and nothing else until it is allowed to. */
export class PipelineFunction extends lambda.Function {
  constructor(scope: Construct, id: string, props: PipelineFunctionProps) {
    const { entry, memoryMb, temporaryStorage, service, environment, network, ...rest } = props;
    const logGroup = new logs.LogGroup(scope, `${id}Log`, {
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // The managed policy that CDK would attach lets a function write to every log of the account.
    const role = new iam.Role(scope, `${id}Role`, {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    logGroup.grantWrite(role);
    super(scope, id, {
      ...rest,
      ...network,
      runtime: lambda.Runtime.NODEJS_24_X,
      code: bundled(entry),
      handler: 'index.handler',
      memorySize: memoryMb,
      ephemeralStorageSize: temporaryStorage,
      environment: {
        ...environment,
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: service,
        POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
        POWERTOOLS_LOG_LEVEL: 'INFO',
      },
      role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
      // No reserved concurrency: it would be taken from the ten executions that a new account has.
    });
    acknowledge(role, {
      'AwsSolutions-IAM5[Resource::*]': 'Traces belong to no resource: X-Ray accepts no other value.',
    });
  }
}
