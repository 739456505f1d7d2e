// What `npm run lint` refuses, and what core/tsconfig.json does: over this project, and, with the same commands and
// configuration, over small projects with a fault each.

import { execFile } from 'node:child_process';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { temporaryDirectory } from '../support/media.ts';

const ROOT = join(import.meta.dirname, '..', '..');

test('no import of this project breaks a rule', async () => {
  const { exitCode, report } = await lint(ROOT);
  expect(violations(report)).toEqual([]);
  expect(exitCode).toBe(0);
  // Without a parser for TypeScript the cruiser skips these files and finds no fault.
  const [, files, imports] = /\((\d+) modules, (\d+) dependencies cruised\)/.exec(report) ?? [];
  expect(Number(files)).toBeGreaterThan(400);
  expect(Number(imports)).toBeGreaterThan(2000);
});

/** Imports that are allowed: every planted fault is added to these. */
const SOUND = {
  'core/plan.ts': `
    import { createHash } from 'node:crypto';
    import { Buffer } from 'node:buffer';
    import { z } from 'zod';
    export const plan = [createHash, Buffer, z];`,
  'machine/process.ts': `
    import { spawn } from 'node:child_process';
    import { plan } from '../core/plan.ts';
    export const run = () => spawn('true', plan.map(String));`,
  'machine/patience.ts': `export const pause = 1;`,
  'pipeline/store.ts': `
    import { Hono } from 'hono';
    import { run } from '../machine/process.ts';
    export type Store = Hono | typeof run;
    export const STORE = 1;`,
  'adapters/s3.ts': `
    import { S3Client } from '@aws-sdk/client-s3';
    import { pause } from '../machine/patience.ts';
    import type { Store } from '../pipeline/store.ts';
    export const s3 = (): [S3Client, Store, number] => { throw pause; };`,
  'lambdas/api.ts': `
    import { s3 } from '../adapters/s3.ts';
    export const handler = s3;`,
  'web/page.ts': `
    import type { Store } from '../pipeline/store.ts';
    import { plan } from '../core/plan.ts';
    export const page = (store: Store) => [plan, store];`,
  'test/plan.test.ts': `
    import { page } from '../web/page.ts';
    import { handler } from '../lambdas/api.ts';
    export const tested = [page, handler];`,
};

test('imports from higher floors to lower ones pass', async () => {
  expect(await lintPlanted({})).toMatchObject({ exitCode: 0 });
});

// Alone, as each must be enough to fail.
test.each<[string, Record<string, string>, string]>([
  [
    'an upward import',
    { 'core/up.ts': `import { STORE } from '../pipeline/store.ts'; export const up = STORE;` },
    'core-imports: core/up.ts → pipeline/store.ts',
  ],
  [
    'a circle',
    {
      'core/hen.ts': `import { egg } from './egg.ts'; export const hen = () => egg;`,
      'core/egg.ts': `import { hen } from './hen.ts'; export const egg = () => hen;`,
    },
    'no-circles: core/egg.ts → core/hen.ts → core/egg.ts',
  ],
  [
    'a circle of types',
    {
      'web/hen.ts': `import type { Egg } from './egg.ts'; export interface Hen { from?: Egg }`,
      'web/egg.ts': `import type { Hen } from './hen.ts'; export interface Egg { from?: Hen }`,
    },
    'no-circles: web/egg.ts → web/hen.ts → web/egg.ts',
  ],
  [
    'a client of AWS in core',
    { 'core/aws.ts': `import { S3Client } from '@aws-sdk/client-s3'; export const client = S3Client;` },
    'core-packages: core/aws.ts → node_modules/@aws-sdk/client-s3',
  ],
  [
    'the file system in core',
    { 'core/disk.ts': `import { readFile } from 'node:fs/promises'; export const read = readFile;` },
    'core-node-modules: core/disk.ts → fs/promises',
  ],
])('%s is refused, and the report names the files', async (_, planted, violation) => {
  const { exitCode, report } = await lintPlanted(planted);
  expect(violations(report)).toEqual([violation]);
  expect(exitCode).toBeGreaterThan(0);
});

