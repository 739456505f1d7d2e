// The built page's files, from the environment: in a bucket, or in a folder of this machine.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { s3Store } from '../adapters/s3-store.ts';
import { requireEnv } from './environment.ts';

/** Resolves with undefined where there is no such file: a deployment may have no page. */
export function pageFilesFromEnvironment(client: S3Client): (name: string) => Promise<string | undefined> {
  const directory = process.env['PAGE_DIRECTORY'];
  if (directory) {
    return (name) =>
      readFile(join(directory, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        return undefined;
      });
  }
  const store = s3Store(client, requireEnv('PAGE_BUCKET'));
  return async (name) => {
    const bytes = await store.get(name);
    return bytes && Buffer.from(bytes).toString('utf8');
  };
}
