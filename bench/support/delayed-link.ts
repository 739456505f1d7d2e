// A link with delay between a browser and a server of this machine, for where the kernel cannot delay its loopback. What
// TCP does with a delay is done too: a connection takes a round trip to open, begins slowly, and has so much under way at
// most as its window allows.

import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

const FIRST_WINDOW_BYTES = 10 * 1460; // RFC 6928
/** What Linux lets a sender have under way by default (tcp_wmem: 4 MB, of which about a half is packets' own). */
const MOST_WINDOW_BYTES = 2 * 1024 * 1024;

export interface DelayedLink {
  port: number;
  close(): void;
}

/** @param delayMs in each direction, as `tc qdisc add dev lo root netem delay` has it: a round trip takes twice as long */
export async function delayedLink(targetPort: number, delayMs: number): Promise<DelayedLink> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => sockets.delete(socket));
      // Either end may hang up; the other one is to hear of it.
      socket.on('error', () => [client, upstream].forEach((each) => each.destroy()));
    }
    setTimeout(() => {
      void carry(client, upstream, delayMs);
      void carry(upstream, client, delayMs);
    }, 2 * delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function carry(from: Socket, to: Socket, delayMs: number): Promise<void> {
  let [windowBytes, underWayBytes] = [FIRST_WINDOW_BYTES, 0];
  let isAcknowledged = Promise.withResolvers<void>();
  try {
    for await (const bytes of from as AsyncIterable<Buffer>) {
      for (let sent = 0; sent < bytes.length;) {
        while (underWayBytes >= windowBytes) await isAcknowledged.promise;
        const packet = bytes.subarray(sent, sent + windowBytes - underWayBytes);
        sent += packet.length;
        underWayBytes += packet.length;
        setTimeout(() => to.write(packet), delayMs);
        setTimeout(() => {
          underWayBytes -= packet.length;
          windowBytes = Math.min(MOST_WINDOW_BYTES, windowBytes + packet.length); // slow start
          isAcknowledged.resolve();
          isAcknowledged = Promise.withResolvers();
        }, 2 * delayMs);
      }
    }
    setTimeout(() => to.end(), delayMs);
  } catch {
    to.destroy();
  }
}