test('every other import that no rule allows is refused', async () => {
  const planted: [path: string, source: string, violation: string][] = [
    [
      'core/type.ts',
      `import type { run } from '../machine/process.ts'; export type Up = typeof run;`,
      'core-imports: core/type.ts → machine/process.ts',
    ],
    [
      'core/expression.ts',
      `export type Up = typeof import('../machine/process.ts').run;`,
      'core-imports: core/expression.ts → machine/process.ts',
    ],
    [
      'core/later.ts',
      `export const up = () => import('../machine/process.ts');`,
      'core-imports: core/later.ts → machine/process.ts',
    ],
    [
      'core/event.ts',
      `import type { S3Event } from 'aws-lambda'; export type Event = S3Event;`,
      'core-packages: core/event.ts → node_modules/@types/aws-lambda',
    ],
    [
      'core/old-name.ts',
      `import { readFileSync } from 'fs'; export const read = readFileSync;`,
      'core-node-modules: core/old-name.ts → fs',
    ],
    [
      'core/not-installed.ts',
      `export { default } from '@aws-sdk/client-nowhere';`,
      'resolvable: core/not-installed.ts → @aws-sdk/client-nowhere',
    ],
    [
      'machine/up.ts',
      `export { STORE } from '../pipeline/store.ts';`,
      'machine-imports: machine/up.ts → pipeline/store.ts',
    ],
    [
      'machine/aws.ts',
      `export { S3Client } from '@aws-sdk/client-s3';`,
      'machine-packages: machine/aws.ts → node_modules/@aws-sdk/client-s3',
    ],
    [
      'pipeline/up.ts',
      `export { s3 } from '../adapters/s3.ts';`,
      'pipeline-imports: pipeline/up.ts → adapters/s3.ts',
    ],
    [
      'pipeline/logs.ts',
      `export { Logger } from '@aws-lambda-powertools/logger';`,
      'pipeline-packages: pipeline/logs.ts → node_modules/@aws-lambda-powertools/logger',
    ],
    [
      'pipeline/answers.ts',
      `export { handle } from 'hono/aws-lambda';`,
      'pipeline-platforms: pipeline/answers.ts → node_modules/hono',
    ],
    [
      'adapters/up.ts',
      `export { handler } from '../lambdas/api.ts';`,
      'adapters-imports: adapters/up.ts → lambdas/api.ts',
    ],
    [
      'web/up.ts',
      `export { STORE } from '../pipeline/store.ts';`,
      'web-imports-types-only: web/up.ts → pipeline/store.ts',
    ],
    [
      'lambdas/tested.ts',
      `export { tested } from '../test/plan.test.ts';`,
      'lambdas-imports: lambdas/tested.ts → test/plan.test.ts',
    ],
    [
      'plugins/new.ts',
      `export { plan } from '../core/plan.ts';`,
      'no-unknown-folders: plugins/new.ts → core/plan.ts',
    ],
  ];
  const { report } = await lintPlanted(Object.fromEntries(planted));
  expect(violations(report).sort()).toEqual(planted.map(([, , violation]) => violation).sort());
});

/** What the report calls errors: the rule, and the files; of a package its name. */
const violations = (report: string): string[] =>
  [...report.matchAll(/ error (\S+: \S+(?: → \S+)+)/g)].map(([, violation]) =>
    violation!.replace(/(node_modules\/(?:@[^/]+\/)?[^/]+)\/.*/, '$1'),
  );

test('core compiles without the globals of browsers, Node and jest, but with Buffer and node:crypto', async () => {
  const sound = `
    import { createHash } from 'node:crypto';
    export const hash: string = createHash('sha256').update(Buffer.from('a')).digest('hex');`;
  expect(await inProject({ 'core/sound.ts': sound }, typecheckCore)).toEqual({ exitCode: 0, report: '' });

  const globals = ['document', 'fetch', 'process', 'setTimeout', 'console', 'test'];
  const { exitCode, report } = await inProject({ 'core/globals.ts': globals.join(';\n') }, typecheckCore);
  for (const name of globals) expect(report).toContain(`Cannot find name '${name}'`);
  expect(exitCode).toBeGreaterThan(0);
});

const lintPlanted = (planted: Record<string, string>) => inProject({ ...SOUND, ...planted }, lint);

const lint = (directory: string) => run('npm', ['run', 'lint'], directory);

const typecheckCore = (directory: string) =>
  run(process.execPath, ['node_modules/typescript-7/bin/tsc', '-p', 'core'], directory);

/** Makes a project of these files with our configuration and packages, for as long as `check` takes. */
async function inProject<T>(files: Record<string, string>, check: (path: string) => Promise<T>): Promise<T> {
  const { path: project, remove } = await temporaryDirectory();
  try {
    await mkdir(join(project, 'core'));
    for (const name of ['package.json', '.dependency-cruiser.js', 'tsconfig.json', 'core/tsconfig.json']) {
      await copyFile(join(ROOT, name), join(project, name));
    }
    await symlink(join(ROOT, 'node_modules'), join(project, 'node_modules'));
    for (const [name, source] of Object.entries(files)) {
      await mkdir(join(project, dirname(name)), { recursive: true });
      await writeFile(join(project, name), source);
    }
    return await check(project);
  } finally {
    await remove();
  }
}

/**
 * The report comes in one line, as the cruiser breaks lines between the files of a circle, and with the packages where
 * the project sees them, not where its link leads.
 */
async function run(command: string, args: string[], cwd: string) {
  return new Promise<{ exitCode: number; report: string }>((resolve) => {
    execFile(command, args, { cwd }, (error, stdout, stderr) => {
      const report = `${stdout}${stderr}`
        .replaceAll(/\s+/g, ' ')
        .replaceAll(/\S+\/node_modules\//g, 'node_modules/');
      resolve({ exitCode: error ? Number(error.code) : 0, report });
    });
  });
}
