// Serves bytes that are made as they are read to ffmpeg on the loopback: from the first to the last, without ranges.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OutageError } from '../core/errors.ts';

/**
 * Serves what `bytes` makes, anew for each request, while `use` runs.
 * @throws what `bytes` threw, whatever came of it
 */
export async function withStreamServer<T>(
  bytes: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
  use: (url: string) => Promise<T>,
): Promise<T> {
  // Other processes on this machine can reach the port, but cannot guess the path.
  const path = `/${randomBytes(16).toString('hex')}`;
  let failure: unknown;

  const server = createServer((request, response) => {
    if (request.url !== path || request.method !== 'GET') return void response.writeHead(404).end();
    void send(response).catch((error: unknown) => {
      failure ??= error;
      response.destroy();
    });
  });

  async function send(response: ServerResponse): Promise<void> {
    const hungUp = new AbortController();
    response.on('close', () => hungUp.abort());
    response.writeHead(200);
    try {
      for await (const piece of bytes(hungUp.signal)) {
        if (!response.write(piece)) await once(response, 'drain', { signal: hungUp.signal });
      }
      response.end();
    } catch (error) {
      if (!hungUp.signal.aborted) throw error;
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening').catch((error: Error) => {
    throw new OutageError('TOOL_UNAVAILABLE', `The source cannot be served: ${error.message}`, {
      cause: error,
    });
  });
  try {
    const { port } = server.address() as AddressInfo;
    const result = await use(`http://127.0.0.1:${port}${path}`);
    if (failure) throw failure;
    return result;
  } catch (error) {
    throw failure ?? error;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
