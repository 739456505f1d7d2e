// The whole pipeline as one construct: `new VideoPipeline(this, 'Video')` in any stack, and what an app around it may
// want to know of it.

import { Duration, Names, RemovalPolicy, Size } from 'aws-cdk-lib';
import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import {
  cardKey,
  delayKey,
  firstMezzanineKey,
  firstPlanKey,
  mezzaninePrefix,
  sourceKey,
  videoPrefix,
} from '../core/artifacts/keys.ts';
import { GATEWAY_TIMEOUT_SECONDS } from '../core/aws-limits.ts';
import { DEFAULT_LIMITS, DEFAULT_MAX_UPLOAD_BYTES, DEFAULT_REVISION_GRACE_DAYS } from '../core/limits.ts';
import type { PrewarmExtent } from '../core/plan/plan-for.ts';
import type { Playback } from '../core/access/playback-token.ts';
import { acknowledge } from './acknowledge.ts';
import { Delivery } from './delivery.ts';
import type { CdnDomain } from './delivery.ts';
import { FFMPEG_PATH, FFPROBE_PATH, ffmpegLayer } from './ffmpeg-layer.ts';
import type { OwnFfmpeg } from './ffmpeg-layer.ts';
import { Monitoring } from './monitoring.ts';
import type { AlarmTarget } from './monitoring.ts';
import { Page, VIDEO_PAGES } from './page.ts';
import { PipelineFunction } from './pipeline-function.ts';
import { PlaybackTokens } from './playback-tokens.ts';
import { WorkStateMachine } from './work-state-machine.ts';
import { Schedules } from './schedules.ts';
import { UploadEvents } from './upload-events.ts';
import { VideoApi } from './video-api.ts';
import type { Authorization } from './video-api.ts';
import { VideoBuckets, allow } from './video-buckets.ts';

export interface VideoPipelineProps {
  /**
   * Who may upload, list and delete: the holder of a generated key (in Secrets Manager, see `apiKey`), or whoever a
   * JWT issuer vouches for, so that an app with users of its own needs no second secret.
   * @default 'key'
   */
  authorization?: Authorization;

  /**
   * Who may watch: whoever knows a video's id, which cannot be guessed (`public`), or whoever was given a token for it
   * by the API, for a while (`token`). Tokens cost a fraction of a millisecond and $0.10 per million requests.
   * @default 'public'
   */
  playback?: Playback;

  /**
   * What is encoded before anybody asks: all rungs, or only the lowest and the sound, the others when they are first
   * watched (`lowest`, for catalogues of which most is never watched), or nothing (`none`).
   * @default 'all'
   */
  prewarm?: PrewarmExtent;

  /**
   * Chunks (about half a minute each) of one video that are encoded at the same time. The default leaves half of the
   * ten executions that a new account has to viewers and uploaders; with a raised quota, 50 makes an hour ready in
   * about a minute.
   * @default 5
   */
  prewarmConcurrency?: number;

  /**
   * Memory, and with it processor, of the functions that encode, in MB: `viewers` wait for the one (10,240 has three
   * times the processor), nobody for the other. Above 3,008 needs a quota that new accounts do not have.
   * @default 3008 for both, the most that a new account can have
   */
  memoryMb?: { viewers?: number; prewarm?: number };

  /**
   * arm64 costs a fifth less, but its ffmpeg (of 2019) has no AV1 decoder.
   * @default lambda.Architecture.X86_64
   */
  architecture?: lambda.Architecture;

  /**
   * A build of ffmpeg of one's own: a newer one, one with other codecs, or one whose licence suits. It must be for
   * `architecture`.
   * @default ffmpeg 4.1 and ffprobe 5.2 from npm, pinned
   */
  ffmpeg?: OwnFfmpeg;

