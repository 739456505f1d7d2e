// The S3 that the contract is held against: the embedded one, or any other named by the environment.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { keyring, listenS3 } from './s3-server.ts';

export interface S3UnderTest {
  endpoint: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  client(changes?: S3ClientConfig): S3Client;
  close(): Promise<void>;
}

export const region = 'us-east-1';

/** `S3_CONTRACT_ENDPOINT`, whose keys come in the usual AWS variables, in place of the embedded S3. */
export async function s3UnderTest(): Promise<S3UnderTest> {
  const { endpoint, credentials, close } = await (process.env['S3_CONTRACT_ENDPOINT'] ? named() : embedded());
  const clients: S3Client[] = [];
  return {
    endpoint,
    credentials,
    client(changes = {}) {
      const client = new S3Client({
        region,
        endpoint,
        credentials,
        forcePathStyle: true,
        maxAttempts: 1, // what is refused or fails is to be seen
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
        ...changes,
      });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.destroy();
      await close();
    },
  };
}

type Server = Pick<S3UnderTest, 'endpoint' | 'credentials' | 'close'>;

async function named(): Promise<Server> {
  const variable = (name: string): string => {
    const value = process.env[name];
    if (!value) throw new Error(`S3_CONTRACT_ENDPOINT is set, and ${name} is not.`);
    return value;
  };
  return {
    endpoint: variable('S3_CONTRACT_ENDPOINT').replace(/\/$/, ''),
    credentials: {
      accessKeyId: variable('AWS_ACCESS_KEY_ID'),
      secretAccessKey: variable('AWS_SECRET_ACCESS_KEY'),
    },
    close: async () => undefined,
  };
}

async function embedded(): Promise<Server> {
  const directory = await mkdtemp(join(tmpdir(), 's3-contract-'));
  const { endpoint, close } = await listenS3({ directory });
  return {
    endpoint,
    credentials: keyring,
    async close() {
      await close();
      await rm(directory, { recursive: true });
    },
  };
}

export interface Refusal {
  status: number;
  code: string;
}

/** How S3 refused what the SDK asked; throws if it did not. */
export async function refusalOf(asked: Promise<unknown>): Promise<Refusal> {
  const error = await asked.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error === undefined) throw new Error('S3 was expected to refuse this, and did not.');
  if (!(error instanceof S3ServiceException)) throw error;
  return { status: error.$metadata.httpStatusCode ?? 0, code: error.name };
}

/** How S3 answered without the SDK: the code is that of its XML. */
export async function answerOf(asked: Promise<Response>): Promise<Refusal | { status: number }> {
  const response = await asked;
  const code = /<Code>(.*?)<\/Code>/.exec(await response.text())?.[1];
  return { status: response.status, ...(code === undefined ? {} : { code }) };
}
