// Runs in Lambda: keeps the edge's copy of the playback secrets equal to Secrets Manager's. CloudFront Functions can
// read a KeyValueStore but no secret, and CloudFormation can fill a KeyValueStore only with what is in a template.
// Called at deploy with no step, and by Secrets Manager with each of the four steps of a rotation.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudFrontKeyValueStoreClient } from '@aws-sdk/client-cloudfront-keyvaluestore';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { PlaybackSecrets, SecretName } from '../core/access/playback-token.ts';
import { requireEnv } from '../lambdas/environment.ts';
import { PROPAGATION_MS, keyValueStore, undefinedWhereMissing } from './key-value-store.lambda.ts';

/** What Secrets Manager sends; nothing of it when called at deploy. */
export interface RotationEvent {
  /** The ARN of the secret that is to be rotated. */
  SecretId?: string;
  Step?: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
  ClientRequestToken?: string;
}

/** The secret, by version: `AWSCURRENT`, or the one that a rotation is making. */
export interface SecretVersions {
  current(): Promise<PlaybackSecrets>;
  pending(version: string): Promise<PlaybackSecrets | undefined>;
  /** What a version is: `AWSPENDING` as long as it is being rotated to; none for one that Secrets Manager does not know. */
  stagesOf(version: string): Promise<readonly string[]>;
  addPending(version: string, secrets: PlaybackSecrets): Promise<void>;
  /** Makes the version the current one. */
  promote(version: string): Promise<void>;
}

/** What the edge checks with. */
export interface EdgeSecrets {
  get(name: SecretName): Promise<string | undefined>;
  put(name: SecretName, secret: string): Promise<void>;
}

/**
 * Every step may run twice, and a rotation that stops anywhere harms no token: the edge learns a secret before the
 * first token is made with it, and the secret that tokens are made with is never touched.
 */
export function playbackSecret(
  versions: SecretVersions,
  edge: EdgeSecrets,
  { secretArn, waitMs = PROPAGATION_MS }: { secretArn: string; waitMs?: number },
) {
  return async ({ SecretId, Step: step, ClientRequestToken: version = '' }: RotationEvent): Promise<void> => {
    // Only what is lacking: a rotation may be under way, and then the edge is ahead of the current version.
    if (step === undefined) return copyToEdge(await versions.current(), edge, { onlyMissing: true });
    // Whoever may call this function must not make a rotation of what Secrets Manager is not rotating.
    if (SecretId !== secretArn) throw new Error(`The secret ${SecretId} is not for this function to rotate.`);
    const stages = await versions.stagesOf(version);
    if (stages.includes('AWSCURRENT')) return; // a step of a rotation that is over, once more
    if (!stages.includes('AWSPENDING')) throw new Error(`Nobody is rotating to the version ${version}.`);
    switch (step) {
      case 'createSecret':
        if (await versions.pending(version)) return;
        return versions.addPending(version, rotated(await versions.current()));
      case 'setSecret':
        return copyToEdge(await pendingOf(version, versions), edge);
      case 'testSecret': {
        const secrets = await pendingOf(version, versions);
        await sleep(waitMs);
        if ((await edge.get(secrets.current)) !== secrets[secrets.current]) {
          throw new Error(`The KeyValueStore does not hold the new secret ${secrets.current}.`);
        }
        return;
      }
      case 'finishSecret':
        return versions.promote(version);
    }
  };
}

function rotated(secrets: PlaybackSecrets): PlaybackSecrets {
  const next: SecretName = secrets.current === 'a' ? 'b' : 'a';
  return { ...secrets, current: next, [next]: randomBytes(32).toString('hex') };
}

async function copyToEdge(
  secrets: PlaybackSecrets,
  edge: EdgeSecrets,
  { onlyMissing = false } = {},
): Promise<void> {
  for (const name of ['a', 'b'] as const) {
    const [secret, held] = [secrets[name], await edge.get(name)];
    if (secret && (onlyMissing ? held === undefined : held !== secret)) await edge.put(name, secret);
  }
}

async function pendingOf(version: string, versions: SecretVersions): Promise<PlaybackSecrets> {
  const secrets = await versions.pending(version);
  if (!secrets) throw new Error(`The secret has no pending version ${version}.`);
  return secrets;
}

function secretsManager(client: SecretsManagerClient, SecretId: string): SecretVersions {
  const read = async (stage: string, VersionId?: string): Promise<PlaybackSecrets> => {
    const command = new GetSecretValueCommand({ SecretId, VersionStage: stage, VersionId });
    return JSON.parse((await client.send(command)).SecretString ?? '') as PlaybackSecrets;
  };
  const stages = async () =>
    (await client.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages ?? {};
  return {
    current: () => read('AWSCURRENT'),
    pending: (version) => read('AWSPENDING', version).catch(undefinedWhereMissing),
    async addPending(version, secrets) {
      await client.send(
        new PutSecretValueCommand({
          SecretId,
          ClientRequestToken: version,
          SecretString: JSON.stringify(secrets),
          VersionStages: ['AWSPENDING'],
        }),
      );
    },
    stagesOf: async (version) => (await stages())[version] ?? [],
    async promote(version) {
      const staged = await stages();
      const current = Object.keys(staged).find((id) => staged[id]?.includes('AWSCURRENT'));
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: version,
          RemoveFromVersionId: current,
        }),
      );
    },
  };
}

let rotation: ReturnType<typeof playbackSecret> | undefined;

export const handler = (event: RotationEvent): Promise<void> => {
  const secretArn = requireEnv('PLAYBACK_SECRET_ARN');
  rotation ??= playbackSecret(
    secretsManager(new SecretsManagerClient(), secretArn),
    keyValueStore(new CloudFrontKeyValueStoreClient(), requireEnv('KEY_VALUE_STORE_ARN')),
    { secretArn },
  );
  return rotation(event);
};