  /** What one upload may be. Longer and larger ones are refused before they cost anything. */
  uploads?: {
    /** @default 5 TiB */
    maxBytes?: number;
    /** @default 12 hours */
    maxDuration?: Duration;
    /**
     * Width × height. Larger pictures need more memory than a new account's functions have.
     * @default 8192 × 4320
     */
    maxPicturePixels?: number;
    /**
     * Tracks of all kinds; each one is looked into.
     * @default 256
     */
    maxStreams?: number;
    /**
     * Removes sources after this time. What has been encoded stays; what has not, cannot be any more, so it needs
     * `prewarm: 'all'`.
     * @default kept until the video is deleted
     */
    expireSourcesAfter?: Duration;
  };

  /**
   * How long the old revision of a video that was planned anew stays, once the new one holds everything that it held.
   * A player keeps the revision that it began with, so this has to be longer than a film with its pauses.
   * @default 7 days
   */
  revisionGrace?: Duration;

  /**
   * Names of one's own for the CDN, with a certificate in us-east-1. The DNS records are made by whoever holds the zone.
   * @default the *.cloudfront.net name
   */
  domain?: CdnDomain;

  /**
   * A folder with the page that the site shows: index.html, and below assets/ files that never change.
   * @default no page: API and playback only
   */
  page?: string;

  /**
   * Where alarms go.
   * @default a topic without subscribers, see `alarmTopic`
   */
  alarms?: AlarmTarget;

  /**
   * What becomes of videos when the stack is deleted. DESTROY deletes them all, for good.
   * @default RemovalPolicy.RETAIN
   */
  removalPolicy?: RemovalPolicy;
}

