// What tests do in an account: upload as a browser does, and look into what is stored.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { QUEUE_KEY, TOMBSTONES, planKey, revisionsKey } from '../../../core/artifacts/keys.ts';
import type { Plan } from '../../../core/plan/plan.ts';
import type { Queue } from '../../../core/records/queue.ts';
import type { Revisions } from '../../../core/records/revisions.ts';
import { TOMBSTONE } from '../../../core/records/tombstone.ts';
import type { Json } from '../../lib/support/variants.ts';
import { ffmpeg } from '../media.ts';
import { API_KEY } from './account.ts';
import type { Account } from './account.ts';

export const OWNER = { authorization: `Bearer ${API_KEY}` };

/** A film of two rungs and sound, of few pictures. Up to half a minute of it is a chunk. */
export async function filmOf(seconds: number, directory: string, framesPerSecond = 2): Promise<Buffer> {
  const path = join(directory, `${seconds}-${framesPerSecond}.mov`);
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=852x480:r=${framesPerSecond}:d=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=440:r=48000:d=${seconds}`],
    // Keyframes that are further apart would make longer chunks.
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', `${framesPerSecond}`],
    ...['-c:a', 'pcm_s16le', '-ac', '2', '-shortest', path],
  );
  const film = await readFile(path);
  return Buffer.concat([film, freeBox(seconds * ROOM_BYTES_PER_SECOND)]);
}

/** With more, chunks would be shorter, as what is read beside them would be little. */
const ROOM_BYTES_PER_SECOND = 1.1 * 1024 ** 2;

/** Room in a QuickTime file that nothing is in. */
function freeBox(sizeBytes: number): Buffer {
  const box = Buffer.alloc(Math.ceil(sizeBytes));
  box.writeUInt32BE(box.length);
  box.write('free', 4);
  return box;
}

export function videosIn(account: Account) {
  const media = account.buckets.media;

  /** As a browser uploads: asks the API, then sends the file to S3 by what it was given. */
  async function upload(file: Buffer, sent = file): Promise<Json & { id: string; put: number }> {
    const { status, body } = await account.api({
      method: 'POST',
      path: '/api/uploads',
      headers: OWNER,
      body: { filename: 'film.mp4', contentType: 'video/mp4', sizeBytes: file.length },
    });
    if (status !== 201) throw new Error(`The API answers ${status}: ${JSON.stringify(body)}`);
    const { method, url, headers } = body.upload;
    const { status: put } = await fetch(url, { method, headers, body: new Uint8Array(sent) });
    return { ...body, put };
  }

  /** Uploads, and waits until `ingest` has done its part. */
  async function uploaded(file: Buffer) {
    const video = await upload(file);
    expect(await account.ingested()).toEqual([{ payload: null }]);
    return video;
  }

  /** Whether there is something of a video to be made ahead of time. */
  const isQueued = async (id: string): Promise<boolean> =>
    (await jsonAt<Queue>(QUEUE_KEY)).lists.some((list) => list.id === id);

  /** Works off all that is queued, as often as workers are called for it. */
  async function prewarmed(): Promise<void> {
    for (const result of await account.prewarmed()) expect(result).toMatchObject({ status: 'SUCCEEDED' });
  }

  const statusOf = async (id: string): Promise<Json> =>
    (await account.api({ method: 'GET', path: `/api/videos/${id}` })).body;

  const deleteVideo = (id: string) =>
    account.api({ method: 'DELETE', path: `/api/videos/${id}`, headers: OWNER });

  /** All that there is to be done goes well. */
  async function cleaned(): Promise<void> {
    for (const reply of await account.cleaned()) expect(reply).toEqual({ payload: null });
  }

  /** As if the grace times of all deletions were over, and their links too; then the janitor has done its part. */
  async function gracePasses(): Promise<void> {
    const longAgo = new Date(Date.now() - 24 * 3600_000).toISOString();
    for (const [key, text] of await stored('media', TOMBSTONES)) {
      const tombstone = TOMBSTONE.parse(text.toString(), key);
      const past = { ...tombstone, askedAt: longAgo, calledAt: longAgo, purgeAt: longAgo };
      await put(key, JSON.stringify(TOMBSTONE.stored(past)));
    }
    await cleaned();
  }

  async function jsonAt<T>(Key: string): Promise<T> {
    const { Body } = await account.client.send(new GetObjectCommand({ Bucket: media, Key }));
    return JSON.parse(await Body!.transformToString()) as T;
  }

  const put = (Key: string, Body: string | Buffer) =>
    account.client.send(new PutObjectCommand({ Bucket: media, Key, Body }));

  const remove = (keys: Iterable<string>) => {
    const Delete = { Objects: [...keys].map((Key) => ({ Key })) };
    return account.client.send(new DeleteObjectsCommand({ Bucket: media, Delete }));
  };

  const planOf = async (id: string): Promise<Plan> =>
    jsonAt(planKey(id, (await jsonAt<Revisions>(revisionsKey(id))).current));

  async function stored(bucket: keyof Account['buckets'], Prefix: string): Promise<Map<string, Buffer>> {
    const objects = new Map<string, Buffer>();
    const Bucket = account.buckets[bucket];
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client: account.client },
      { Bucket, Prefix },
    )) {
      for (const { Key } of Contents) {
        const { Body } = await account.client.send(new GetObjectCommand({ Bucket, Key }));
        objects.set(Key!, Buffer.from(await Body!.transformToByteArray()));
      }
    }
    return objects;
  }

  /** All keys of both buckets that have to do with a video. */
  const keysOf = async (id: string): Promise<string[]> =>
    [...(await stored('uploads', '')).keys(), ...(await stored('media', '')).keys()].filter((key) =>
      key.includes(id),
    );

  return {
    upload,
    uploaded,
    isQueued,
    prewarmed,
    statusOf,
    deleteVideo,
    cleaned,
    gracePasses,
    jsonAt,
    put,
    remove,
    planOf,
    stored,
    keysOf,
  };
}

/** What a sandbox is asked to make ahead of time: the first segment of it, or pictures. */
export const firstOf = ({ task }: Json): number | 'stills' =>
  task.kind === 'segments' ? task.from : 'stills';

/** A PUT of this segment, of whichever rendition and video. */
export const putsSegment = (index: number) => {
  const name = new RegExp(`/v/.*/${String(index).padStart(5, '0')}\\.(ts|aac)\\?`);
  return ({ method, url }: { method?: string | undefined; url?: string | undefined }): boolean =>
    method === 'PUT' && name.test(`${url}?`);
};

/**
 * The metrics in CloudWatch's embedded format among a function's log lines, each with the dimensions by which alarms
 * and the dashboard have to ask for it: `DeriveTime by service,kind`.
 */
export const metricsIn = (output: string): string[] =>
  output
    .split('\n')
    .filter((line) => line.includes('"CloudWatchMetrics"'))
    .flatMap((line) => (JSON.parse(line) as Json)._aws.CloudWatchMetrics)
    .flatMap(({ Dimensions, Metrics }: Json) =>
      Metrics.map(({ Name }: Json) => `${Name} by ${Dimensions.join(' or ')}`),
    );
