// What an app may say of its pipeline, and what holds where it says nothing.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Playback } from '../core/access/playback-token.ts';
import type { UncheckedIds } from '../core/access/video-id.ts';
import {
  DEFAULT_DELETION_GRACE_HOURS,
  DEFAULT_LIMITS,
  DEFAULT_MAX_UPLOAD_BYTES,
  DEFAULT_REVISION_GRACE_DAYS,
} from '../core/limits.ts';
import type { LargestRung } from '../core/plan/ladder.ts';
import type { PrewarmExtent } from '../core/plan/plan-for.ts';
import type { Effort } from '../core/plan/plan.ts';
import { DEFAULT_SANDBOX_MEMORY_MB } from '../core/sandboxes.ts';
import { DEFAULT_PREWARM_CONCURRENCY } from '../core/work/lanes.ts';
import type { SandboxIsolation } from '../core/sandboxes.ts';
import type { CdnDomain, OriginShield } from './delivery.ts';
import type { OwnFfmpeg } from './ffmpeg-layer.ts';
import type { AlarmTarget } from './monitoring.ts';
import type { Authorization } from './video-api.ts';

export const SANDBOX_NETWORKS = ['open', 'closed'] as const;
export type SandboxNetwork = (typeof SANDBOX_NETWORKS)[number];

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
   * With public playback, the edge answers 404 by itself to an id that nobody was given, as its last digits do not fit. Ids
   * from before there were such digits (docs/decisions/059) are admitted where they are on a list, which the deployment makes
   * of the videos that it finds (`listed`); more than 50,000 do not fit there, and need `all`: then any id is looked for in
   * the bucket and by a function, whoever made it up.
   * @default 'listed'
   */
  uncheckedIds?: UncheckedIds;

  /**
   * What is encoded before anybody asks: all rungs, or only the one that players begin with and the sound, the
   * others when they are first watched (`lowest`, for catalogues of which most is never watched), or nothing (`none`).
   * @default 'all'
   */
  prewarm?: PrewarmExtent;

  /**
   * How that is encoded: `thorough` takes fewer bits for the same picture and more processor, `quick` is how everything is made
   * that a viewer waits for (docs/decisions/053 has the figures).
   * @default 'thorough'
   */
  prewarmEffort?: Effort;

  /**
   * The most that the highest rung of a video may be: `1080p` (1920 × 1080, or upright), `1440p` (2560 × 1440) or `2160p`
   * (3840 × 2160). Nothing is scaled up. A rung of 2160p costs about four times as much to make as one of 1080p.
   * @default '1080p'
   */
  largestRung?: LargestRung;

  /**
   * Chunks (a quarter of a minute to a whole one each) that are encoded ahead of time at once, of all videos together.
   * Each takes an execution, and every 24 of them one more, which waits for them; so the default leaves two of the ten
   * that a new account has to viewers and uploaders. Of a raised quota, leave them a fifth.
   * @default 7
   */
  prewarmConcurrency?: number;

  /**
   * Memory, and with it processor, of the sandboxes that encode, in MB: `viewers` wait for the one (10,240 has three
   * times the processor), nobody for the other. Above 3,008 needs a quota that new accounts do not have.
   * @default 3008 for both, the most that a new account can have
   */
  memoryMb?: { viewers?: number; prewarm?: number };

  /**
   * Whether the machines that run ffmpeg are of one video each (Lambda's tenant isolation), so that a file that takes over a
   * decoder meets no other video on its machine, or serve one video after another (`none`). Each video then begins with a
   * cold start, which is hidden behind its upload where that takes a second or more; and of such machines, busy or idle, a
   * function can have two and a half times as many as executions, which a new account with many uploads can reach.
   * @default 'video'
   */
  sandboxIsolation?: SandboxIsolation;

  /**
   * Whether the machines that run ffmpeg reach the internet, as those of any function do (`open`), or stand in a network of
   * their own from which nothing leads out but to our two buckets (`closed`). That is free, but for network interfaces of
   * which an account has a few hundred in a region.
   * @default 'open'
   */
  sandboxNetwork?: SandboxNetwork;

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
   * How long a deletion can be taken back. The video is out of reach all the same, and stored for as long; 0 for none.
   * @default 24 hours
   */
  deletionGrace?: Duration;

  /**
   * Names of one's own for the CDN, with a certificate in us-east-1. The DNS records are made by whoever holds the zone.
   * @default the *.cloudfront.net name
   */
  domain?: CdnDomain;

  /**
   * Without it, each of CloudFront's caches asks for what it has not got by itself, so that viewers all over the world have the
   * same segment made several times at once. With it they ask one cache in this region first. CloudFront charges for each
   * request that this one gets. The region is the stack's own, or where that has none the nearest one (AWS's documentation,
   * "Choosing the AWS Region for Origin Shield").
   * @default 'off'
   */
  originShield?: OriginShield;

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
   * US dollars that the whole account may cost in a month. Who is told of alarms is told when four fifths of them and when all
   * are spent, and when more is foreseen. Nothing is stopped. A topic of one's own has to let budgets.amazonaws.com publish.
   * @default no budget
   */
  monthlyBudgetUsd?: number;

  /**
   * What becomes of videos when the stack is deleted. DESTROY deletes them all, for good.
   * @default RemovalPolicy.RETAIN
   */
  removalPolicy?: RemovalPolicy;
}

