// A data folder that an earlier release left, as an operator and a viewer of today's server see it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, S3Client, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { TOMBSTONES } from '../../core/artifacts/keys.ts';
import type { MaintenanceAnswer, MaintenanceRequest } from '../../pipeline/revisions/maintenance.ts';
import type { Rendition } from './hls.ts';
import { bytesAt } from './hls.ts';
import { ffmpeg } from './media.ts';
import { numbersIn } from './numbered.ts';
import { keyring, listenS3 } from './s3-server.ts';
import { pictures } from './stream.ts';
import type { Granted, System } from './system.ts';

export const BUCKETS = ['instant-hls-uploads', 'instant-hls-media'] as const;

/** A copy of a folder of test/fixtures, to start a server on. */
export async function copyOfFixture(name: string, dataDirectory: string): Promise<string> {
  await cp(join(import.meta.dirname, '..', 'fixtures', name), dataDirectory, { recursive: true });
  return dataDirectory;
}

/** The store of a folder that no server runs on. */
export async function withStoreOf<T>(
  dataDirectory: string,
  use: (client: S3Client) => Promise<T>,
): Promise<T> {
  const { endpoint, close } = await listenS3({ directory: join(dataDirectory, 's3') });
  const { region, ...credentials } = keyring;
  const client = new S3Client({ region, credentials, endpoint, forcePathStyle: true });
  try {
    return await use(client);
  } finally {
    client.destroy();
    await close();
  }
}

/** All keys of both buckets that begin, after the bucket's name, with `prefix`. */
export async function keysBelow(client: S3Client, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for (const Bucket of BUCKETS) {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix })) {
      keys.push(...Contents.map(({ Key }) => Key!));
    }
  }
  return keys;
}

/** Looks until the janitor has removed all that was stored of a video. */
export async function untilGone(client: S3Client, { id }: Pick<Granted, 'id'>): Promise<void> {
  while ((await keysBesideTombstones(client)).some((key) => key.includes(id))) await sleep(50);
}

/** All keys but those that stay for an hour after a deletion. */
export const keysBesideTombstones = async (client: S3Client): Promise<string[]> =>
  (await keysBelow(client)).filter((key) => !key.startsWith(TOMBSTONES));

/** The segments that are stored, by their keys. */
export async function storedSegments(client: S3Client): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const Key of await keysBelow(client, 'v/')) {
    if (/\.(ts|aac)$/.test(Key)) found.set(Key, await objectAt(client, Key));
  }
  return found;
}

/** An object of the media bucket. */
export async function objectAt(client: S3Client, Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKETS[1], Key }));
  return Buffer.from(await Body!.transformToByteArray());
}

/** Where a server answers for a video that it did not grant itself. */
export const videoOf = ({ baseUrl }: System, id: string): Granted => ({
  id,
  playbackUrl: `${baseUrl}/v/${id}/master.m3u8`,
  statusUrl: `${baseUrl}/api/videos/${id}`,
  upload: { method: '', url: '', headers: {} },
});

/** What an operator gets from the maintenance function. */
export async function maintained<Answer extends MaintenanceAnswer>(
  { baseUrl }: System,
  request: MaintenanceRequest,
): Promise<Answer> {
  const url = `${baseUrl}/local/lambda/2015-03-31/functions/maintenance/invocations`;
  const headers = { authorization: 'Bearer key' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(request) });
  const body = (await answer.json()) as Answer & { errorMessage?: string };
  if (answer.ok && body.errorMessage === undefined) return body;
  throw new Error(`${JSON.stringify(request)}: ${answer.status} ${JSON.stringify(body)}`);
}

/** Runs an operator's command, as npm run does. */
export async function operated(
  { baseUrl }: System,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'local/operate.ts', ...args],
    {
      env: { ...process.env, PORT: new URL(baseUrl).port, API_KEY: 'key' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

const AT_ONCE = 4;

/** What these addresses answer, in their order; a few are asked at a time, as by a player. */
export async function allAt(urls: readonly string[]): Promise<Buffer[]> {
  const found: Buffer[] = [];
  const waiting = [...urls.entries()];
  const player = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) found[next[0]] = await bytesAt(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, player));
  return found;
}

/** The segments of each rendition, one after another. */
export async function segmentsAt(
  renditions: ReadonlyMap<string, Rendition>,
  part: { from: number; to?: number } = { from: 0 },
): Promise<Map<string, Buffer[]>> {
  const found = new Map<string, Buffer[]>();
  for (const [name, { segments }] of renditions) {
    found.set(name, await allAt(segments.slice(part.from, part.to).map(({ url }) => url)));
  }
  return found;
}

/** What a decoder makes of a rendition, and says of it. */
export interface Decoded {
  complaints: string;
  /** Of pictures, or of AAC frames, in seconds. */
  times: number[];
  /** That the pictures show. */
  numbers: number[];
}

export async function decoded(
  segments: ReadonlyMap<string, Buffer[]>,
  directory: string,
): Promise<Map<string, Decoded>> {
  const found = new Map<string, Decoded>();
  for (const [name, pieces] of segments) {
    const path = join(directory, `${name}.decoded`);
    await writeFile(path, Buffer.concat(pieces));
    found.set(name, name.startsWith('audio-') ? await sound(path) : await numberedFilm(path));
  }
  return found;
}

const numberedFilm = async (path: string): Promise<Decoded> => ({
  ...(await pictures(path)),
  numbers: await numbersIn(path),
});

async function sound(path: string): Promise<Decoded> {
  const { stdout, stderr } = await ffmpeg('-v', 'warning', '-f', 'aac', '-i', path, '-f', 'framehash', '-');
  const frames = stdout
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('0,'));
  const rate = Number(/#sample_rate 0: (\d+)/.exec(stdout.toString())![1]);
  // It says so of every file whose container tells no length.
  const complaints = stderr.replace(/^.*Estimating duration from bitrate, this may be inaccurate\n/gm, '');
  return { complaints, times: frames.map((line) => Number(line.split(',')[1]) / rate), numbers: [] };
}
