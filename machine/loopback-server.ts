// An HTTP server for one program of ours, on the loopback and at a path that nobody else can guess, while it is needed.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OutageError } from '../core/errors.ts';

export interface Loopback {
  url: string;
  /** The first thing that went wrong in answering. */
  failure(): unknown;
}

/**
 * Answers GET and HEAD while `use` runs. Where `answer` fails the connection is broken, as there is no other way to tell
 * ffmpeg, which may take that for the end of the file; so it is remembered, and nothing is answered any more.
 * @param answer ends quietly where `hungUp` has fired: whoever asked wants no more
 * @throws what `answer` threw, even if `use` then failed differently or not at all
 */
export async function withLoopbackServer<T>(
  answer: (request: IncomingMessage, response: ServerResponse, hungUp: AbortSignal) => Promise<void>,
  use: (served: Loopback) => Promise<T>,
): Promise<T> {
  // Other processes on this machine can reach the port, but cannot guess the path.
  const path = `/${randomBytes(16).toString('hex')}`;
  let failure: unknown;

  const server = createServer((request, response) => {
    // Nothing will come of it any more.
    if (failure) return void response.destroy();
    const isAsked = request.method === 'GET' || request.method === 'HEAD';
    if (request.url !== path || !isAsked) return void response.writeHead(404).end();
    const hungUp = new AbortController();
    response.on('close', () => hungUp.abort());
    void answer(request, response, hungUp.signal).catch((error: unknown) => {
      if (hungUp.signal.aborted) return;
      failure ??= error;
      response.destroy();
    });
  });

  server.listen(0, '127.0.0.1');
  await once(server, 'listening').catch((error: Error) => {
    throw new OutageError('TOOL_UNAVAILABLE', `The source cannot be served: ${error.message}`, {
      cause: error,
    });
  });
  try {
    const { port } = server.address() as AddressInfo;
    const result = await use({ url: `http://127.0.0.1:${port}${path}`, failure: () => failure });
    if (failure) throw failure;
    return result;
  } catch (error) {
    throw failure ?? error;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Sends bytes as they come, no faster than they are taken. */
export async function sendAll(
  bytes: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  hungUp: AbortSignal,
): Promise<void> {
  for await (const piece of bytes) {
    if (!response.write(piece)) await once(response, 'drain', { signal: hungUp });
  }
  response.end();
}
