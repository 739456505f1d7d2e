// The embedded S3 on a port of its own.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { httpServer } from '../../local/http-server.ts';
import { openS3, type EmbeddedS3Options } from '../../local/s3/server.ts';

export const keyring = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/key+', region: 'us-east-1' };

export async function listenS3(
  options: Omit<EmbeddedS3Options, 'keyring'>,
): Promise<{ endpoint: string; close(): Promise<void> }> {
  const s3 = await openS3({ ...options, keyring });
  const server = httpServer(s3.handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      await s3.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
