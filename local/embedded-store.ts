// The embedded S3 with a key pair of its own, made at the first start and kept beside the data.

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Event } from 'aws-lambda';
import { openS3 } from './s3/server.ts';
import type { EmbeddedS3 } from './s3/server.ts';
import type { Keyring } from './s3/signature.ts';

/** `environment` is what a client needs to reach it, in the usual AWS variables. */
export async function embeddedStore(
  directory: string,
  onCreated: (event: S3Event) => void,
): Promise<{ s3: EmbeddedS3; environment: Record<string, string> }> {
  await mkdir(directory, { recursive: true });
  const keyring = await keyringIn(join(directory, 'keyring.json'));
  const s3 = await openS3({ directory, keyring, onCreated });
  return {
    s3,
    environment: {
      AWS_ACCESS_KEY_ID: keyring.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keyring.secretAccessKey,
      AWS_REGION: keyring.region,
    },
  };
}

/** Presigned URLs given out before a restart stay good. */
async function keyringIn(path: string): Promise<Keyring> {
  const made: Keyring = {
    accessKeyId: 'local',
    secretAccessKey: randomBytes(30).toString('base64url'),
    region: 'us-east-1',
  };
  await writeFile(path, JSON.stringify(made), { mode: 0o600, flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  return JSON.parse(await readFile(path, 'utf8')) as Keyring;
}
