// A task and its replies on the wire, between a broker and a sandbox that is another function: a request of JSON, with links
// in the place of what is granted; and a stream of replies, each a head of JSON and, where there are any, bytes. A broker
// believes no reply: what comes back may be written by whoever has taken over a decoder, and is looked at like an upload.

import * as z from 'zod';
import {
  FfmpegError,
  OUTAGE_CODES,
  OutageError,
  RequestError,
  SOURCE_ERROR_SENTENCES,
  SourceError,
} from '../../core/errors.ts';
import type { OutageCode, SourceErrorCode } from '../../core/errors.ts';
import { RESCUES } from '../../core/records/lost.ts';
import { MEZZANINE } from '../../core/records/mezzanine.ts';
import { PLAN } from '../../core/records/plan.ts';
import { MOST_PIECES, mostPiecesOf } from '../../core/source/copy-limits.ts';
import type { PartLinks, WriteLink } from '../store.ts';
import type { CopyNeed, Grants, Reply, Task, TaskOptions } from './sandbox.ts';

/** Raised when a sandbox of before could not do what is asked. While a stack is updated, sandboxes are replaced first. */
const VERSION = 1;

/** In the place of a request: nothing is to be done but to be there. */
export const WARMING = { version: VERSION, kind: 'warming' } as const;

export interface SandboxRequest {
  version: number;
  task: unknown;
  links: SandboxLinks;
  secondsLeft: number | null;
}

export interface SandboxLinks {
  id: string;
  source: { url: string; sizeBytes: number; etag: string | null; name: string | null; isCopy: boolean };
  segments?: Record<string, WriteLink>;
  copy?: PartLinks;
}

export async function requestOf(
  task: Task,
  { id, source, segments, copy }: Grants,
  { secondsLeft }: TaskOptions,
): Promise<SandboxRequest> {
  const links: SandboxLinks = {
    id,
    source: {
      url: await source.link(),
      sizeBytes: source.sizeBytes,
      etag: source.etag ?? null,
      name: source.identity?.name ?? null,
      isCopy: source.isCopy ?? false,
    },
  };
  if (segments) {
    links.segments = {};
    for (const [name, grant] of segments) links.segments[name] = await grant.link();
  }
  if (copy) links.copy = await copy.partLinks(pieceNumbers(source.sizeBytes));
  return { version: VERSION, task: taskToSend(task), links, secondsLeft: secondsLeft?.() ?? null };
}

/** Of the pieces of two copies side by side. */
function pieceNumbers(sizeBytes: number): number[] {
  const numbers = Array.from({ length: mostPiecesOf(sizeBytes) }, (_, index) => index + 1);
  return [0, MOST_PIECES].flatMap((before) => numbers.map((number) => before + number));
}

function taskToSend(task: Task): unknown {
  if ('plan' in task) return { ...task, plan: PLAN.stored(task.plan) };
  if (task.kind !== 'copy' || !task.known) return task;
  const { mezzanine, isStored } = task.known;
  return { ...task, known: { mezzanine: MEZZANINE.stored(mezzanine), isStored } };
}

/** @throws Error where it comes from a newer release */
export function taskIn({ version, task: sent }: Pick<SandboxRequest, 'version' | 'task'>): Task {
  if (version !== VERSION) throw new Error(`a request of version ${version}, of which ${VERSION} is known`);
  const task = sent as Task;
  if ('plan' in task) return { ...task, plan: PLAN.parse(task.plan, 'of a task') };
  const settings = withoutNull(task.settings);
  if (task.kind !== 'copy' || !task.known) return { ...task, settings };
  const { mezzanine, isStored } = task.known;
  return { ...task, settings, known: { mezzanine: MEZZANINE.parse(mezzanine, 'of a task'), isStored } };
}

/** JSON has no Infinity; limits that are not there become null. */
const withoutNull = <T extends object>(limits: T): T =>
  Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, limit ?? Infinity])) as T;

// Replies.

