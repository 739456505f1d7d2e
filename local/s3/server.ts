// An S3 inside this process, kept in a folder: the part of its protocol that we, the AWS SDK and browsers use.

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { S3Event } from 'aws-lambda';
import { BlobDirectory } from './blobs.ts';
import type { Answer, Call, Storage } from './call.ts';
import { corsHeaders } from './cors-rules.ts';
import { openDatabase } from './database.ts';
import { DISK, type Disk } from './disk.ts';
import { S3Error } from './errors.ts';
import { s3Event, type ObjectCreated } from './events.ts';
import { headerText } from './object-headers.ts';
import { ObjectIndex } from './object-index.ts';
import { formOperation, isForm, operationFor } from './routes.ts';
import { authenticate, type Keyring } from './signature.ts';
import { Space } from './space.ts';
import { targetOf, type Target } from './target.ts';
import { UploadIndex } from './upload-index.ts';
import { renderXml } from './xml.ts';

export interface EmbeddedS3 {
  /**
   * Answers one request whose path is `/{bucket}` or `/{bucket}/{key}`. Its server needs `requestTimeout: 0`:
   * an upload takes as long as it takes.
   */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Cuts off what is still being answered. */
  close(): Promise<void>;
}

export interface EmbeddedS3Options {
  /** Made if it is missing; belongs to this store alone while it is open. */
  directory: string;
  keyring: Keyring;
  /** Hears of every object after it is stored. What it throws is logged, and nothing else. */
  onCreated?: (event: S3Event) => unknown;
  /**
   * Which objects may take of the space that is kept aside for deletions: small ones, without which there would be no
   * deletions. @default none
   */
  mayUseReserve?: (bucket: string, key: string) => boolean;
  /** A test may give one that is nearly full. */
  disk?: Disk;
}

export async function openS3(options: EmbeddedS3Options): Promise<EmbeddedS3> {
  const { directory, keyring, onCreated, mayUseReserve = () => false, disk = DISK } = options;
  await mkdir(directory, { recursive: true });
  const space = new Space(directory, disk);
  // A deletion on a full disk makes the log longer, and tidying the log makes the database longer by as much at most.
  // That leaves the other half of the reserve for one deletion of any size: measured, aborting an upload of ten thousand
  // parts takes 2 MiB.
  const logBytes = space.reserveBytes / 4;
  const database = space.freeing(() => openDatabase(join(directory, 'index.sqlite'), { logBytes, disk }));
  const index = new ObjectIndex(database);
  const uploads = new UploadIndex(database, index);
  const blobs = await BlobDirectory.open(directory, disk);
  await blobs.sweep(new Set([...index.blobs(), ...uploads.blobs()]));
  space.restore();

  const announce = (created: ObjectCreated) => {
    const hear = async () => onCreated?.(s3Event(created, keyring));
    hear().catch((error: unknown) => console.error(error));
  };
  const storage: Storage = { index, uploads, blobs, space, keyring, announce, mayUseReserve };
  const running = new Map<ServerResponse, Promise<void>>();
  return {
    handle(request, response) {
      const done = serve(request, response, storage)
        .catch(() => void response.destroy()) // the client has left, or the file is gone
        .finally(() => running.delete(response));
      running.set(response, done);
    },
    async close() {
      for (const response of running.keys()) response.destroy();
      await Promise.all(running.values());
      database.close();
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, storage: Storage): Promise<void> {
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  let target: Target | undefined;
  let answer: Answer;
  try {
    target = targetOf(request.url ?? '');
    answer = await answerTo(request, target, requestId, storage);
  } catch (error) {
    if (request.errored) return; // the client has left
    answer = refusal(refusalFor(error, storage), request.url, requestId);
  }
  const headers = {
    'x-amz-request-id': requestId,
    ...answer.headers,
    ...crossOrigin(request, target, storage),
  };
  await send(request, response, { ...answer, headers });
}

async function answerTo(
  request: IncomingMessage,
  target: Target,
  requestId: string,
  storage: Storage,
): Promise<Answer> {
  const method = request.method ?? '';
  if (method === 'OPTIONS') return preflight(request, target, storage);
  const form = isForm(method, target, request.headers['content-type']);
  const { presigned, payload } = form
    ? { presigned: false, payload: 'unsigned' as const }
    : authenticate(request, target, storage.keyring, Date.now());
  const headers = headersOf(request, presigned ? target.query : []);
  const operation = form ? formOperation : operationFor(method, target, headers);
  const parameters = new Map(target.query);
  const call: Call = {
    ...target,
    request,
    requestId,
    sourceIp: request.socket.remoteAddress ?? '',
    payload,
    headers,
    parameter: (name) => parameters.get(name),
  };
  return operation(call, storage);
}

// The presigner of the SDK moves headers of S3's own into the query.
const OF_THE_SIGNATURE = /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|content-sha256)$/;

function headersOf(request: IncomingMessage, query: Target['query']): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    if (lower.startsWith('x-amz-') && !OF_THE_SIGNATURE.test(lower)) headers.set(lower, headerText(value));
  }
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string') headers.set(name, value);
  }
  return headers;
}

