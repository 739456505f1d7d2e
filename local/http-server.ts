// An HTTP server that is patient: with uploads, which take as long as they take, and with connections that rest.

import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';

/**
 * How long a connection may rest between two requests. Whoever closes it first must be the client: a request that meets
 * a server closing is reset, and clients do not dare to repeat all kinds. Chromium keeps idle connections for five
 * minutes, Node's fetch for ten at most.
 * Source: Chromium, net/socket/client_socket_pool.cc; undici, `keepAliveMaxTimeout`.
 */
export const KEEP_ALIVE_MS = 660_000;

/** Not listening yet. */
export const httpServer = (listener?: RequestListener): Server =>
  createServer(
    {
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: KEEP_ALIVE_MS + 60_000, // never the first to end a connection that rests
    },
    listener,
  );
