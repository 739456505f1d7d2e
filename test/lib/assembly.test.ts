import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FFMPEG_PACKAGES, unpackFfmpeg } from '../../lib/ffmpeg-packages.ts';
import { temporaryDirectory } from '../support/media.ts';
import { ROOT, functionThat, ofType } from './support/variants.ts';
import type { Json, Template } from './support/variants.ts';

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
}, 120_000);

afterAll(() => directory.remove());

/** The folder that a function's or layer's code is zipped from. */
const codeOf = ({ S3Key }: { S3Key: string }): string =>
  join(assembly, `asset.${S3Key.replace(/\.zip$/, '')}`);

const ENTRIES: [string, string, number][] = [
  // The first is in everybody's way; of the others, what a cold start must read.
  ['api', 'The HTTP API', 1_000_000],
  ['authorizer', 'Compares the API key', 600_000],
  ['ingest', 'Plans a video', 1_200_000],
  ['origin', 'Makes an artifact', 1_200_000],
  ['transcode', 'Encodes a chunk', 1_200_000],
  ['finish', 'Measures what was made', 1_200_000],
  ['rotation', 'Copies the playback secrets', 1_000_000],
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
  expect(files).toContainEqual(['index.html']);
  expect(files).toContainEqual(['config.json']);
  expect(files.flat().some((file) => /^main-[A-Z0-9]+\.js$/.test(file))).toBe(true);
});

test('the KeyValueStore is spoken to in its own kind of signature', async () => {
  const code = codeOf(functionThat(template, 'Copies the playback secrets').Properties.Code);
  expect(await readFile(join(code, 'index.mjs'), 'utf8')).toContain('AWS4-ECDSA-P256-SHA256');
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