function preflight(request: IncomingMessage, target: Target, { index }: Storage): Answer {
  const origin = request.headers.origin;
  const method = request.headers['access-control-request-method'];
  if (!origin || !method) {
    throw new S3Error('BadRequest', 'Insufficient information. Origin request header needed.');
  }
  const asked = request.headers['access-control-request-headers'] ?? '';
  const names = asked.split(',').map((name) => name.trim().toLowerCase());
  const rules = index.bucket(target.bucket)?.corsRules;
  if (!rules) throw new S3Error('AccessForbidden', 'CORSResponse: CORS is not enabled for this bucket.');
  const headers = corsHeaders(rules, { origin, method, headers: names.filter((name) => name !== '') });
  if (!headers) throw new S3Error('AccessForbidden');
  return { status: 200, headers };
}

/** A page may read our answers, refusals too, as far as the bucket's rules let it. */
function crossOrigin(
  request: IncomingMessage,
  target: Target | undefined,
  { index }: Storage,
): OutgoingHttpHeaders {
  const { method, headers } = request;
  if (!target || !headers.origin || !method || method === 'OPTIONS') return {};
  const rules = index.bucket(target.bucket)?.corsRules ?? [];
  return corsHeaders(rules, { origin: headers.origin, method, headers: [] }) ?? {};
}

function refusalFor(error: unknown, { space }: Storage): S3Error {
  if (error instanceof S3Error) return error;
  if (space.isOutOfSpace(error)) return new S3Error('STORAGE_FULL');
  console.error(error);
  return new S3Error('InternalError');
}

function refusal(error: S3Error, resource: string | undefined, requestId: string): Answer {
  const range =
    error.code === 'InvalidRange' ? { 'content-range': `bytes */${error.details.ActualObjectSize}` } : {};
  return {
    status: error.status,
    headers: { 'content-type': 'application/xml', ...range },
    body: renderXml('Error', {
      Code: error.code,
      Message: error.message,
      ...error.details,
      Resource: resource,
      RequestId: requestId,
    }),
  };
}

async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const { status, headers, body = '' } = answer;
  if (typeof body !== 'string') {
    response.writeHead(status, headers);
    return pipeline(body, response);
  }
  // A client may still be sending what we refused. It is told at once, and the connection stays until it has
  // finished: many read no answer before, and closing under them would lose it.
  const withLength = status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...withLength, ...headers });
  response.write(body);
  await readToEnd(request);
  response.end();
}

async function readToEnd(request: IncomingMessage): Promise<void> {
  request.unpipe();
  if (request.readableEnded || request.destroyed) return;
  await new Promise<void>((resolve) => {
    request.once('end', resolve).once('close', resolve).resume();
  });
}
