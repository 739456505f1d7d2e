// Runs in Lambda: a KeyValueStore of CloudFront's, which functions at the edge read. CloudFormation can fill one only with
// what is in a template, so what is secret, or known by its objects alone, is written by functions at deploy.

import {
  DeleteKeyCommand,
  DescribeKeyValueStoreCommand,
  GetKeyCommand,
  PutKeyCommand,
  UpdateKeysCommand,
} from '@aws-sdk/client-cloudfront-keyvaluestore';
import type { CloudFrontKeyValueStoreClient } from '@aws-sdk/client-cloudfront-keyvaluestore';
import '@aws-sdk/signature-v4a'; // registers itself; the KeyValueStore is global and takes no other signature

export interface KeyValueStore {
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): Promise<void>;
  /** Puts each of these keys with this value. */
  putAll(keys: readonly string[], value: string): Promise<void>;
  /** Also where it is not there. */
  remove(key: string): Promise<void>;
}

/** By one request. Source: AWS, "Quotas on key value stores". */
const MAX_PUTS = 50;

/** A KeyValueStore reaches all edges within seconds; nobody can ask them, so whoever must know waits for several times that. */
export const PROPAGATION_MS = 30_000;

export function keyValueStore(client: CloudFrontKeyValueStoreClient, KvsARN: string): KeyValueStore {
  const version = async () => (await client.send(new DescribeKeyValueStoreCommand({ KvsARN }))).ETag;
  return {
    get: (Key) =>
      client.send(new GetKeyCommand({ KvsARN, Key })).then(({ Value }) => Value, undefinedWhereMissing),
    async put(Key, Value) {
      await client.send(new PutKeyCommand({ KvsARN, Key, Value, IfMatch: await version() }));
    },
    async putAll(keys, Value) {
      let IfMatch = await version();
      for (let from = 0; from < keys.length; from += MAX_PUTS) {
        const Puts = keys.slice(from, from + MAX_PUTS).map((Key) => ({ Key, Value }));
        IfMatch = (await client.send(new UpdateKeysCommand({ KvsARN, IfMatch, Puts }))).ETag;
      }
    },
    async remove(Key) {
      const IfMatch = await version();
      await client.send(new DeleteKeyCommand({ KvsARN, Key, IfMatch })).catch(undefinedWhereMissing);
    },
  };
}

export function undefinedWhereMissing(error: unknown): undefined {
  // So it is called by all services that say so. (The classes have no such name once they are minified.)
  if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
  throw error;
}
