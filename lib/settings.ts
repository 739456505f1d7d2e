// The stack's settings, from CDK context (`-c name=value`, or cdk.json): text as people type it into properties.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { LARGEST_RUNGS } from '../core/plan/ladder.ts';
import { PREWARM_EXTENTS } from '../core/plan/plan-for.ts';
import { EFFORTS } from '../core/plan/plan.ts';
import { PLAYBACK } from '../core/access/playback-token.ts';
import { UNCHECKED_IDS } from '../core/access/video-id.ts';
import { SANDBOX_ISOLATIONS } from '../core/sandboxes.ts';
import { SANDBOX_NETWORKS } from './video-pipeline-props.ts';
import type { VideoPipelineProps } from './video-pipeline.ts';

const CHOICES = {
  playback: PLAYBACK,
  uncheckedIds: UNCHECKED_IDS,
  prewarm: PREWARM_EXTENTS,
  prewarmEffort: EFFORTS,
  largestRung: LARGEST_RUNGS,
  sandboxIsolation: SANDBOX_ISOLATIONS,
  sandboxNetwork: SANDBOX_NETWORKS,
  architecture: ['x86_64', 'arm64'],
  removal: ['retain', 'destroy'],
} as const;

const NUMBERS = [
  'prewarmConcurrency',
  'viewersMemoryMb',
  'prewarmMemoryMb',
  'maxUploadBytes',
  'maxDurationSeconds',
  'maxPicturePixels',
  'maxStreams',
  'expireSourcesAfterDays',
  'revisionGraceDays',
  'deletionGraceHours',
  'monthlyBudgetUsd',
] as const;

const TEXTS = [
  'stackName',
  'jwtIssuer',
  'jwtAudience',
  'domainNames',
  'certificateArn',
  'originShield',
  'ffmpegDirectory',
  'ffmpegLayerArn',
  'alarmEmail',
] as const;

/**
 * All that docs/operations.md lists.
 * @throws Error for a value that is not one of those possible, for half a pair, and for a name that is not known: a
 *   setting that is misspelt would otherwise silently be none.
 */
export function settingsOf(scope: Construct): VideoPipelineProps {
  refuseUnknown(scope);
  const [jwtIssuer, jwtAudience] = pair(scope, 'jwtIssuer', 'jwtAudience');
  const [domainNames, certificateArn] = pair(scope, 'domainNames', 'certificateArn');
  const directory = text(scope, 'ffmpegDirectory');
  const layerArn = text(scope, 'ffmpegLayerArn');
  if (directory && layerArn) throw new Error('Set ffmpegDirectory or ffmpegLayerArn, not both.');
  const email = text(scope, 'alarmEmail');
  const maxDuration = number(scope, 'maxDurationSeconds');
  const expireDays = number(scope, 'expireSourcesAfterDays');
  const graceDays = number(scope, 'revisionGraceDays');
  const graceHours = number(scope, 'deletionGraceHours', { least: 0 });
  return defined({
    authorization: jwtIssuer && jwtAudience ? { jwtIssuer, jwtAudience: list(jwtAudience) } : undefined,
    playback: choice(scope, 'playback'),
    uncheckedIds: choice(scope, 'uncheckedIds'),
    prewarm: choice(scope, 'prewarm'),
    prewarmEffort: choice(scope, 'prewarmEffort'),
    largestRung: choice(scope, 'largestRung'),
    prewarmConcurrency: number(scope, 'prewarmConcurrency'),
    sandboxIsolation: choice(scope, 'sandboxIsolation'),
    sandboxNetwork: choice(scope, 'sandboxNetwork'),
    memoryMb: defined({
      viewers: number(scope, 'viewersMemoryMb'),
      prewarm: number(scope, 'prewarmMemoryMb'),
    }),
    architecture: choice(scope, 'architecture') === 'arm64' ? lambda.Architecture.ARM_64 : undefined,
    ffmpeg: directory ? { directory } : layerArn ? { layerArn } : undefined,
    uploads: defined({
      maxBytes: number(scope, 'maxUploadBytes'),
      maxDuration: maxDuration === undefined ? undefined : Duration.seconds(maxDuration),
      maxPicturePixels: number(scope, 'maxPicturePixels'),
      maxStreams: number(scope, 'maxStreams'),
      expireSourcesAfter: expireDays === undefined ? undefined : Duration.days(expireDays),
    }),
    revisionGrace: graceDays === undefined ? undefined : Duration.days(graceDays),
    deletionGrace: graceHours === undefined ? undefined : Duration.hours(graceHours),
    domain:
      domainNames && certificateArn
        ? {
            names: list(domainNames),
            certificate: acm.Certificate.fromCertificateArn(scope, 'Certificate', certificateArn),
          }
        : undefined,
    originShield: text(scope, 'originShield'),
    alarms: email ? { email } : undefined,
    monthlyBudgetUsd: number(scope, 'monthlyBudgetUsd'),
    removalPolicy: choice(scope, 'removal') === 'destroy' ? RemovalPolicy.DESTROY : undefined,
  });
}

function refuseUnknown(scope: Construct): void {
  const known: readonly string[] = [...Object.keys(CHOICES), ...NUMBERS, ...TEXTS];
  for (const name of Object.keys(scope.node.getAllContext() as object)) {
    // CDK's own names hold one of these.
    if (/[@:/]/.test(name) || known.includes(name)) continue;
    throw new Error(`There is no setting ${name}. There are: ${known.join(', ')}.`);
  }
}

function text(scope: Construct, name: (typeof TEXTS)[number]): string | undefined {
  const value: unknown = scope.node.tryGetContext(name);
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`The setting ${name} is ${JSON.stringify(value)}; it takes a text.`);
}

function number(
  scope: Construct,
  name: (typeof NUMBERS)[number],
  { least = 1 }: { least?: number } = {},
): number | undefined {
  const value: unknown = scope.node.tryGetContext(name);
  if (value === undefined) return undefined;
  const parsed = Number(value); // a number from cdk.json, a text from the command line
  if (Number.isSafeInteger(parsed) && parsed >= least) return parsed;
  throw new Error(
    `The setting ${name} is ${JSON.stringify(value)}; it takes a whole number above ${least - 1}.`,
  );
}

function choice<K extends keyof typeof CHOICES>(
  scope: Construct,
  name: K,
): (typeof CHOICES)[K][number] | undefined {
  const value: unknown = scope.node.tryGetContext(name);
  const choices: readonly unknown[] = CHOICES[name];
  if (value === undefined || choices.includes(value)) return value as (typeof CHOICES)[K][number] | undefined;
  throw new Error(`The setting ${name} is ${JSON.stringify(value)}; it takes ${choices.join(' or ')}.`);
}

type Text = (typeof TEXTS)[number];

function pair(scope: Construct, first: Text, second: Text): [string | undefined, string | undefined] {
  const values: [string | undefined, string | undefined] = [text(scope, first), text(scope, second)];
  if (Boolean(values[0]) === Boolean(values[1])) return values;
  throw new Error(`The settings ${first} and ${second} go together; one of them is missing.`);
}

const list = (value: string): string[] => value.split(',').map((part) => part.trim());

/** Without the properties that are undefined, so that they do not hide defaults. */
const defined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
