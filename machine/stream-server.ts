// Serves bytes that are made as they are read to ffmpeg on the loopback: from the first to the last, without ranges.

import { sendAll, withLoopbackServer } from './loopback-server.ts';

/**
 * Serves what `bytes` makes, anew for each request, while `use` runs.
 * @throws what `bytes` threw, whatever came of it
 */
export const withStreamServer = <T>(
  bytes: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
  use: (url: string) => Promise<T>,
): Promise<T> =>
  withLoopbackServer(
    async (_, response, hungUp) => {
      response.writeHead(200);
      await sendAll(bytes(hungUp), response, hungUp);
    },
    ({ url }) => use(url),
  );
