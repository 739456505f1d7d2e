// The one HTTP server of this machine: every path belongs to whoever stands there in the cloud.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { logFailure, videoIdIn } from '../pipeline/observe.ts';
import { httpServer } from './http-server.ts';

/** Answers a request. `false` leaves it unanswered: there is nothing at that path. */
export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void | boolean> | void | boolean;

export interface WebServer {
  baseUrl: string;
  /** From now on `handler` answers `path` and all below it; the longest path that fits wins. */
  route(path: string, handler: Handler): void;
  /** From now on what has no route is not there. Until then it may come: whoever asks is to ask again. */
  complete(): void;
  close(): void;
}

/** Listens on the loopback only. @throws Error with a sentence where the port is taken. */
export async function openWebServer(port: number): Promise<WebServer> {
  const routes = new Map<string, Handler>();
  let isComplete = false;
  const server = httpServer((request, response) => {
    answer(request, response).catch((error: NodeJS.ErrnoException) => {
      // Who hangs up in the middle of a request has no question left.
      if (request.destroyed && error.code === 'ECONNRESET') return;
      logFailure(videoIdIn((request.url ?? '').split('?')[0]!), error);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { code: 'INTERNAL', message: 'Something went wrong on our side.' });
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-content-type-options', 'nosniff'); // as the CDN does with every answer
    const [path = '/'] = (request.url ?? '/').split('?');
    const fitting = [...routes.keys()].filter((prefix) => isBelow(path, prefix));
    const longest = fitting.sort((a, b) => b.length - a.length)[0];
    const answered = longest === undefined ? false : await routes.get(longest)!(request, response);
    if (answered !== false) return;
    if (isComplete) return sendJson(response, 404, { code: 'NOT_FOUND', message: 'There is no such page.' });
    response.setHeader('retry-after', '1');
    // A player of another page would not see the status otherwise, nor ask again.
    response.setHeader('access-control-allow-origin', '*');
    sendJson(response, 503, { code: 'STARTING', message: 'The server is starting. Please try again.' });
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is in use. Set PORT to another.`);
  });
  return {
    baseUrl: `http://localhost:${(server.address() as AddressInfo).port}`,
    route: (path, handler) => void routes.set(path, handler),
    complete: () => void (isComplete = true),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const isBelow = (path: string, prefix: string): boolean =>
  prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
