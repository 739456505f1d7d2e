// The sandbox: the only function that runs ffmpeg, and the only one that may do nothing. Its role has no right to any bucket;
// what a task may read and write, the request brings as links.

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Context } from 'aws-lambda';
import { readRange, sendPart, writeOnce } from '../adapters/link-client.ts';
import { OutageError, RequestError } from '../core/errors.ts';
import { sweepWorkspaces } from '../pipeline/encode/workspace.ts';
import { perform } from '../pipeline/sandbox/perform.ts';
import type { GrantedSource, Grants, Task } from '../pipeline/sandbox/sandbox.ts';
import { ALIVE, DONE, WARMING, framed, framedFailure, taskIn } from '../pipeline/sandbox/wire.ts';
import type { SandboxLinks, SandboxRequest } from '../pipeline/sandbox/wire.ts';
import { logFailure } from '../pipeline/observe.ts';
import { toolsFromEnvironment } from './sandbox-tools.ts';

const tools = toolsFromEnvironment();
// Where an invocation was ended in the middle, the next one is of a new process, on the same disk.
const swept = sweepWorkspaces(tools.temporaryDirectory).catch((error: unknown) => console.error(error));

/** What runs us may know that nobody waits for the answer any longer. */
type CallContext = Partial<Pick<Context, 'getRemainingTimeInMillis'>> & { hungUp?: AbortSignal };

/** A connection on which nothing comes for minutes may be taken for a dead one. */
const ALIVE_MS = 20_000;

export const handler = awslambda.streamifyResponse(
  async (request: SandboxRequest | typeof WARMING, reply: Writable, context: CallContext): Promise<void> => {
    await swept;
    if ('kind' in request) return void reply.end();
    const write = async (bytes: Uint8Array): Promise<void> => {
      if (reply.destroyed) throw new Error('Nobody listens any more.');
      if (!reply.write(bytes)) await once(reply, 'drain');
    };
    const alive = setInterval(() => void (reply.destroyed || reply.write(ALIVE)), ALIVE_MS);
    try {
      await perform(withOwnMemory(taskIn(request)), grantsOf(request.links), (said) => write(framed(said)), {
        ...{ tools, leave: context.hungUp, secondsLeft: secondsLeft(request, context) },
      });
      await write(DONE);
    } catch (error) {
      // The broker decides what becomes of it; what nobody has foreseen needs its stack, which only is here.
      if ((error as Error).constructor === Error) logFailure(request.links.id, error);
      await write(framedFailure(error)).catch(() => undefined);
    } finally {
      clearInterval(alive);
      reply.end();
    }
  },
);

/** How much memory ffmpeg may take is for the function to know that it runs in. */
function withOwnMemory(task: Task): Task {
  if (!('settings' in task) || !tools.limits) return task;
  const { probeMemoryBytes, encodeMemoryBytes } = tools.limits;
  return { ...task, settings: { ...task.settings, probeMemoryBytes, encodeMemoryBytes } };
}

/** Until this function is ended, or whoever waits for it. */
function secondsLeft(
  { secondsLeft: brokers }: SandboxRequest,
  { getRemainingTimeInMillis }: CallContext,
): (() => number) | undefined {
  if (brokers === null && !getRemainingTimeInMillis) return undefined;
  const begun = performance.now();
  return () =>
    Math.min(
      (brokers ?? Infinity) - (performance.now() - begun) / 1000,
      (getRemainingTimeInMillis?.() ?? Infinity) / 1000,
    );
}

/** Blocks of a source are kept for the next who reads it. */
const SOURCES = {};

function grantsOf({ id, source, segments, copy }: SandboxLinks): Grants {
  return {
    ...{ id, source: sourceOf(source) },
    ...(segments && {
      segments: new Map(
        Object.entries(segments).map(([name, link]) => [
          name,
          { put: (bytes) => writeOnce(link, bytes), link: () => Promise.resolve(link) },
        ]),
      ),
    }),
    ...(copy && {
      copy: {
        part: (number, bytes) => sendPart(copy, number, bytes),
        partLinks: () => Promise.resolve(copy),
      },
    }),
  };
}

function sourceOf({ url, sizeBytes, etag, name, isCopy }: SandboxLinks['source']): GrantedSource {
  return {
    ...{ sizeBytes, etag: etag ?? undefined, isCopy, link: () => Promise.resolve(url) },
    ...(name !== null && { identity: { within: SOURCES, name } }),
    read: (first, last, signal) =>
      readRange(url, { first, last, etag: etag ?? undefined }, signal).catch((error: unknown) => {
        if (!isCopy || !(error instanceof RequestError)) throw error;
        throw new OutageError('STORE_UNAVAILABLE', 'The copy is not stored any more.', { cause: error });
      }),
  };
}
