// Runs in Lambda, at deploy: tells the edge the key that ids are checked with, and before that the ids of all videos that
// the key does not fit, which are those from before there was one. The edge admits any id until it has the key, so an
// update that stops anywhere keeps no video from being played.

import { setTimeout as sleep } from 'node:timers/promises';
import { CloudFrontKeyValueStoreClient } from '@aws-sdk/client-cloudfront-keyvaluestore';
import { S3Client, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { UNCHECKED_IDS, fitsKey } from '../core/access/video-id.ts';
import type { UncheckedIds } from '../core/access/video-id.ts';
import { CARDS, TOMBSTONES, parseCardKey, parseCleanupKey } from '../core/artifacts/keys.ts';
import { GATEWAY_TIMEOUT_SECONDS } from '../core/aws-limits.ts';
import { choiceFromEnv, requireEnv } from '../lambdas/environment.ts';
import { PROPAGATION_MS, keyValueStore } from './key-value-store.lambda.ts';
import type { KeyValueStore } from './key-value-store.lambda.ts';

/** Under this name the edge finds the key; any other name is the id of a video that needs none. */
const KEY = 'key';

/**
 * Told in a thousand requests, which cost about a dollar and should take some minutes of the quarter of an hour that there is; and 2 MB
 * of the 5 that a store holds.
 */
export const MAX_LISTED_IDS = 50_000;

/** For so long a function that was updated may still be called as it was before. */
const REPLACING_MS = 30_000;

/**
 * At its end every edge has what was put before, and every request to the API that was under way has ended: one that the
 * release before had begun would make an id without the key.
 */
const WAIT_MS = PROPAGATION_MS + GATEWAY_TIMEOUT_SECONDS * 1000 + REPLACING_MS;

export interface KnownIds {
  key: string;
  uncheckedIds: UncheckedIds;
  /** Also where the edge has the key: videos may have come by other ways than by the API. */
  again?: boolean | undefined;
  /** The ids of all videos. */
  videos(): AsyncIterable<string>;
}

/**
 * May run at any time, and again: also after the key was changed, when ids of the former one are listed.
 * @throws Error for more ids without the key than the edge is told
 */
export async function tellEdge(
  edge: KeyValueStore,
  { key, uncheckedIds, again, videos }: KnownIds,
  waitMs = WAIT_MS,
): Promise<void> {
  if (uncheckedIds === 'all') return edge.remove(KEY);
  if ((await edge.get(KEY)) === key && !again) return;
  const listed = new Set<string>();
  for (let isFirst = true; ; isFirst = false) {
    const found: string[] = [];
    for await (const id of videos()) {
      if (!listed.has(id) && !fitsKey(id, key)) found.push(id);
      if (listed.size + found.length > MAX_LISTED_IDS) throw tooMany();
    }
    if (found.length === 0 && !isFirst) break;
    await edge.putAll(found, '1');
    for (const id of found) listed.add(id);
    await sleep(waitMs);
  }
  await edge.put(KEY, key);
}

const tooMany = (): Error =>
  new Error(
    `More than ${MAX_LISTED_IDS} videos have ids from before ids were checked. Deploy with uncheckedIds=all, and all ids go on being admitted (docs/operations.md, "Ids that nobody was given").`,
  );

/** Of those too that were deleted, and may be had back. */
export async function* idsOfVideos(client: S3Client, Bucket: string): AsyncGenerator<string> {
  for (const Prefix of [CARDS, TOMBSTONES]) {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
      for (const { Key = '' } of Contents) {
        const id = parseCardKey(Key) ?? parseCleanupKey(Key);
        if (id !== undefined) yield id;
      }
    }
  }
}

/** Called at deploy without an event, and by operators with one. */
export const handler = async (event?: { again?: boolean }): Promise<void> => {
  const SecretId = requireEnv('VIDEO_ID_KEY_ARN');
  const { SecretString } = await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId }));
  if (!SecretString) throw new Error('The key of video ids is empty.');
  const client = new S3Client();
  await tellEdge(
    keyValueStore(new CloudFrontKeyValueStoreClient({ maxAttempts: 10 }), requireEnv('KEY_VALUE_STORE_ARN')),
    {
      key: SecretString,
      uncheckedIds: choiceFromEnv('UNCHECKED_IDS', UNCHECKED_IDS),
      again: event?.again,
      videos: () => idsOfVideos(client, requireEnv('MEDIA_BUCKET')),
    },
  );
};