const sourceBytesRead = z.number().min(0);
/** Of what is said in words, so much is heard. */
const words = (most: number) => z.string().transform((text) => text.slice(0, most));
const head = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('planned'), plan: z.unknown(), sourceBytesRead }),
  z.object({ kind: z.literal('copy needed'), need: z.unknown(), sourceBytesRead }),
  z.object({
    ...{ kind: z.literal('copied'), plan: z.unknown(), mezzanine: z.unknown(), sourceBytesRead },
    parts: z.array(z.object({ number: z.int().min(1), etag: z.string().max(100) })),
  }),
  z.object({
    ...{ kind: z.literal('segment'), rendition: z.string(), index: z.int().min(0) },
    rescue: z.enum(RESCUES).optional(),
    outcome: z.enum(['stored', 'exists']).optional(),
  }),
  z.object({ kind: z.literal('bytes') }),
  z.object({ kind: z.literal('read'), sourceBytesRead }),
  /** From time to time, as a connection on which nothing comes may be taken for a dead one. */
  z.object({ kind: z.literal('alive') }),
  z.object({
    ...{ kind: z.literal('failed'), type: words(100), message: words(8000) },
    code: words(100).optional(),
    status: z.number().optional(),
    command: words(100_000).optional(),
    stderrTail: words(8000).optional(),
    signal: words(100).optional(),
  }),
  z.object({ kind: z.literal('done') }),
]);
type Head = z.infer<typeof head>;

/** What people read of a refusal. */
const MOST_SENTENCE_CHARACTERS = 500;
/** Of one task: a chunk has a few hundred segments. */
const MOST_REPLIES = 10_000;

const LENGTHS_BYTES = 8;
/** A plan, the need of a copy with all that was found; and a segment, of which ffmpeg may not write more. */
const MOST_HEAD_BYTES = 8 * 1024 ** 2;
const MOST_BODY_BYTES = 64 * 1024 ** 2;

const NOTHING = new Uint8Array();

/** What is sent of a reply. */
export function framed(reply: Reply): Uint8Array {
  switch (reply.kind) {
    case 'planned':
      return frame({ ...reply, plan: PLAN.stored(reply.plan) });
    case 'copied':
      return frame({ ...reply, plan: PLAN.stored(reply.plan), mezzanine: MEZZANINE.stored(reply.mezzanine) });
    case 'segment': {
      const { made, ...rest } = reply;
      return 'bytes' in made ? frame(rest, made.bytes) : frame({ ...rest, outcome: made.outcome });
    }
    case 'bytes':
      return frame({ kind: 'bytes' }, reply.bytes);
    default:
      return frame(reply);
  }
}

export const ALIVE = frame({ kind: 'alive' });
export const DONE = frame({ kind: 'done' });

export function framedFailure(error: unknown): Uint8Array {
  const { name, message } = error as Error;
  const said = { kind: 'failed' as const, type: name, message };
  if (error instanceof OutageError) return frame({ ...said, type: 'OutageError', code: error.code });
  if (error instanceof SourceError) return frame({ ...said, code: error.code });
  if (error instanceof RequestError) return frame({ ...said, code: error.code, status: error.status });
  if (!(error instanceof FfmpegError)) return frame(said);
  const { command, stderrTail, signal } = error;
  return frame({ ...said, command, stderrTail, ...(signal !== undefined && { signal }) });
}

function frame(sent: Head | object, body: Uint8Array = NOTHING): Uint8Array {
  const text = Buffer.from(JSON.stringify(sent));
  const lengths = Buffer.alloc(LENGTHS_BYTES);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt32BE(body.length, 4);
  return Buffer.concat([lengths, text, body]);
}

/**
 * Tells what a sandbox replies.
 * @throws what it failed with; OutageError TOOL_UNAVAILABLE where it ended before it was done, or says what none of ours
 *   would
 */
