// The whole pipeline as one construct: `new VideoPipeline(this, 'Video')` in any stack, and what an app around it may
// want to know of it.

import { Names } from 'aws-cdk-lib';
import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { allowAccess } from './access.ts';
import { apiFunction } from './api-function.ts';
import { Delivery } from './delivery.ts';
import { janitor } from './janitor.ts';
import { Monitoring } from './monitoring.ts';
import { Page } from './page.ts';
import { PlaybackTokens } from './playback-tokens.ts';
import { refuseUnsupportedRegion } from './regions.ts';
import { allowSandbox, sandboxes } from './sandboxes.ts';
import { UploadEvents } from './upload-events.ts';
import { VideoApi } from './video-api.ts';
import { VideoBuckets } from './video-buckets.ts';
import { VideoIds } from './video-ids.ts';
import { withDefaults } from './video-pipeline-props.ts';
import type { VideoPipelineProps } from './video-pipeline-props.ts';
import { workers } from './workers.ts';

export type { VideoPipelineProps } from './video-pipeline-props.ts';

export class VideoPipeline extends Construct {
  /** Scheme and host of page, API and playback, without a slash at the end. */
  readonly siteUrl: string;
  readonly apiUrl: string;
  /** Followed by `/{id}/master.m3u8`, or with protected playback by `/{token}/{id}/master.m3u8`. */
  readonly playbackBaseUrl: string;

  readonly buckets: { readonly uploads: s3.Bucket; readonly media: s3.Bucket; readonly page: s3.Bucket };
  readonly functions: {
    readonly api: lambda.Function;
    readonly ingest: lambda.Function;
    readonly origin: lambda.Function;
    readonly transcode: lambda.Function;
    /** Run ffmpeg, and may do nothing else. */
    readonly sandbox: lambda.Function;
    readonly prewarmSandbox: lambda.Function;
    /** Removes what was stored of videos, for all the others. */
    readonly janitor: lambda.Function;
    /** Takes the commands of operators: docs/operations.md has them. */
    readonly maintenance: lambda.Function;
    /** Undefined with a JWT issuer. */
    readonly authorizer: lambda.Function | undefined;
    /** Undefined with public playback. */
    readonly rotation: lambda.Function | undefined;
  };
  readonly stateMachine: sfn.StateMachine;
  readonly distribution: cloudfront.Distribution;
  /** The generated key, as plain text; undefined with a JWT issuer. */
  readonly apiKey: secretsmanager.Secret | undefined;
  /** JSON as in core/access/playback-token.ts; undefined with public playback. */
  readonly playbackSecret: secretsmanager.Secret | undefined;
  readonly alarmTopic: sns.ITopic;
  readonly dashboard: cloudwatch.Dashboard;

  constructor(scope: Construct, id: string, props: VideoPipelineProps = {}) {
    super(scope, id);
    refuseUnsupportedRegion(this);
    const settings = withDefaults(props);
    const { architecture, authorization, removalPolicy } = settings;
    const defaults = { architecture, service: Names.uniqueResourceName(this, { maxLength: 64 }) };

    const { expireSourcesAfter } = props.uploads ?? {};
    const { uploads, media } = new VideoBuckets(this, 'Buckets', { removalPolicy, expireSourcesAfter });
    const page = new Page(this, 'Page');
    this.buckets = { uploads, media, page: page.bucket };
    const tokens =
      settings.playback === 'token' ? new PlaybackTokens(this, 'PlaybackTokens', defaults) : undefined;
    this.playbackSecret = tokens?.secret;

    const { ffmpeg } = props;
    const boxes = sandboxes(this, { defaults, settings, ffmpeg, buckets: [uploads, media] });
    const { stateMachine, ...made } = workers(this, { uploads, media, defaults, settings, sandboxes: boxes });
    this.stateMachine = stateMachine;
    const cleaning = janitor(this, { uploads, media, defaults });
    const { deadLetters } = new UploadEvents(this, 'UploadEvents', { uploads, ingest: made.ingest });

    const { buckets, playbackSecret } = this;
    const ids = new VideoIds(this, 'Ids');
    const secrets = { playbackSecret, videoIdKey: ids.key };
    const api = apiFunction(this, { buckets, defaults, settings, ...secrets, sandbox: boxes.viewers });
    const videoApi = new VideoApi(this, 'Http', { ...defaults, authorization, handler: api });
    this.apiKey = videoApi.apiKey;
    const { authorizer } = videoApi;
    const [sandbox, prewarmSandbox] = [boxes.viewers.fn, boxes.prewarm.fn];
    this.functions = {
      ...{ api, ...made, sandbox, prewarmSandbox, janitor: cleaning.janitor },
      ...{ authorizer, rotation: tokens?.rotation },
    };

    const delivery = new Delivery(this, 'Delivery', {
      media,
      uploads,
      page: page.bucket,
      origin: made.origin,
      apiDomainName: videoApi.domainName,
      domain: props.domain,
      originShield: settings.originShield,
      playbackCheck:
        tokens?.check ?? ids.checkAtEdge({ defaults, media, api, uncheckedIds: settings.uncheckedIds }),
    });
    const { baseUrl, distribution } = delivery;
    this.distribution = distribution;
    if (props.page) {
      page.deploy(props.page, distribution, { signIn: authorization === 'key' ? 'key' : 'token' });
    }
    this.siteUrl = baseUrl;
    this.apiUrl = `${baseUrl}/api`;
    this.playbackBaseUrl = `${baseUrl}/v`;
    api.addEnvironment('PUBLIC_BASE_URL', baseUrl);
    cleaning.janitor.addEnvironment('DISTRIBUTION_ID', distribution.distributionId);
    // Before anybody writes a tombstone with a grace time, whoever would take it for one without is replaced.
    for (const writer of [api, made.maintenance]) writer.node.addDependency(cleaning.janitor);
    distribution.grantCreateInvalidation(cleaning.janitor);
    allowAccess(buckets, this.functions);
    for (const broker of [made.ingest, made.origin, made.maintenance]) allowSandbox(broker, boxes.viewers);
    allowSandbox(made.transcode, boxes.prewarm);

    const monitoring = new Monitoring(this, 'Monitoring', {
      service: defaults.service,
      target: props.alarms,
      monthlyBudgetUsd: props.monthlyBudgetUsd,
      functions: present(this.functions),
      deadLetters: { uploads: deadLetters, cleanups: cleaning.deadLetters },
      stateMachine,
      httpApi: videoApi.httpApi,
      distribution,
    });
    this.alarmTopic = monitoring.topic;
    this.dashboard = monitoring.dashboard;
  }
}

const present = <T>(named: Readonly<Record<string, T | undefined>>): Record<string, T> =>
  Object.fromEntries(Object.entries(named).filter((entry): entry is [string, T] => entry[1] !== undefined));