const DEFAULT_MEMORY_MB = 3008;
const DEFAULT_CONCURRENCY = 5;
const DEFAULT_REVISION_GRACE = Duration.days(DEFAULT_REVISION_GRACE_DAYS);
const DEFAULT_MAX_DURATION = Duration.seconds(DEFAULT_LIMITS.maxDurationSeconds);

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
    readonly finish: lambda.Function;
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
    validate(props);
    const { authorization = 'key', playback = 'public', prewarm = 'all' } = props;
    const maxBytes = props.uploads?.maxBytes ?? DEFAULT_MAX_UPLOAD_BYTES;
    const maxDuration = props.uploads?.maxDuration ?? DEFAULT_MAX_DURATION;
    const viewersMemoryMb = props.memoryMb?.viewers ?? DEFAULT_MEMORY_MB;
    const defaults = {
      architecture: props.architecture ?? lambda.Architecture.X86_64,
      service: Names.uniqueResourceName(this, { maxLength: 64 }),
    };

    const { uploads, media } = new VideoBuckets(this, 'Buckets', {
      removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
      expireSourcesAfter: props.uploads?.expireSourcesAfter,
    });
    const page = new Page(this, 'Page');
    this.buckets = { uploads, media, page: page.bucket };
    const tokens = playback === 'token' ? new PlaybackTokens(this, 'PlaybackTokens', defaults) : undefined;
    this.playbackSecret = tokens?.secret;

    const buckets = { UPLOADS_BUCKET: uploads.bucketName, MEDIA_BUCKET: media.bucketName };
    // Whoever comes first plans a video, so all must be told the same.
    const encodingEnvironment = {
      ...buckets,
      MAX_DURATION_SECONDS: String(maxDuration.toSeconds()),
      MAX_PICTURE_PIXELS: String(props.uploads?.maxPicturePixels ?? DEFAULT_LIMITS.maxPicturePixels),
      MAX_STREAMS: String(props.uploads?.maxStreams ?? DEFAULT_LIMITS.maxStreams),
      PREWARM: prewarm,
      FFMPEG_PATH,
      FFPROBE_PATH,
    };
    const encoding = {
      ...defaults,
      layers: [ffmpegLayer(this, 'Ffmpeg', { architecture: defaults.architecture, own: props.ffmpeg })],
      environment: encodingEnvironment,
    };
    const origin = new PipelineFunction(this, 'Origin', {
      ...encoding,
      entry: 'lambdas/origin.ts',
      description: 'Makes an artifact that a viewer asks for and that is not there yet',
      memoryMb: viewersMemoryMb,
      // CloudFront waits for 60 s; what is done later is stored, and there when the player asks again.
      timeout: Duration.minutes(2),
    });
    const transcode = new PipelineFunction(this, 'Transcode', {
      ...encoding,
      entry: 'lambdas/transcode.ts',
      description: 'Encodes a chunk of all renditions, ahead of time',
      memoryMb: props.memoryMb?.prewarm ?? DEFAULT_MEMORY_MB,
      timeout: Duration.minutes(15), // encoding has limits of its own, below this
      temporaryStorage: Size.gibibytes(2), // eight segments of each rung, at their largest
    });
    const finish = new PipelineFunction(this, 'Finish', {
      ...defaults,
      entry: 'lambdas/finish.ts',
      description: 'Measures what was made and marks the video ready, or failed',
      memoryMb: 1024, // lists and adds up: little memory, but the listing of a long film waits for the processor
      timeout: Duration.minutes(2),
      environment: buckets,
    });
    // The id is from when it had no other name: with another one CloudFormation would replace it.
    this.stateMachine = new WorkStateMachine(this, 'Prewarm', {
      media,
      transcode,
      finish,
      concurrency: props.prewarmConcurrency ?? DEFAULT_CONCURRENCY,
    }).stateMachine;
    const ingest = new PipelineFunction(this, 'Ingest', {
      ...encoding,
      entry: 'lambdas/ingest.ts',
      description: 'Plans a video whose source has arrived, makes its opening and starts the prewarm',
      memoryMb: viewersMemoryMb, // somebody waits for the upload to become playable
      timeout: Duration.minutes(15), // a second for most; a large source without an index is copied first
      environment: { ...encodingEnvironment, STATE_MACHINE_ARN: this.stateMachine.stateMachineArn },
    });
    const revisionGrace = props.revisionGrace ?? DEFAULT_REVISION_GRACE;
    const maintenance = new PipelineFunction(this, 'Maintenance', {
      ...encoding,
      entry: 'lambdas/maintenance.ts',
      description: 'Plans videos anew for operators, and sweeps revisions that are no longer current',
      memoryMb: viewersMemoryMb, // nobody waits, but what `ingest` could plan must not be too large to be planned anew
      timeout: Duration.minutes(15), // a portion of all videos, of which some may have to be copied first
      environment: {
        ...encodingEnvironment,
        STATE_MACHINE_ARN: this.stateMachine.stateMachineArn,
        REVISION_GRACE_DAYS: String(revisionGrace.toDays({ integral: false })),
      },
    });
    for (const planner of [ingest, maintenance]) this.stateMachine.grantStartExecution(planner);
    new Schedules(this, 'DailySweep', { maintenance }); // the id is from when there was one
    // While a stack is updated, old functions work beside new ones. The new ones read whatever the old ones wrote, but
    // not the other way round. So those that are handed plans and lists of work are replaced before those that write
    // them; and `origin`, which writes plans and is asked for segments of them, in between.
    origin.node.addDependency(transcode, finish);
    for (const planner of [ingest, maintenance]) planner.node.addDependency(origin);
    const { deadLetters } = new UploadEvents(this, 'UploadEvents', { uploads, ingest });

    const uploadSecret = new secretsmanager.Secret(this, 'UploadSecret', {
      description: 'What upload tokens are made with',
      generateSecretString: { excludePunctuation: true, passwordLength: 64 },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(uploadSecret, {
      'AwsSolutions-SMG4':
        'Only the API reads it. A change ends all tokens at once, which is for its owner to wish, not for a schedule.',
    });

    // The API knows the CDN's address, so its environment is completed once there is a CDN.
    const api = new PipelineFunction(this, 'Api', {
      ...defaults,
      entry: 'lambdas/api.ts',
      description: 'The HTTP API: uploads, states, lists, deletions, tokens; and the pages of single videos',
      memoryMb: 1024,
      timeout: Duration.seconds(GATEWAY_TIMEOUT_SECONDS - 1),
      environment: {
        ...buckets,
        PAGE_BUCKET: page.bucket.bucketName,
        MAX_UPLOAD_BYTES: String(maxBytes),
        UPLOAD_SECRET_ARN: uploadSecret.secretArn,
        PLAYBACK: playback,
        ...(tokens ? { PLAYBACK_SECRET_ARN: tokens.secret.secretArn } : {}),
      },
    });
    tokens?.secret.grantRead(api);
    uploadSecret.grantRead(api);
    const videoApi = new VideoApi(this, 'Http', {
      ...defaults,
      authorization,
      handler: api,
    });
    this.apiKey = videoApi.apiKey;

    const delivery = new Delivery(this, 'Delivery', {
      media,
      uploads,
      page: page.bucket,
      origin,
      apiDomainName: videoApi.domainName,
      domain: props.domain,
      playbackCheck: tokens?.check,
    });
    this.distribution = delivery.distribution;
    if (props.page) {
      page.deploy(props.page, delivery.distribution, { signIn: authorization === 'key' ? 'key' : 'token' });
    }
    this.siteUrl = delivery.baseUrl;
    this.apiUrl = `${delivery.baseUrl}/api`;
    this.playbackBaseUrl = `${delivery.baseUrl}/v`;
    api.addEnvironment('PUBLIC_BASE_URL', delivery.baseUrl);

    this.functions = {
      api,
      ingest,
      origin,
      transcode,
      finish,
      maintenance,
      authorizer: videoApi.authorizer,
      rotation: tokens?.rotation,
    };
    this.allowAccess();

    const monitoring = new Monitoring(this, 'Monitoring', {
      service: defaults.service,
      target: props.alarms,
      functions: Object.fromEntries(
        Object.entries(this.functions).filter(([, fn]) => fn !== undefined),
      ) as Record<string, lambda.Function>,
      deadLetters,
      stateMachine: this.stateMachine,
      httpApi: videoApi.httpApi,
      distribution: delivery.distribution,
    });
    this.alarmTopic = monitoring.topic;
    this.dashboard = monitoring.dashboard;
  }

  /** Each function's needs, as it uses the keys of core/artifacts/keys.ts. */
  private allowAccess(): void {
    const { uploads, media, page } = this.buckets;
    const { api, ingest, origin, transcode, finish, maintenance } = this.functions;
    const source = sourceKey('*');
    const records = firstPlanKey('*'); // and everything else below plans/
    const card = cardKey('*');
    const artifacts = `${videoPrefix('*')}*`;
    const mezzanine = `${mezzaninePrefix('*')}*`;
    const firstMezzanine = firstMezzanineKey('*'); // not below the prefix; read and deleted, never written

    allow(api, uploads, {
      read: [source],
      write: [source],
      delete: [source],
      abort: [source],
      parts: [source],
      list: true,
    });
    allow(api, media, {
      read: [card, records],
      write: [card, delayKey('*')], // a deletion is noted until it is complete
      delete: [card, records, artifacts, mezzanine, firstMezzanine],
      list: true,
    });
    allow(api, page, { read: VIDEO_PAGES, list: true }); // a deployment may have no page
    for (const worker of [ingest, origin, transcode, finish, maintenance]) {
      // Whoever comes first plans; and whoever finds that a video was deleted while it worked deletes what is left.
      allow(worker, uploads, { read: [source], delete: [source], list: true });
      allow(worker, media, {
        read: [card, records, artifacts],
        write: [records, artifacts],
        delete: [card, records, artifacts, mezzanine, firstMezzanine],
        list: true,
      });
    }
    // Whoever plans a source that cannot be sought in copies it; all who encode read the copy.
    for (const encoder of [ingest, origin, transcode, maintenance]) {
      allow(encoder, media, {
        read: [mezzanine, firstMezzanine],
        write: [mezzanine],
        abort: [mezzanine],
        parts: [mezzanine], // a copy that is complete ends the uploads of those who did not complete it
      });
    }
  }
}

function validate({ prewarm = 'all', uploads, revisionGrace }: VideoPipelineProps): void {
  if (revisionGrace?.toMilliseconds() === 0) {
    throw new Error(
      'revisionGrace must be longer than 0: whoever is watching keeps the revision that they began with.',
    );
  }
  if (uploads?.expireSourcesAfter && prewarm !== 'all') {
    throw new Error(
      `Sources cannot expire with prewarm '${prewarm}': what was not encoded by then never could be.`,
    );
  }
}
