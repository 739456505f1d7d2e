// The sandbox of one machine: the same function, run in this process. Nothing keeps a decoder that is taken over from what
// this process may do; docs/operations.md says so.

import { PassThrough } from 'node:stream';
import type { Writable } from 'node:stream';
import type { Sandbox } from '../pipeline/sandbox/sandbox.ts';
import { requestOf, tellReplies } from '../pipeline/sandbox/wire.ts';
import type { SandboxRequest } from '../pipeline/sandbox/wire.ts';

export type SandboxHandler = (
  request: SandboxRequest,
  reply: Writable,
  context: { hungUp?: AbortSignal },
) => Promise<unknown>;

/** @param nobodyWaits resolves when nobody waits for something to be made */
export const sandboxHere = (handler: SandboxHandler, nobodyWaits: () => Promise<void>): Sandbox => ({
  async run(task, grants, tell, options = {}) {
    const { leave } = options;
    leave?.throwIfAborted();
    // An encoder uses all cores by itself.
    if (task.kind === 'segments' && task.line === 'background') await nobodyWaits();
    // As it would be sent.
    const request = JSON.parse(JSON.stringify(await requestOf(task, grants, options))) as SandboxRequest;
    const reply = new PassThrough();
    reply.on('error', () => undefined); // the handler is told
    const handled = handler(request, reply, leave ? { hungUp: leave } : {});
    try {
      await tellReplies(reply, tell);
      await handled;
    } catch (error) {
      reply.destroy(error as Error);
      // What was given up fails with whatever it was doing.
      throw leave?.aborted && isGivenUp(error, leave) ? leave.reason : error;
    }
  },
});

/** An error loses its identity on the way. */
const isGivenUp = (error: unknown, { reason }: AbortSignal): boolean =>
  (error as Error).message === (reason as Error | undefined)?.message;
