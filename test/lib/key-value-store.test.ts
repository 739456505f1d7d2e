// The requests that a KeyValueStore of CloudFront's gets, each of which has to name the version that it changes.

import type { CloudFrontKeyValueStoreClient } from '@aws-sdk/client-cloudfront-keyvaluestore';
import { keyValueStore } from '../../lib/key-value-store.lambda.ts';

const ARN = 'arn:aws:cloudfront::123456789012:key-value-store/one';

interface Input {
  Key?: string;
  Value?: string;
  IfMatch?: string;
  Puts?: { Key: string; Value: string }[];
}

/** Refuses what names another version than the latest, and more than fifty keys. */
function service(held: Record<string, string> = {}) {
  const kept = new Map(Object.entries(held));
  let version = 0;
  const failing = (name: string) => Object.assign(new Error(name), { name });
  const found = (Key: string) => {
    if (!kept.has(Key)) throw failing('ResourceNotFoundException');
    return kept.get(Key)!;
  };
  const requests: number[] = [];
  const change = ({ IfMatch }: Input, how: () => void) => {
    if (IfMatch !== `version ${version}`) throw failing('ConflictException');
    how();
    return { ETag: `version ${(version += 1)}` };
  };
  const answers: Record<string, (input: Input) => object> = {
    DescribeKeyValueStoreCommand: () => ({ ETag: `version ${version}` }),
    GetKeyCommand: ({ Key }) => ({ Value: found(Key!) }),
    PutKeyCommand: (input) => change(input, () => kept.set(input.Key!, input.Value!)),
    DeleteKeyCommand: (input) => change(input, () => (found(input.Key!), kept.delete(input.Key!))),
    UpdateKeysCommand: (input) =>
      change(input, () => {
        requests.push(input.Puts!.length);
        if (input.Puts!.length > 50) throw failing('ValidationException');
        for (const { Key, Value } of input.Puts!) kept.set(Key, Value);
      }),
  };
  const client = {
    async send(command: { constructor: { name: string }; input: Input & { KvsARN: string } }) {
      expect(command.input.KvsARN).toBe(ARN);
      return answers[command.constructor.name]!(command.input);
    },
  } as unknown as CloudFrontKeyValueStoreClient;
  return { store: keyValueStore(client, ARN), kept, requests };
}

test('what is put can be got, and what is not there is undefined', async () => {
  const { store } = service();
  await store.put('key', 'first');
  await store.put('key', 'second');
  expect(await store.get('key')).toBe('second');
  expect(await store.get('other')).toBeUndefined();
});

test('many keys are put fifty at a time', async () => {
  const { store, kept, requests } = service({ key: 'secret' });
  const ids = Array.from({ length: 120 }, (_, index) => `id-${index}`);
  await store.putAll(ids, '1');
  expect(requests).toEqual([50, 50, 20]);
  expect([...kept.keys()]).toEqual(['key', ...ids]);
  await store.putAll([], '1');
  expect(requests).toHaveLength(3);
});

test('a key is removed, also where it is not there; any other failure is one', async () => {
  const { store, kept } = service({ key: 'secret' });
  await store.remove('key');
  await store.remove('key');
  expect(kept.size).toBe(0);
  const away = keyValueStore(
    { send: () => Promise.reject(new Error('away')) } as unknown as CloudFrontKeyValueStoreClient,
    ARN,
  );
  await expect(away.get('key')).rejects.toThrow('away');
  await expect(away.remove('key')).rejects.toThrow('away');
});
