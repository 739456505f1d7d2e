// An update of a deployed stack replaces nothing that holds data or has an address which others know: the template is held
// against that of commit 8e3bc33 (test/fixtures/README.md).

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, synthesise } from './support/variants.ts';
import type { Json, Synthesised, Template } from './support/variants.ts';

/** By playback: what there was, with those of its properties that replace it when they change, or make it anew. */
type Frozen = Record<'public' | 'token', Template['Resources']>;

let variants: Synthesised;
let frozen: Frozen;
beforeAll(async () => {
  variants = await synthesise([
    { name: 'public', app: 'instant-hls' },
    { name: 'token', app: 'instant-hls', context: { playback: 'token' } },
  ]);
  const path = join(ROOT, 'test/fixtures/template-8e3bc33.json');
  frozen = JSON.parse(await readFile(path, 'utf8')) as Frozen;
});
afterAll(() => variants.remove());

test.each(['public', 'token'] as const)(
  'no bucket, secret, key-value store, distribution, API or topic of a stack with %s playback is replaced',
  async (playback) => {
    const { Resources } = await variants.template(playback);
    const before = Object.entries(frozen[playback]);
    expect(before.length).toBeGreaterThan(7);
    for (const [id, { Type, Properties }] of before) {
      expect([id, Resources[id]?.Type]).toEqual([id, Type]);
      for (const name of REPLACING[Type]!) {
        expect([id, name, Resources[id]!.Properties[name] as Json]).toEqual([id, name, Properties[name]]);
      }
    }
  },
);

/** CloudFormation's documentation, "Update requires: Replacement"; a generated secret is generated anew where how changes. */
const REPLACING: Record<string, string[]> = {
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::SecretsManager::Secret': ['Name', 'GenerateSecretString'],
  'AWS::CloudFront::KeyValueStore': ['Name'],
  'AWS::CloudFront::Distribution': [],
  'AWS::ApiGatewayV2::Api': ['ProtocolType'],
  'AWS::SNS::Topic': ['TopicName', 'FifoTopic'],
};
