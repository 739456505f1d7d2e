// The functions that have videos planned and made, and what has them work ahead of time. They decide, keep records and store;
// what decodes is done for them by the sandboxes (sandboxes.ts).

import { Duration } from 'aws-cdk-lib';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { FUNCTION_COPIED_BYTES } from '../core/limits.ts';
import { BROKER_MEMORY_MB, PREWARM_BROKER_MEMORY_MB } from '../core/sandboxes.ts';
import { PipelineFunction } from './pipeline-function.ts';
import type { PipelineFunctionDefaults } from './pipeline-function.ts';
import { sandboxEnvironment } from './sandboxes.ts';
import type { Sandboxes } from './sandboxes.ts';
import { WorkStateMachine } from './work-state-machine.ts';
import { Schedules } from './schedules.ts';
import type { PipelineSettings } from './video-pipeline-props.ts';

export interface WorkersProps {
  uploads: s3.Bucket;
  media: s3.Bucket;
  defaults: PipelineFunctionDefaults;
  settings: PipelineSettings;
  sandboxes: Sandboxes;
}

export interface Workers {
  ingest: PipelineFunction;
  origin: PipelineFunction;
  transcode: PipelineFunction;
  maintenance: PipelineFunction;
  stateMachine: sfn.StateMachine;
}

/** They stand in `scope` itself, as their logical ids must stay what they are. */
export function workers(scope: Construct, props: WorkersProps): Workers {
  const { origin, transcode } = makers(scope, props);
  // The id is from when it had no other name: with another one CloudFormation would replace it.
  const { stateMachine } = new WorkStateMachine(scope, 'Prewarm', { transcode });
  const { ingest, maintenance } = planners(scope, props, stateMachine);
  new Schedules(scope, 'DailySweep', { maintenance }); // the id is from when there was one
  // In the order in which the dashboard shows them.
  const all = { ingest, origin, transcode, maintenance, stateMachine };
  replaceReadersFirst(all, props.sandboxes);
  return all;
}

export const bucketNames = ({ uploads, media }: Pick<WorkersProps, 'uploads' | 'media'>) => ({
  UPLOADS_BUCKET: uploads.bucketName,
  MEDIA_BUCKET: media.bucketName,
});

/** Whoever comes first plans a video, so all must be told the same. */
const planningEnvironment = (props: WorkersProps): Record<string, string> => ({
  ...bucketNames(props),
  MAX_DURATION_SECONDS: String(props.settings.maxDuration.toSeconds()),
  MAX_PICTURE_PIXELS: String(props.settings.maxPicturePixels),
  MAX_COPIED_BYTES: String(FUNCTION_COPIED_BYTES),
  MAX_STREAMS: String(props.settings.maxStreams),
  PREWARM: props.settings.prewarm,
  PREWARM_EFFORT: props.settings.prewarmEffort,
  LARGEST_RUNG: props.settings.largestRung,
});

/** Whoever queues work calls those who do it, and each of these has so much of it. */
const queueEnvironment = ({ settings }: WorkersProps): Record<string, string> => ({
  PREWARM_CONCURRENCY: String(settings.prewarmConcurrency),
});

/** Have artifacts made: for a viewer who waits, and ahead of time. */
function makers(scope: Construct, props: WorkersProps): Pick<Workers, 'origin' | 'transcode'> {
  const { defaults, sandboxes } = props;
  const environment = planningEnvironment(props);
  const origin = new PipelineFunction(scope, 'Origin', {
    ...defaults,
    entry: 'lambdas/origin.ts',
    description: 'Makes an artifact that a viewer asks for and that is not there yet',
    memoryMb: BROKER_MEMORY_MB,
    // CloudFront waits for 60 s; what is done later is stored, and there when the player asks again.
    timeout: Duration.minutes(2),
    environment: { ...environment, ...sandboxEnvironment(sandboxes.viewers) },
  });
  const transcode = new PipelineFunction(scope, 'Transcode', {
    ...defaults,
    entry: 'lambdas/transcode.ts',
    description:
      'Has what is queued encoded ahead of time, many chunks at once, and marks videos ready, or failed',
    memoryMb: PREWARM_BROKER_MEMORY_MB,
    timeout: Duration.minutes(15), // then it is called again
    environment: { ...environment, ...queueEnvironment(props), ...sandboxEnvironment(sandboxes.prewarm) },
  });
  return { origin, transcode };
}

/** Have videos planned and start their prewarm: when they come, and for operators. */
function planners(
  scope: Construct,
  props: WorkersProps,
  stateMachine: sfn.StateMachine,
): Pick<Workers, 'ingest' | 'maintenance'> {
  const { defaults, sandboxes, settings } = props;
  const environment = {
    ...planningEnvironment(props),
    ...sandboxEnvironment(sandboxes.viewers),
    ...queueEnvironment(props),
    STATE_MACHINE_ARN: stateMachine.stateMachineArn,
  };
  const ingest = new PipelineFunction(scope, 'Ingest', {
    ...defaults,
    entry: 'lambdas/ingest.ts',
    description: 'Plans a video whose source has arrived, makes its opening and starts the prewarm',
    memoryMb: BROKER_MEMORY_MB,
    timeout: Duration.minutes(15), // a second for most; a large source without an index is copied first
    environment,
  });
  const maintenance = new PipelineFunction(scope, 'Maintenance', {
    ...defaults,
    entry: 'lambdas/maintenance.ts',
    description: 'Plans videos anew for operators, and sweeps revisions that are no longer current',
    memoryMb: BROKER_MEMORY_MB,
    timeout: Duration.minutes(15), // a portion of all videos, of which some may have to be copied first
    environment: {
      ...environment,
      REVISION_GRACE_DAYS: String(settings.revisionGrace.toDays({ integral: false })),
    },
  });
  for (const planner of [ingest, maintenance]) stateMachine.grantStartExecution(planner);
  return { ingest, maintenance };
}

/**
 * While a stack is updated, old functions work beside new ones. The new ones read whatever the old ones wrote, but not
 * the other way round. So those that are handed plans and lists of work are replaced before those that write them, the
 * sandboxes first of all; and `origin`, which writes plans and is asked for segments of them, in between.
 */
function replaceReadersFirst(
  { origin, transcode, ingest, maintenance }: Workers,
  { viewers, prewarm }: Sandboxes,
): void {
  for (const broker of [origin, transcode, ingest, maintenance]) {
    broker.node.addDependency(viewers.fn, prewarm.fn);
  }
  origin.node.addDependency(transcode);
  for (const planner of [ingest, maintenance]) planner.node.addDependency(origin);
}
