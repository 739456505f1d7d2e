// The functions that run ffmpeg on what strangers have sent, and may do nothing else: their roles write a log and traces.
// What a task may read and write, its request brings as links. Of each video they have machines of their own, so that
// whoever takes one over meets no other video there, neither at once nor later.

import { Duration, Size } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { ClosedNetwork, allowConnecting } from './closed-network.ts';
import { FFMPEG_PATH, FFPROBE_PATH, ffmpegLayer } from './ffmpeg-layer.ts';
import type { OwnFfmpeg } from './ffmpeg-layer.ts';
import { PipelineFunction } from './pipeline-function.ts';
import type { PipelineFunctionDefaults } from './pipeline-function.ts';
import type { PipelineSettings } from './video-pipeline-props.ts';

export interface Sandbox {
  fn: PipelineFunction;
  memoryMb: number;
  isolation: PipelineSettings['sandboxIsolation'];
}

/** One for what somebody waits for, planning among it, and one for what is made ahead of time. */
export interface Sandboxes {
  viewers: Sandbox;
  prewarm: Sandbox;
}

export interface SandboxesProps {
  defaults: PipelineFunctionDefaults;
  settings: PipelineSettings;
  ffmpeg: OwnFfmpeg | undefined;
  /** What they read and write, by links. */
  buckets: readonly s3.IBucket[];
}

/** They stand in `scope` itself, as their logical ids must stay what they are. */
export function sandboxes(
  scope: Construct,
  { defaults, settings, ffmpeg, buckets }: SandboxesProps,
): Sandboxes {
  const { architecture } = defaults;
  const isolation = settings.sandboxIsolation;
  const closed =
    settings.sandboxNetwork === 'closed'
      ? new ClosedNetwork(scope, 'SandboxNetwork', { buckets })
      : undefined;
  const common = {
    ...defaults,
    entry: 'lambdas/sandbox.ts',
    layers: [ffmpegLayer(scope, 'Ffmpeg', { architecture, own: ffmpeg })],
    environment: { FFMPEG_PATH, FFPROBE_PATH },
    timeout: Duration.minutes(15), // for a large source without an index, which is copied first
    ...(isolation === 'video' && { tenancyConfig: lambda.TenancyConfig.PER_TENANT }),
    ...(closed && {
      network: {
        vpc: closed.vpc,
        vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
        securityGroups: [closed.securityGroup],
      },
    }),
  };
  const sandbox = (
    id: string,
    own: { description: string; memoryMb: number; temporaryStorage?: Size },
  ): Sandbox => {
    const fn = new PipelineFunction(scope, id, { ...common, ...own });
    if (closed) allowConnecting(fn);
    // Only warming is called that way, which is worth nothing a minute later.
    fn.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    return { fn, isolation, memoryMb: own.memoryMb };
  };
  return {
    viewers: sandbox('Sandbox', {
      description: 'Runs ffmpeg for somebody who waits; has no right to anything',
      memoryMb: settings.viewersMemoryMb,
    }),
    prewarm: sandbox('PrewarmSandbox', {
      description: 'Runs ffmpeg ahead of time; has no right to anything',
      memoryMb: settings.prewarmMemoryMb,
      temporaryStorage: Size.gibibytes(2), // the largest chunk there is (core/work/work.ts), and room beside it
    }),
  };
}

/** What a broker is told of its sandbox. */
export const sandboxEnvironment = ({ fn, isolation, memoryMb }: Sandbox): Record<string, string> => ({
  SANDBOX_FUNCTION: fn.functionName,
  SANDBOX_ISOLATION: isolation,
  SANDBOX_MEMORY_MB: String(memoryMb),
});

/** Lets a function have this sandbox work for it. CDK's own grant is for all versions of a function, too. */
export function allowSandbox(broker: lambda.Function, { fn }: Sandbox): void {
  broker.addToRolePolicy(
    new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [fn.functionArn] }),
  );
}
