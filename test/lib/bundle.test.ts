// What each function carries of other people's code, and of what reaches out of the process: the whole of it, so that nothing
// comes in unnoticed. Each kilobyte is read and compiled by every cold start.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../../lib/bundle.ts';
import { temporaryDirectory } from '../support/media.ts';
import { ROOT } from './support/variants.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** The store, and what parses the records in it. */
const STORE = [
  '@aws-sdk/client-s3',
  'machine/patience.ts',
  'adapters/s3-answers.ts',
  'adapters/s3-multipart.ts',
  'adapters/s3-store.ts',
];
const RECORDS = [...STORE, 'zod'];
const EXECUTIONS = ['@aws-sdk/client-sfn', 'adapters/executions.ts'];
const SOURCES = ['block-cache', 'kept-blocks', 'loopback-server', 'range-server'].map(
  (name) => `machine/${name}.ts`,
);
/** Who goes first, and what stands still meanwhile. */
const TURNS = ['waiting-line', 'precedence', 'standstill', 'pausable-timer'].map(
  (name) => `machine/${name}.ts`,
);
const FFMPEG = [...SOURCES, 'machine/ffmpeg.ts', 'machine/stream-server.ts', ...TURNS];
/** Has a sandbox work, and grants it objects. */
const BROKER = [
  ...['@aws-sdk/client-lambda', '@aws-sdk/s3-request-presigner'],
  ...['adapters/lambda-sandbox.ts', 'adapters/s3-links.ts'],
];
const SECRETS = ['@aws-lambda-powertools/parameters', '@aws-sdk/client-secrets-manager'];
const OBSERVABILITY = ['@aws-lambda-powertools/logger', '@aws-lambda-powertools/metrics'];

test.each([
  [
    'lambdas/api.ts',
    [
      ...[...RECORDS, ...SECRETS, '@aws-sdk/s3-presigned-post', '@aws-sdk/s3-request-presigner'],
      ...['adapters/sign-upload.ts', 'adapters/lambda-sandbox.ts', '@aws-sdk/client-lambda', 'hono'],
    ],
  ],
  ['lambdas/authorizer.ts', SECRETS],
  ['lambdas/ingest.ts', [...RECORDS, ...BROKER, ...OBSERVABILITY, ...EXECUTIONS]],
  ['lambdas/origin.ts', [...RECORDS, ...BROKER, ...OBSERVABILITY, 'hono']],
  ['lambdas/transcode.ts', [...RECORDS, ...BROKER, ...OBSERVABILITY]],
  // No SDK, and so no credentials.
  ['lambdas/sandbox.ts', [...FFMPEG, 'adapters/link-client.ts', 'machine/patience.ts', 'zod']],
  ['lambdas/janitor.ts', [...RECORDS, 'adapters/cloudfront-cdn.ts', '@aws-sdk/client-cloudfront']],
  ['lambdas/maintenance.ts', [...RECORDS, ...BROKER, ...OBSERVABILITY, ...EXECUTIONS]],
  [
    'lib/video-ids.lambda.ts',
    [
      ...[
        '@aws-sdk/client-cloudfront-keyvaluestore',
        '@aws-sdk/client-s3',
        '@aws-sdk/client-secrets-manager',
      ],
      '@smithy/signature-v4a',
    ],
  ],
  [
    'lib/playback-secret.lambda.ts',
    ['@aws-sdk/client-cloudfront-keyvaluestore', '@aws-sdk/client-secrets-manager', '@smithy/signature-v4a'],
  ],
])('%s carries this much of others’ code, and no more', async (entry, parts) => {
  const files = await filesOf(entry);
  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const found = new Set(
    files
      .map((file) => packageOf(file) ?? file)
      .filter((part) => part in dependencies || /^(adapters|machine)\//.test(part) || part.endsWith('v4a')),
  );
  expect([...found].sort()).toEqual([...parts].sort());
  // Credentials are in the environment of a function. What else the SDK would ask for them is left out.
  expect(files.filter((file) => /credential-provider|client-s(so|ts)\//.test(file))).toEqual([]);
});

/** Of which something is left in the bundle. */
async function filesOf(entry: string): Promise<string[]> {
  const { outputs } = bundle(entry, join(directory.path, entry));
  const [, output] = Object.entries(outputs).find(([path]) => path.endsWith('index.mjs'))!;
  return Object.entries(output.inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => file);
}

const packageOf = (file: string): string | undefined =>
  /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
