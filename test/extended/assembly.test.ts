import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FFMPEG_PACKAGES, unpackFfmpeg } from '../../lib/ffmpeg-packages.ts';
import { temporaryDirectory } from '../support/media.ts';
import { ROOT, functionThat, ofType } from '../lib/support/variants.ts';
import type { Json, Template } from '../lib/support/variants.ts';

// The assembly as `npx cdk deploy` makes it: by the CLI, every warning an error, and neither Docker nor, once ffmpeg
// has been fetched, the network.

const run = promisify(execFile);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let assembly: string;
let template: Template;

beforeAll(async () => {
  directory = await temporaryDirectory();
  assembly = join(directory.path, 'cdk.out');
  unpackFfmpeg(FFMPEG_PACKAGES['x86_64']!, join(directory.path, 'fetched'));

  const traps = join(directory.path, 'traps');
  await mkdir(traps);
  for (const name of ['npm', 'npx', 'docker', 'finch', 'podman']) {
    await writeFile(join(traps, name), `#!/bin/sh\necho "${name} was called" >&2\nexit 1\n`, { mode: 0o755 });
  }
  const cdk = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
  await run(
    process.execPath,
    // With the settings that bundle everything there is.
    [
      cdk,
      'synth',
      '--strict',
      '--quiet',
      '--no-notices',
      '--output',
      assembly,
      '--context',
      'playback=token',
    ],
    {
      cwd: ROOT,
      env: {
        PATH: [traps, join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(':'),
        HOME: directory.path, // no credentials, no settings of whoever runs this
        HTTPS_PROXY: 'http://127.0.0.1:9',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
      },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  template = JSON.parse(await readFile(join(assembly, 'InstantHls.template.json'), 'utf8')) as Template;
});

afterAll(() => directory.remove());

/** The folder that a function's or layer's code is zipped from. */
const codeOf = ({ S3Key }: { S3Key: string }): string =>
  join(assembly, `asset.${S3Key.replace(/\.zip$/, '')}`);

const ENTRIES: [string, string, number][] = [
  // The first is in everybody's way; of the others, what a cold start must read.
  ['api', 'The HTTP API', 800_000],
  ['authorizer', 'Compares the API key', 400_000],
  ['ingest', 'Plans a video', 660_000],
  ['origin', 'Makes an artifact', 660_000],
  ['transcode', 'Has what is queued', 640_000],
  // No SDK.
  ['sandbox', 'Runs ffmpeg for somebody', 300_000],
  ['maintenance', 'Plans videos anew', 660_000],
  ['rotation', 'Copies the playback secrets', 600_000],
];

describe.each(ENTRIES)('%s', (_, does, maxBytes) => {
  test('starts as Lambda starts it: its one file, its environment, its handler by name', async () => {
    const { Code, Handler, Environment } = functionThat(template, does).Properties;
    const [module, name] = Handler.split('.');
    const script = `
      globalThis.awslambda = { streamifyResponse: (handler) => handler, HttpResponseStream: class {} };
      const { ${name}: handler } = await import(${JSON.stringify(join(codeOf(Code), `${module}.mjs`))});
      console.log(typeof handler);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...resolved(Environment.Variables), AWS_REGION: 'eu-central-1', PATH: '' },
    });
    expect(stdout.trim()).toBe('function');
  });

  test(`has at most ${maxBytes / 1000} KB of code, and its source map`, async () => {
    const code = codeOf(functionThat(template, does).Properties.Code);
    expect((await readdir(code)).sort()).toEqual(['index.mjs', 'index.mjs.map']);
    expect((await stat(join(code, 'index.mjs'))).size).toBeLessThanOrEqual(maxBytes);
  });
});

test('the layer holds ffmpeg and ffprobe, runs, and fits', async () => {
  const layer = ofType(template, 'AWS::Lambda::LayerVersion').find(({ Properties }) =>
    Properties.Description?.startsWith('ffmpeg'),
  );
  const bin = join(codeOf(layer!.Properties.Content), 'bin');
  let bytes = 0;
  for (const binary of ['ffmpeg', 'ffprobe']) {
    const { stdout } = await run(join(bin, binary), ['-version'], { env: {} });
    expect(stdout).toMatch(new RegExp(`^${binary} version .*-static `));
    bytes += (await stat(join(bin, binary))).size;
  }
  expect(bytes).toBeLessThan(250 * 1024 * 1024);
});

test('the page: what never changes apart from what does', async () => {
  const deployments = ofType(template, 'Custom::CDKBucketDeployment').map(({ Properties }) => Properties);
  expect(
    deployments.map((each) => [each.DestinationBucketKeyPrefix, each.SystemMetadata['cache-control']]).sort(),
  ).toEqual([
    [undefined, 'public, max-age=0, s-maxage=31536000, must-revalidate'],
    ['assets', 'public, max-age=31536000, immutable'],
  ]);
  const folders = deployments.map(({ SourceObjectKeys }) =>
    SourceObjectKeys.map((S3Key: string) => codeOf({ S3Key })),
  );
  const files = await Promise.all(folders.flat().map((folder: string) => readdir(folder)));
  expect(files).toContainEqual(['embed.html', 'index.html', 'watch.html']);
  expect(files).toContainEqual(['config.json']);
  expect(files.flat().some((file) => /^main-[A-Z0-9]+\.js$/.test(file))).toBe(true);
});

test('the rotation speaks to the KeyValueStore in its own kind of signature', async () => {
  // Secrets Manager, as far as the first question goes.
  const secretsManager = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ SecretString: '{"current":"a","a":"generated"}' }));
  });
  await new Promise<void>((resolve) => secretsManager.listen(0, '127.0.0.1', resolve));
  const { Code, Environment } = functionThat(template, 'Copies the playback secrets').Properties;
  // The edge's API is met at the last moment before the wire.
  const script = `
    import https from 'node:https';
    import { syncBuiltinESMExports } from 'node:module';
    https.request = ({ hostname, host, path, headers }) => {
      console.log(JSON.stringify({ host: hostname ?? host, path, ...headers }));
      process.exit(0);
    };
    syncBuiltinESMExports();
    const { handler } = await import(${JSON.stringify(join(codeOf(Code), 'index.mjs'))});
    await handler({});`;
  try {
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      env: {
        ...resolved(Environment.Variables),
        KEY_VALUE_STORE_ARN:
          'arn:aws:cloudfront::123456789012:key-value-store/8c7e3f9a-0000-4000-8000-000000000000',
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'example',
        AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${(secretsManager.address() as AddressInfo).port}`,
      },
    });
    const request = JSON.parse(stdout) as Record<string, string>;
    expect(request['host']).toBe('123456789012.cloudfront-kvs.global.api.aws');
    expect(request['path']).toMatch(/\/keys\/a$/);
    expect(request['authorization']).toMatch(/^AWS4-ECDSA-P256-SHA256 /);
    expect(request['x-amz-region-set']).toBe('*');
  } finally {
    secretsManager.close();
  }
});

test('every function has a bundle of its own', () => {
  const keys = ENTRIES.map(([, does]) => functionThat(template, does).Properties.Code.S3Key as string);
  expect(new Set(keys).size).toBe(ENTRIES.length);
});

test('no secret is in the assembly', async () => {
  const text = JSON.stringify(template);
  expect(text).not.toMatch(/SecretString":"/);
  expect(text).not.toMatch(/AKIA[0-9A-Z]{16}/);
});

/** The environment with its references replaced by words. */
const resolved = (variables: Record<string, Json>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : 'resolved-at-deploy',
    ]),
  );
