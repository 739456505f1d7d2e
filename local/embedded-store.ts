// The embedded S3 with a key pair of its own, made at the first start and kept beside the data.

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { keptSecret } from './kept-secret.ts';
import { openS3 } from './s3/server.ts';
import type { EmbeddedS3, EmbeddedS3Options } from './s3/server.ts';
import type { Keyring } from './s3/signature.ts';

/** `environment` is what a client needs to reach it, in the usual AWS variables. */
export async function embeddedStore(
  directory: string,
  options: Pick<EmbeddedS3Options, 'onCreated' | 'mayUseReserve'>,
): Promise<{ s3: EmbeddedS3; environment: Record<string, string> }> {
  await mkdir(directory, { recursive: true });
  // Presigned URLs given out before a restart stay good.
  const keyring = await keptSecret<Keyring>(join(directory, 'keyring.json'), () => ({
    accessKeyId: 'local',
    secretAccessKey: randomBytes(30).toString('base64url'),
    region: 'us-east-1',
  }));
  const s3 = await openS3({ directory, keyring, ...options });
  return {
    s3,
    environment: {
      AWS_ACCESS_KEY_ID: keyring.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keyring.secretAccessKey,
      AWS_REGION: keyring.region,
    },
  };
}