export async function tellReplies(
  stream: AsyncIterable<Uint8Array>,
  tell: (reply: Reply) => Promise<void> | void,
): Promise<void> {
  let replies = 0;
  for await (const { head: sent, body } of framesIn(stream)) {
    replies += 1;
    if (replies > MOST_REPLIES) throw garbled('too many replies');
    const parsed = head.safeParse(sent);
    if (!parsed.success) throw garbled(z.prettifyError(parsed.error));
    const found = parsed.data;
    if (found.kind === 'done') return;
    if (found.kind === 'failed') throw failureIn(found);
    if (found.kind !== 'alive') await tell(replyIn(found, body));
  }
  throw new OutageError('TOOL_UNAVAILABLE', 'The sandbox ended before it was done.');
}

function replyIn(found: Exclude<Head, { kind: 'done' | 'failed' | 'alive' }>, bytes: Uint8Array): Reply {
  try {
    switch (found.kind) {
      case 'planned':
        return { ...found, plan: PLAN.parse(found.plan, 'of the sandbox') };
      case 'copy needed':
        return { ...found, need: found.need as CopyNeed };
      case 'copied': {
        const mezzanine = MEZZANINE.parse(found.mezzanine, 'of the sandbox');
        return { ...found, plan: PLAN.parse(found.plan, 'of the sandbox'), mezzanine };
      }
      case 'segment': {
        const { outcome, ...segment } = found;
        return { ...segment, made: outcome ? { outcome } : { bytes } };
      }
      case 'bytes':
        return { ...found, bytes };
      case 'read':
        return found;
    }
  } catch (error) {
    throw garbled((error as Error).message);
  }
}

const garbled = (why: string): OutageError =>
  new OutageError('TOOL_UNAVAILABLE', `The sandbox said what none of ours would: ${why.slice(0, 500)}`);

/** As it was thrown there. What is no error of ours is nobody's here either. */
function failureIn({ type, message, code, status, ...details }: Extract<Head, { kind: 'failed' }>): Error {
  if (type === 'SourceError' && code !== undefined && Object.hasOwn(SOURCE_ERROR_SENTENCES, code)) {
    return new SourceError(code as SourceErrorCode, message.slice(0, MOST_SENTENCE_CHARACTERS));
  }
  if (type === 'OutageError' && OUTAGE_CODES.includes(code as OutageCode)) {
    return new OutageError(code as OutageCode, message);
  }
  if (type === 'RequestError' && code !== undefined && (status === 404 || status === 409)) {
    return new RequestError(status, code, message);
  }
  if (type === 'FfmpegError') {
    const { command = '', stderrTail = '', signal } = details;
    const own = message.endsWith(`\n${stderrTail}`) ? message.slice(0, -stderrTail.length - 1) : message;
    return new FfmpegError(own, { command, stderrTail, signal });
  }
  return new Error(message);
}

async function* framesIn(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ head: unknown; body: Uint8Array }> {
  const read = reader(stream);
  for (;;) {
    const lengths = await read(LENGTHS_BYTES);
    if (!lengths) return;
    const [headBytes, bodyBytes] = [lengths.readUInt32BE(0), lengths.readUInt32BE(4)];
    if (headBytes > MOST_HEAD_BYTES || bodyBytes > MOST_BODY_BYTES) throw garbled('too much at once');
    const [text, body] = [await read(headBytes), await read(bodyBytes)];
    if (!text || !body) return;
    yield { head: jsonIn(text), body };
  }
}

function jsonIn(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString()) as unknown;
  } catch {
    throw garbled('no JSON');
  }
}

/** Reads as many bytes as are asked for; undefined where the stream ends before. */
function reader(stream: AsyncIterable<Uint8Array>): (length: number) => Promise<Buffer | undefined> {
  const pieces = stream[Symbol.asyncIterator]();
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  return async (length) => {
    while (waitingBytes < length) {
      const { done, value } = await pieces.next();
      if (done) return undefined;
      waiting.push(value);
      waitingBytes += value.length;
    }
    const all = Buffer.concat(waiting);
    [waiting, waitingBytes] = [[all.subarray(length)], all.length - length];
    return all.subarray(0, length);
  };
}
