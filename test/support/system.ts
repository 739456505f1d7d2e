// The whole system as a person starts it, in a process of its own, and a client of its HTTP interface.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import type { PlaybackGrant } from '../../pipeline/life/playback.ts';
import type { VideoStatus } from '../../pipeline/life/video-status.ts';

export interface System {
  baseUrl: string;
  /** The server's own process, not that of npm. */
  process: ChildProcess;
  /** All it has printed. */
  output(): string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

/** Starts this checkout, or the one in another folder, which needs modules of its own. */
export async function startSystem(
  dataDirectory: string,
  environment: Record<string, string> = {},
  checkout = '.',
): Promise<System> {
  const child = spawn(process.execPath, await startArguments(checkout), {
    cwd: checkout,
    env: {
      ...process.env,
      ...{ PORT: '0', DATA_DIR: dataDirectory, API_KEY: 'key', REHEARSAL: 'off', ...environment },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ready = new Promise<string>((resolve, reject) => {
    const hear = (bytes: Buffer) => {
      output += bytes.toString();
      const url = /^ready: (.+)$/m.exec(output)?.[1];
      if (url) resolve(url);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`the system exited with ${code}:\n${output}`)));
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    await once(child, 'exit');
    return child.exitCode;
  };
  return {
    baseUrl: await ready,
    process: child,
    output: () => output,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  };
}

/** Those of `npm start`. */
async function startArguments(checkout: string): Promise<string[]> {
  const { scripts } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start.split(' ').slice(1);
}

const AUTHORIZATION = { authorization: 'Bearer key' };

export interface Granted {
  id: string;
  playbackUrl: string;
  statusUrl: string;
  upload: { method: string; url: string; headers: Record<string, string> };
}

/** Asks for an upload and sends the file. */
export async function uploadFile({ baseUrl }: System, path: string): Promise<Granted> {
  const { size: sizeBytes } = await stat(path);
  const answer = await fetch(`${baseUrl}/api/uploads`, {
    method: 'POST',
    headers: { ...AUTHORIZATION, 'content-type': 'application/json' },
    body: JSON.stringify({ filename: basename(path), contentType: 'application/octet-stream', sizeBytes }),
  });
  if (answer.status !== 201) throw new Error(`upload request: ${answer.status} ${await answer.text()}`);
  const granted = (await answer.json()) as Granted;
  const { method, url, headers } = granted.upload;
  const sent = await fetch(url, {
    method,
    headers: { ...headers, 'content-length': String(sizeBytes) },
    ...(sizeBytes > 0
      ? { body: Readable.toWeb(createReadStream(path)) as ReadableStream, duplex: 'half' as const }
      : {}),
  } as RequestInit);
  if (!sent.ok) throw new Error(`upload: ${sent.status} ${await sent.text()}`);
  return granted;
}

export async function statusOf({ statusUrl }: Granted): Promise<VideoStatus> {
  return (await (await fetch(statusUrl)).json()) as VideoStatus;
}

/** Looks until the video's status is as wanted; the test's own time limit ends it otherwise. */
export async function untilStatus(
  video: Granted,
  wanted: (status: VideoStatus) => boolean,
  everyMs = 50,
): Promise<VideoStatus> {
  for (;;) {
    const status = await statusOf(video);
    if (wanted(status)) return status;
    await sleep(everyMs);
  }
}

export async function grantPlayback({ baseUrl }: System, { id }: Granted): Promise<PlaybackGrant> {
  const answer = await fetch(`${baseUrl}/api/videos/${id}/tokens`, {
    method: 'POST',
    headers: AUTHORIZATION,
  });
  if (answer.status !== 201) throw new Error(`token request: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as PlaybackGrant;
}

export const deleteVideo = ({ baseUrl }: System, { id }: Granted): Promise<Response> =>
  fetch(`${baseUrl}/api/videos/${id}`, { method: 'DELETE', headers: AUTHORIZATION });

/** A client of the embedded store, to look behind the system's back. */
export async function storeClient({ baseUrl }: System, dataDirectory: string): Promise<S3Client> {
  const { region, ...credentials } = JSON.parse(
    await readFile(join(dataDirectory, 's3', 'keyring.json'), 'utf8'),
  ) as { region: string; accessKeyId: string; secretAccessKey: string };
  return new S3Client({ region, credentials, endpoint: baseUrl, forcePathStyle: true });
}