export type PipelineSettings = ReturnType<typeof withDefaults>;

/** @throws Error for settings that cannot go together */
export function withDefaults(props: VideoPipelineProps) {
  validate(props);
  const { uploads, memoryMb } = props;
  return {
    authorization: props.authorization ?? 'key',
    playback: props.playback ?? 'public',
    uncheckedIds: props.uncheckedIds ?? 'listed',
    prewarm: props.prewarm ?? 'all',
    prewarmEffort: props.prewarmEffort ?? 'thorough',
    largestRung: props.largestRung ?? '1080p',
    prewarmConcurrency: props.prewarmConcurrency ?? DEFAULT_PREWARM_CONCURRENCY,
    sandboxIsolation: props.sandboxIsolation ?? 'video',
    sandboxNetwork: props.sandboxNetwork ?? 'open',
    viewersMemoryMb: memoryMb?.viewers ?? DEFAULT_SANDBOX_MEMORY_MB,
    prewarmMemoryMb: memoryMb?.prewarm ?? DEFAULT_SANDBOX_MEMORY_MB,
    architecture: props.architecture ?? lambda.Architecture.X86_64,
    originShield: props.originShield ?? 'off',
    maxBytes: uploads?.maxBytes ?? DEFAULT_MAX_UPLOAD_BYTES,
    maxDuration: uploads?.maxDuration ?? Duration.seconds(DEFAULT_LIMITS.maxDurationSeconds),
    maxPicturePixels: uploads?.maxPicturePixels ?? DEFAULT_LIMITS.maxPicturePixels,
    maxStreams: uploads?.maxStreams ?? DEFAULT_LIMITS.maxStreams,
    revisionGrace: props.revisionGrace ?? Duration.days(DEFAULT_REVISION_GRACE_DAYS),
    deletionGrace: props.deletionGrace ?? Duration.hours(DEFAULT_DELETION_GRACE_HOURS),
    removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
  };
}

function validate({
  prewarm = 'all',
  prewarmConcurrency = 1,
  originShield = 'off',
  uploads,
  revisionGrace,
  monthlyBudgetUsd,
}: VideoPipelineProps): void {
  if (!Number.isSafeInteger(prewarmConcurrency) || prewarmConcurrency < 1) {
    throw new Error(`prewarmConcurrency is ${prewarmConcurrency}; it takes a whole number above 0.`);
  }
  if (monthlyBudgetUsd !== undefined && !(monthlyBudgetUsd > 0)) {
    throw new Error(`monthlyBudgetUsd is ${monthlyBudgetUsd}; it takes a number above 0.`);
  }
  // As CloudFront has it.
  if (originShield !== 'off' && !/^[a-z]{2}-[a-z]+-\d$/.test(originShield)) {
    throw new Error(`originShield is "${originShield}"; it takes the name of a region, or off.`);
  }
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
